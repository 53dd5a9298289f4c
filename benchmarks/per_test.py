"""What a test with one recorded call takes, above an empty test: ours, vcrpy, pytest-recording, a ready transport.

Each contender is a pytest run of its own, with a cassette of its own for each test. The figure is the processor time of
setup, call and teardown, the median over the tests, less that of as many empty tests in the same run.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from harness import Contender, Options, Ratio, Sample, Table, main
from traffic import HEADERS, answer, ask, plain, write_ours, write_vcrpy

FLOOR, OURS, VCRPY, RECORDING = "MockTransport", "ours", "vcrpy", "pytest-recording"

CONFTEST = """\
import json
import os
import statistics
import time

import pytest

TOOK = {"empty": [], "call": []}


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item):
    start = time.process_time()
    try:
        return (yield)
    finally:
        TOOK["empty" if "empty" in item.name else "call"].append(time.process_time() - start)


def pytest_sessionfinish():
    medians = {name: statistics.median(took) * 1000 for name, took in TOOK.items()}
    with open(os.environ["TOLD"], "w") as told:
        json.dump(medians, told)
"""

COMMON = """\
import httpx2
import openai
import pytest

ASKED = {asked!r}


@pytest.mark.parametrize("number", range({tests}))
def test_empty(number):
    pass


def client():
    return openai.OpenAI(api_key="none")


SHARED = {shared}


def use(made):
    assert made.chat.completions.create(**ASKED).choices[0].message.content
"""

USED = "SHARED or client()"

PROGRAMS = {
    FLOOR: """
READY = {{"status_code": 200, "headers": {headers!r}, "content": {answer!r}}}


def client():
    transport = httpx2.MockTransport(lambda request: httpx2.Response(**READY))
    return openai.OpenAI(api_key="none", http_client=httpx2.Client(transport=transport))


SHARED = SHARED and client()


@pytest.mark.parametrize("number", range({tests}))
def test_call(number):
    use({used})
""",
    OURS: """
@pytest.mark.parametrize("number", range({tests}))
def test_call(number, llm_mock):
    use({used})
""",
    VCRPY: """
import vcr

VCR = vcr.VCR(record_mode="none", match_on=("method", "uri", "body"))


@pytest.mark.parametrize("number", range({tests}))
def test_call(number):
    with VCR.use_cassette(f"vcrpy/test_call[{{number}}].yaml"):
        use({used})
""",
    RECORDING: """
@pytest.fixture(scope="module")
def vcr_cassette_dir():
    return "vcrpy"


@pytest.fixture
def vcr_config():
    return {{"match_on": ["method", "uri", "body"], "record_mode": "none"}}


@pytest.mark.vcr
@pytest.mark.parametrize("number", range({tests}))
def test_call(number):
    use({used})
""",
}

PLUGINS = {OURS: ["-p", "pytest_llmmock.plugin"], RECORDING: ["-p", "pytest_recording.plugin"]}


def tables(options: Options) -> Iterator[Table]:
    tests = 5 if options.quick else 60
    with TemporaryDirectory() as folder:
        root = Path(folder)
        write_cassettes(root, tests)
        for title, shared in (("A client of its own in each test", "None"), ("A client for all tests", "client()")):
            names = write_programs(root / shared.strip("()"), tests, shared)
            contenders = [Contender(name, run(program)) for name, program in names.items()]
            yield Table(title, contenders, list(ratios(names, shares=shared != "None")))


def ratios(names: Mapping[str, Path], *, shares: bool) -> Iterator[Ratio]:
    yield Ratio("ms", OURS, FLOOR, at_most=1.4 if shares else None)
    for peer in (VCRPY, RECORDING):
        if peer in names:
            yield Ratio("ms", peer, OURS, at_least=1.8 if shares else 8)


def write_cassettes(root: Path, tests: int) -> None:
    for kind in ("None", "client"):
        for number in range(tests):
            name = f"test_call[{number}].yaml"
            ours = root / kind / "cassettes" / f"test_{kind.lower()}_{OURS}" / name
            theirs = root / kind / "vcrpy" / name
            for path in (ours, theirs):
                path.parent.mkdir(parents=True, exist_ok=True)
            write_ours(ours, [plain(0)])
            write_vcrpy(theirs, [plain(0)])


def write_programs(root: Path, tests: int, shared: str) -> dict[str, Path]:
    """A file of tests for each contender that is installed."""
    (root / "conftest.py").write_text(CONFTEST)
    (root / "pytest.ini").write_text("[pytest]\nmarkers =\n    vcr: pytest-recording\n")
    values = {"tests": tests, "shared": shared, "used": USED, "asked": ask(0)}
    values |= {"headers": HEADERS, "answer": answer(0)}
    programs = {}
    for name, source in PROGRAMS.items():
        if name == RECORDING and importlib.util.find_spec("pytest_recording") is None:
            continue
        programs[name] = root / f"test_{root.name.lower()}_{name.replace('-', '_')}.py"
        programs[name].write_text(COMMON.format(**values) + "\n" + source.format(**values))
    return programs


def run(program: Path) -> Callable[[], Sample]:
    """Runs the tests of a file, with the plugin that they need and no other."""
    name = next(name for name in PROGRAMS if program.stem.endswith(name.replace("-", "_")))
    told = program.with_suffix(".json")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *PLUGINS.get(name, []), program.name]
    environ = {**os.environ, "TOLD": str(told), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}

    def measure() -> Sample:
        done = subprocess.run(command, cwd=program.parent, env=environ, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"The tests of {program.name} failed:\n{done.stdout}{done.stderr}")
        took = json.loads(told.read_text())
        return {"ms": max(took["call"] - took["empty"], 0.001), "empty test, ms": took["empty"]}

    return measure


if __name__ == "__main__":
    main(__doc__ or "", tables, rounds=5)
