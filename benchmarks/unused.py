"""What a plugin adds to a run of pytest that uses none of it: ours, and those of peers that are installed.

Its import, in a process that has pytest already, with the modules of others that it brings; and the processor time of
a whole run with one empty test, over that without it. pytest rewrites every module of a plugin's distribution and
keeps what it made of them: so that is measured with byte code, and without, as in a fresh checkout or container.
Each plugin is a copy of its distribution, and all others that pytest would load are kept out.
"""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib.metadata import Distribution, EntryPoint, PackageNotFoundError, distribution, distributions
from pathlib import Path
from tempfile import TemporaryDirectory

from harness import Absent, Contender, Options, Ratio, Sample, Table, main

import pytest_llmmock

BARE, OURS = "bare pytest", "pytest-llmmock"
PEERS = ("pytest-recording", "pytest-httpx", "respx", "openai-responses")
IMPORT, OTHERS, CPU = "ms to import", "modules of others", "CPU ms of the run"

IMPORTING = """
import sys, time
import pytest, _pytest.config
before = set(sys.modules)
began = time.process_time()
import {module}
took = time.process_time() - began
roots = {{name.partition(".")[0] for name in set(sys.modules) - before}}
print(took * 1000, len(roots - sys.stdlib_module_names - {{"{module}".partition(".")[0]}}))
"""


def tables(options: Options) -> Iterator[Table]:
    plugins = [Plugin(OURS, our_files), *(Plugin(peer, partial(their_files, peer)) for peer in PEERS)]
    with TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "test_empty.py").write_text("def test_nothing():\n    pass\n")
        yield imports(plugins, root / "imported")
        yield runs(plugins, root, cached=True, warm_up=not options.quick)
        yield runs(plugins, root, cached=False, warm_up=not options.quick)


@dataclass(frozen=True)
class Plugin:
    """A plugin that is in use by being installed."""

    name: str
    copy: Callable[[Path], None]
    """Copies its distribution, without byte code. Raises `Absent`."""

    def installed(self, root: Path) -> Path:
        """A folder that holds its distribution and nothing else."""
        site = root / self.name
        if not site.exists():
            self.copy(site)
        return site


def imports(plugins: list[Plugin], root: Path) -> Table:
    def turn(plugin: Plugin) -> Sample:
        site = plugin.installed(root)
        module = plugins_of(distributions(path=[str(site)]))[0].value
        took, others = output(["-c", IMPORTING.format(module=module)], site).split()
        return {IMPORT: float(took), OTHERS: float(others)}

    return Table(
        "A plugin that is not used: its import",
        [Contender(plugin.name, partial(turn, plugin)) for plugin in plugins],
        [
            Ratio(IMPORT, OURS, at_most=2),
            Ratio(OTHERS, OURS, at_most=0),
            *(Ratio(IMPORT, peer, OURS) for peer in PEERS),
        ],
    )


def runs(plugins: list[Plugin], root: Path, *, cached: bool, warm_up: bool) -> Table:
    sites = root / f"cached{cached}"

    def turn(plugin: Plugin) -> Sample:
        site = plugin.installed(sites)
        loaded = {each.name for each in plugins_of(distributions(path=[str(site)]))}
        return run(root, site, cached=cached, loaded=loaded)

    return Table(
        f"A plugin that is not used: the whole run, {'byte code cached' if cached else 'no byte code'}",
        [
            Contender(BARE, lambda: run(root, root / "none", cached=cached, loaded=set())),
            *(Contender(plugin.name, partial(turn, plugin)) for plugin in plugins),
        ],
        [
            Ratio(CPU, OURS, BARE, at_most=1.04),
            *(Ratio(CPU, peer, BARE) for peer in PEERS),
        ],
        warm_up=warm_up,
    )


def run(root: Path, site: Path, *, cached: bool, loaded: set[str]) -> Sample:
    """A run with one plugin, or with none; pytest's own are in each."""
    others = {each.name for each in plugins_of(distributions())} - loaded
    kept_out = [option for name in sorted(others) for option in ("-p", f"no:{name}")]
    before = _cpu_of_children()
    output(
        ["-m", "pytest", "-q", "-p", "no:cacheprovider", *kept_out, str(root / "test_empty.py")], site, cached=cached
    )
    return {CPU: (_cpu_of_children() - before) * 1000}


def output(command: list[str], site: Path, *, cached: bool = True) -> str:
    environ = {**os.environ, "PYTHONPATH": str(site), "PYTHONDONTWRITEBYTECODE": "" if cached else "1"}
    done = subprocess.run([sys.executable, *command], env=environ, cwd=site.parent, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stdout + done.stderr)
    return done.stdout


def _cpu_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


# --- distributions --------------------------------------------------------------------------------------


def plugins_of(found: Iterable[Distribution]) -> list[EntryPoint]:
    return [point for each in found for point in each.entry_points if point.group == "pytest11"]


def our_files(site: Path) -> None:
    """This checkout as it is installed."""
    package = Path(pytest_llmmock.__file__).parent
    shutil.copytree(package, site / package.name, ignore=shutil.ignore_patterns("__pycache__"))
    info = site / "pytest_llmmock-0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: pytest-llmmock\nVersion: 0\n")
    (info / "entry_points.txt").write_text("[pytest11]\nllmmock = pytest_llmmock.plugin\n")
    files = (path.relative_to(site) for path in site.rglob("*") if path.is_file())
    (info / "RECORD").write_text("".join(f"{path.as_posix()},,\n" for path in files))


def their_files(name: str, site: Path) -> None:
    for path in _distribution(name).files or ():
        if ".." not in path.parts and "__pycache__" not in path.parts:
            target = site / path
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(str(path.locate()), target)


def _distribution(name: str) -> Distribution:
    try:
        return distribution(name)
    except PackageNotFoundError:
        raise Absent(name) from None


if __name__ == "__main__":
    main(__doc__ or "", tables, rounds=9)
