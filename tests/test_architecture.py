"""The import rules of docs/architecture.md, held against the code."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "pytest_llmmock"
MODULES = sorted(PACKAGE.rglob("*.py"))

PARTS = {
    "core": {"core", "errors"},
    "errors": set(),
    "files": set(),
    "later": set(),
    "dialects": {"core", "errors", "dialects"},
    "script": {"core", "errors", "script"},
    "cassettes": {"core", "errors", "files", "cassettes"},
    "upstreams": {"core", "errors", "files", "dialects", "upstreams"},
    "inbound": {"core", "errors", "inbound"},
    "declared": set(),
    "settings": {"core", "errors", "cassettes", "gate", "upstreams", "declared"},
    "asking": {"core", "errors", "cassettes", "upstreams", "settings"},
    "progress": {"core"},
    "faults": {"core", "errors"},
    "assertions": {"core", "errors", "script", "cassettes", "assertions"},
    "contract": {"core", "errors", "dialects"},
    "gate": {"core", "errors", "gate"},
    "control": {"core", "errors", "script", "faults", "cassettes", "gate", "deck", "control"},
    "verification": {"core", "errors", "cassettes", "verification"},
    "keeper": {"core", "errors", "files", "dialects", "cassettes", "settings"},
    "told": {"assertions", "cassettes", "core"},
    "deck": {
        *("core", "errors", "dialects", "script", "faults", "cassettes", "upstreams", "settings", "keeper"),
        *("asking", "assertions", "contract", "gate", "told"),
    },
    "mock": {
        *("core", "errors", "dialects", "script", "faults", "cassettes", "upstreams", "inbound", "settings", "deck"),
        *("assertions", "gate", "control"),
    },
    "standalone": {"core", "errors", "dialects", "cassettes", "settings", "deck", "gate", "control"},
    "ini": {"errors"},
    "workers": {"core", "dialects", "control", "inbound"},
    "wsgi": {"core", "dialects", "settings", "standalone", "inbound", "ini", "workers"},
    "hooks": {"mock"},
    "plugin": {"mock", "case", "hooks", "session", "reports", "errors", "alone", "beside", "recording"},
    "alone": {"beside"},
    "beside": set(),
    "recording": {"beside", "progress"},
    "case": {
        *(
            "core",
            "errors",
            "dialects",
            "cassettes",
            "contract",
            "settings",
            "inbound",
            "deck",
            "mock",
            "plugin",
            "naming",
        ),
        "recording",
    },
    "naming": {"core", "errors", "cassettes", "settings", "beside", "recording"},
    "usage": {"errors"},
    "session": {"errors", "cassettes", "naming", "usage"},
    "reports": {"core", "errors", "cassettes", "session", "beside", "page"},
    "page": set(),
    "__init__": {"mock", "script", "errors"},
    "__main__": {"cli"},
}
"""Part -> the parts of the package that it may import. `cli` may import anything."""

THIRD_PARTY = {
    "assertions/schemas.py": {"jsonschema", "referencing"},
    "core/codings.py": {"brotli", "brotlicffi", "backports", "compression"},
    "cassettes/foreign.py": {"yaml", "vcr"},
    "cassettes/foreign_yaml.py": {"yaml"},
    "cassettes/cassetter.py": {"yaml"},
    "cassettes/remote.py": {"fsspec"},
    "contract/schemas.py": {"jsonschema"},
    "control/faults.py": {"pydantic"},
    "dialects/pictures.py": {"PIL"},
    "inbound/listener.py": {"werkzeug"},
    "inbound/threads.py": {"anyio"},
    "script/conditions.py": {"respx", "httpx"},
    "script/aimock_replies.py": {"pydantic"},
    "script/checking.py": {"pydantic"},
    "script/documents.py": {"yaml"},
    "script/files.py": {"pydantic"},
    "script/mock_openai.py": {"pydantic"},
    "script/mock_openai_bodies.py": {"pydantic"},
    "script/templates.py": {"jinja2"},
    "upstreams/chatgpt.py": {"pydantic"},
    "cli/surroundings.py": {"openai", "httpx"},
    "upstreams/home.py": {"click"},
    "upstreams/http.py": {"httpx"},
    "upstreams/sign_in/account.py": {"pydantic"},
    "upstreams/sign_in/identity.py": {"joserfc", "pydantic"},
    "upstreams/sign_in/oauth.py": {"authlib", "pydantic"},
    "upstreams/sign_in/session.py": {"pydantic"},
    "upstreams/sign_in/store.py": {"pydantic"},
    "upstreams/sign_in/vault.py": {"keyring"},
    "upstreams/unpacking.py": {"httpx", "backports", "compression"},
    "declared.py": {"pydantic"},
    "plugin.py": {"pytest"},
    "alone.py": {"pytest"},
    "beside.py": {"pytest"},
    "recording.py": {"pytest"},
    "case.py": {"pytest"},
    "naming.py": {"pytest"},
    "session.py": {"pytest"},
    "reports.py": {"pytest"},
    "page.py": {"jinja2"},
    "hooks.py": {"pytest"},
}
"""Module -> the other packages that it may import; all of `cli` may import click."""


def part_of(module: Path) -> str:
    first = module.relative_to(PACKAGE).parts[0]
    return first.removesuffix(".py")


def imports(module: Path) -> Iterator[tuple[int, str]]:
    """Line and absolute name of everything a module imports, wherever it does."""
    package = ["pytest_llmmock", *module.relative_to(PACKAGE).parts[:-1]]
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            name = ".".join([*base, *([node.module] if node.module else [])])
            names = [f"{name}.{alias.name}" for alias in node.names] if name == "pytest_llmmock" else [name]
            yield from ((node.lineno, each) for each in names)


def at_import(module: Path) -> Iterator[str]:
    """What is imported when the module is, not later and not for types only."""
    for node in ast.parse(module.read_text()).body:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or "")


@pytest.mark.parametrize("module", MODULES, ids=lambda module: str(module.relative_to(PACKAGE)))
def test_a_module_imports_only_what_its_part_may(module):
    part = part_of(module)
    if part == "cli":
        return
    wrong = [
        f"{module.name}:{line} imports {name}"
        for line, name in imports(module)
        if name.startswith("pytest_llmmock.") and name.split(".")[1] not in {*PARTS[part], part}
        if name != "pytest_llmmock.__version__"
    ]
    assert not wrong


@pytest.mark.parametrize("module", MODULES, ids=lambda module: str(module.relative_to(PACKAGE)))
def test_a_module_imports_only_the_third_party_packages_that_serve_there(module):
    place = module.relative_to(PACKAGE).as_posix()
    allowed = {*({"click"} if part_of(module) == "cli" else ()), *THIRD_PARTY.get(place, ())}
    wrong = [
        f"{place}:{line} imports {name}"
        for line, name in imports(module)
        if (top := name.split(".")[0]) not in sys.stdlib_module_names and top != "pytest_llmmock" and top not in allowed
    ]
    assert not wrong


def test_the_rules_name_only_what_exists():
    assert not [place for place in THIRD_PARTY if not (PACKAGE / place).is_file()]


def test_no_two_modules_import_each_other():
    graph = {module: set(_local_imports(module)) for module in MODULES}
    pairs = [
        (str(one.relative_to(PACKAGE)), str(other.relative_to(PACKAGE)))
        for one, found in graph.items()
        for other in found
        if one in graph.get(other, ()) and one != other
    ]
    assert not pairs


def _local_imports(module: Path) -> Iterator[Path]:
    """The modules of the package that are loaded when this one is."""
    folder = module.parent
    for name in at_import(module):
        if name.startswith("."):
            level = len(name) - len(name.lstrip("."))
            base = folder
            for _ in range(level - 1):
                base = base.parent
            path = base.joinpath(*name.lstrip(".").split(".")) if name.strip(".") else base
            yield from (each for each in (path.with_suffix(".py"), path / "__init__.py") if each.is_file())


def test_a_run_that_uses_nothing_of_it_pays_for_pytest_and_the_standard_library_only(pytester):
    pytester.makepyfile(
        """
        import sys

        def test_nothing():
            pass

        def test_modules():
            names = {name.split(".")[0] for name in sys.modules}
            print("FOUND", sorted(name for name in sys.modules if name.startswith("pytest_llmmock")))
            print("TOPS", sorted(names))
        """
    )
    plugins = ["-p", "no:anyio", "-p", "no:respx", "-p", "no:hypothesispytest", "-p", "no:xdist"]
    off = _run(pytester, [*plugins, "-p", "no:llmmock"])
    on = _run(pytester, plugins)
    added = on["TOPS"] - off["TOPS"]
    assert added - sys.stdlib_module_names == {"pytest_llmmock"}
    names = ("", ".plugin", ".alone", ".beside", ".hooks", ".recording")
    assert on["FOUND"] == {f"pytest_llmmock{name}" for name in names}


def _run(pytester, arguments):
    alone = ["-s", "-q", "-c", "/dev/null", "--rootdir", str(pytester.path)]
    command = [sys.executable, "-m", "pytest", *alone, *arguments]
    output = subprocess.run(command, cwd=pytester.path, capture_output=True, text=True, check=True).stdout
    lines = (line.lstrip(".").partition(" ") for line in output.splitlines())
    return {head: set(ast.literal_eval(rest)) for head, _, rest in lines if head in ("FOUND", "TOPS")}


def test_the_documented_public_names_are_the_ones_there_are():
    import pytest_llmmock

    for name in pytest_llmmock.__all__:
        assert getattr(pytest_llmmock, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = pytest_llmmock.nonsense
