"""What a test with one recorded call takes, above an empty test, and a whole run of such tests: ours and the peers'.

Each contender is a pytest run of its own, with a cassette of its own for each test where it has cassettes. The figure
of a test is the processor time of setup, call and teardown, the median over the tests, less that of empty tests in the
same run; that of the run is all of its processor time. respx, pytest-httpx and openai-responses know httpx, and so
openai 2; their answers are written into the test. The floor is a transport whose answer is there before it is asked.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import openai
from harness import Absent, Contender, Options, Ratio, Sample, Table, main
from traffic import HEADERS, URL, answer, ask, plain, write_cassetter, write_ours, write_vcrpy

FLOOR, OURS, VCRPY, RECORDING, CASSETTER = "MockTransport", "ours", "vcrpy", "pytest-recording", "cassetter"
RESPX, PYTEST_HTTPX, RESPONSES = "respx", "pytest-httpx", "openai-responses"
TEST, EMPTY, RUN = "ms a test", "ms an empty test", "CPU s of the run"

PLUGINS = {
    OURS: "pytest_llmmock.plugin",
    RECORDING: "pytest_recording.plugin",
    CASSETTER: "cassetter.pytest_plugin",
    RESPX: "respx.plugin",
    PYTEST_HTTPX: "pytest_httpx",
    RESPONSES: "openai_responses.plugin",
}

OF_HTTPX = (RESPX, PYTEST_HTTPX, RESPONSES)

MAJOR = int(openai.__version__.partition(".")[0])
NEW = MAJOR >= 3
"""Whether openai's SDK asks with httpx2."""

EMPTY_TESTS = 20

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
import json

import {httpx}
import openai
import pytest

ASKED = {asked!r}
ANSWER = {answer!r}
READY = {{"status_code": 200, "headers": {headers!r}, "content": ANSWER}}

each_call = pytest.mark.parametrize("number", range({tests}))


@pytest.mark.parametrize("number", range({empty}))
def test_empty(number):
    pass


def client():
    return openai.OpenAI(api_key="none")


SHARED = {shared}


def use(made):
    assert made.chat.completions.create(**ASKED).choices[0].message.content


"""

FROM_ITS_CASSETTE = """\
@pytest.fixture(scope="module")
def vcr_cassette_dir():
    return "{folder}"


@pytest.fixture(scope="module")
def vcr_config():
    return {{"match_on": ["method", "uri", "body"], "record_mode": "none"}}


@pytest.mark.vcr
@each_call
def test_call(number):
    use(SHARED or client())
"""

PROGRAMS = {
    FLOOR: """\
def client():
    transport = {httpx}.MockTransport(lambda request: {httpx}.Response(**READY))
    return openai.OpenAI(api_key="none", http_client={httpx}.Client(transport=transport))


SHARED = SHARED and client()


@each_call
def test_call(number):
    use(SHARED or client())
""",
    OURS: """\
@each_call
def test_call(number, llm_mock):
    use(SHARED or client())
""",
    VCRPY: """\
import vcr

VCR = vcr.VCR(record_mode="none", match_on=("method", "uri", "body"))


@each_call
def test_call(number):
    with VCR.use_cassette(f"vcrpy/test_call[{{number}}].yaml"):
        use(SHARED or client())
""",
    RECORDING: FROM_ITS_CASSETTE.replace("{folder}", "vcrpy"),
    CASSETTER: FROM_ITS_CASSETTE.replace("{folder}", "cassetter"),
    RESPX: """\
@each_call
def test_call(number, respx_mock):
    respx_mock.post("{url}").mock(return_value=httpx.Response(**READY))
    use(SHARED or client())
""",
    PYTEST_HTTPX: """\
@each_call
def test_call(number, httpx_mock):
    httpx_mock.add_response(url="{url}", **READY)
    use(SHARED or client())
""",
    RESPONSES: """\
import openai_responses


@each_call
@openai_responses.mock()
def test_call(number, openai_mock):
    openai_mock.chat.completions.create.response = json.loads(ANSWER)
    use(SHARED or client())
""",
}


def tables(options: Options) -> Iterator[Table]:
    tests = 5 if options.quick else options.tests
    with TemporaryDirectory() as folder:
        for title, shared in (("a client of its own in each test", "None"), ("one client for all tests", "client()")):
            root = Path(folder, shared.strip("()"))
            write_cassettes(root, tests)
            (root / "conftest.py").write_text(CONFTEST)
            (root / "pytest.ini").write_text("[pytest]\nmarkers =\n    vcr: a cassette of a peer\n")
            yield Table(
                f"{tests} tests with one call of openai {MAJOR} each: {title}",
                [Contender(name, partial(turn, name, root, tests, shared)) for name in PROGRAMS],
                list(ratios(shares=shared != "None")),
                warm_up=False,
            )


def ratios(*, shares: bool) -> Iterator[Ratio]:
    yield Ratio(TEST, OURS, FLOOR, at_most=1.4 if shares else None)
    for peer in PROGRAMS:
        if peer not in (FLOOR, OURS):
            yield Ratio(TEST, peer, OURS, at_least=(1.8 if peer == RECORDING else None) if shares else 8)
    for peer in (RECORDING, CASSETTER):
        yield Ratio(RUN, peer, OURS, at_least=1)


def write_cassettes(root: Path, tests: int) -> None:
    ours, vcrpy, cassetter = root / "cassettes" / program(OURS).stem, root / "vcrpy", root / "cassetter"
    for folder in (ours, vcrpy, cassetter):
        folder.mkdir(parents=True)
    for number in range(tests):
        name = f"test_call[{number}].yaml"
        write_ours(ours / name, [plain(0)])
        write_vcrpy(vcrpy / name, [plain(0)])
        if is_here(CASSETTER):
            write_cassetter(cassetter / name, vcrpy / name)


def program(name: str) -> Path:
    return Path(f"test_{name.replace('-', '_').lower()}.py")


def is_here(name: str) -> bool:
    return importlib.util.find_spec(PLUGINS.get(name, "pytest").partition(".")[0]) is not None


def turn(name: str, root: Path, tests: int, shared: str) -> Sample:
    """A run of one contender's tests, with the plugin that they need and no other."""
    if name in OF_HTTPX and NEW:
        raise Absent("openai 2, as it knows httpx and not httpx2")
    if not is_here(name):
        raise Absent(name)
    values = {"tests": tests, "empty": EMPTY_TESTS, "shared": shared, "httpx": "httpx2" if NEW else "httpx"}
    values |= {"asked": ask(0), "answer": answer(0), "headers": HEADERS, "url": URL}
    (root / program(name)).write_text((COMMON + PROGRAMS[name]).format(**values))
    plugin = ["-p", PLUGINS[name]] if name in PLUGINS else []
    return run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *plugin, str(program(name))], root)


def run(command: list[str], root: Path) -> Sample:
    told = root / "told.json"
    environ = {**os.environ, "TOLD": str(told), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    before = _cpu_of_children()
    done = subprocess.run(command, cwd=root, env=environ, capture_output=True, text=True)
    used = _cpu_of_children() - before
    if done.returncode:
        raise RuntimeError(f"the tests failed: {done.stdout[-2000:]}")
    took = json.loads(told.read_text())
    return {TEST: max(took["call"] - took["empty"], 0.001), EMPTY: took["empty"], RUN: used}


def _cpu_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _more(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--tests", type=int, default=100, help="how many tests a run has (default: 100, quick: 5)")


if __name__ == "__main__":
    main(__doc__ or "", tables, rounds=3, more=_more)
