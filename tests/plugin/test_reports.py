from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest

from pytest_llmmock.core.model import Frame, Reply


def run(project, *arguments):
    return project.runpytest_inprocess("-p", "no:cacheprovider", *arguments)


@pytest.fixture
def recorded(project, standin):
    project.makepyfile(
        test_app="""
        def test_it(llm_mock, ask): [ask(each) for each in ("one", "two")]
        def test_other(llm_mock, ask): ask("other")
        """
    )
    run(project, "--llm-record").assert_outcomes(passed=2)
    project.makepyfile(
        test_app="""
        def test_it(llm_mock, ask): ask("one")
        def test_other(llm_mock, ask): ask("a ``` | <b>nother</b>")
        """
    )
    return project


@pytest.mark.parametrize("workers", [[], ["-n", "2"]])
def test_the_table_tells_of_each_cassette(recorded, workers):
    result = run(recorded, "-v", *workers)
    result.stdout.fnmatch_lines(
        [
            "llmmock: 1 replayed, 0 recorded, 1 unmatched · 7 tokens replayed · cassettes: 1 unused interaction",
            "CASSETTE                            TESTS  REPLAYED  RECORDED  UNMATCHED  UNUSED  TOKENS",
            "cassettes/test_app/test_other.yaml      1         0         0          1       0       0",
            "cassettes/test_app/test_it.yaml         1         1         0          0       1       7",
            "not used: cassettes/test_app/test_it.yaml  [#]2",
        ],
        consecutive=True,
    )


def test_the_report_for_programs(recorded):
    run(recorded, "--llm-report=out/report.json")
    report = json.loads(Path(recorded.path, "out/report.json").read_text())
    assert report["totals"] | {"replayed": 1, "unmatched": 1, "tokens": 7} == report["totals"]
    assert report["whole_run"] is True
    (other, own) = report["cassettes"]
    assert own | {"path": "cassettes/test_app/test_it.yaml", "unused_numbers": [2], "tests": 1, "replayed": 1} == own
    assert other["unmatched"] == 1
    tests = {test["test"]: test for test in report["tests"]}
    assert tests["test_app.py::test_it"]["models"] == ["m"]
    assert "No recording matches" in tests["test_app.py::test_other"]["trouble"]


def test_the_report_for_a_pull_request(recorded, monkeypatch):
    summary = Path(recorded.path, "summary.md")
    summary.write_text("# Before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    run(recorded, "--llm-report=report.md")
    text = Path(recorded.path, "report.md").read_text()
    assert text.startswith("### llmmock: 1 replayed, 0 recorded, 1 unmatched · 7 tokens replayed")
    assert "| `cassettes/test_app/test_it.yaml` | 1 | 1 | 0 | 0 | 1 | 7 |" in text
    assert "<summary><code>test_app.py::test_other</code></summary>\n\n````text\n" in text  # longer than what is inside
    assert summary.read_text() == "# Before\n" + text


class Page(HTMLParser):
    """What a browser would show of a page, and fetch for it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.cells: list[str] = []
        self.fetched: list[str] = []
        self.words = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.fetched += [str(value) for name, value in attrs if name in ("src", "href", "action")]
        if tag not in ("meta",):
            self.open.append(tag)
        if tag == "td":
            self.cells.append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data
        if "td" in self.open:
            self.cells[-1] += data


@pytest.mark.parametrize("workers", [[], ["-n", "2"]])
def test_the_report_for_a_browser(recorded, workers):
    run(recorded, "--llm-report=out/report.html", *workers)
    page = Page(Path(recorded.path, "out/report.html").read_text("utf-8"))
    assert page.open == []
    assert page.fetched == []
    assert "llmmock: 1 replayed, 0 recorded, 1 unmatched · 7 tokens replayed" in page.words
    assert "a ``` | <b>nother</b>" in page.words, "shown, and not made bold"
    own = page.cells.index("cassettes/test_app/test_it.yaml")
    assert page.cells[own : own + 7] == ["cassettes/test_app/test_it.yaml", "1", "1", "0", "0", "1", "7"]
    test = page.cells.index("test_app.py::test_it")
    assert page.cells[test : test + 5] == ["test_app.py::test_it", "yes", "m", "none", "1"]
    assert "cassettes/test_app/test_it.yaml: #2" in page.words


def test_the_page_of_a_run_in_which_nothing_was_asked(project):
    project.makepyfile("def test_it(llm_mock): pass")
    run(project, "--llm-report=report.html").assert_outcomes(passed=1)
    assert (
        "test_the_page_of_a_run_in_which_nothing_was_asked.py::test_it"
        in Page((project.path / "report.html").read_text()).cells
    )


@pytest.mark.parametrize("arguments", [[], ["-n", "2"]])
def test_nothing_is_told_of_a_run_without_our_fixtures(project, monkeypatch, arguments):
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(project.path / "summary.md"))
    project.makepyfile("def test_it(): pass")
    result = run(project, "-v", "--llm-report=report.md", *arguments)
    assert "llmmock:" not in result.stdout.str()
    assert not Path(project.path, "summary.md").exists()


def test_a_report_that_nobody_can_write_is_refused_at_once(project):
    project.makepyfile("def test_it(): pass")
    result = run(project, "--llm-report=report.xls")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines("ERROR: --llm-report=report.xls: a report is written as .html, .json or .md*")


def test_a_report_that_cannot_be_written_is_told(recorded):
    Path(recorded.path, "out").write_text("a file where a folder is needed")
    result = run(recorded, "--llm-report=out/report.md")
    result.stdout.fnmatch_lines("llmmock: The report *out/report.md cannot be written: *")


def test_junit_tells_of_each_test(recorded):
    run(recorded, "--junitxml=junit.xml")
    cases = ElementTree.parse(recorded.path / "junit.xml").iter("testcase")
    properties = {
        case.get("name"): {each.get("name"): each.get("value") for each in case.iter("property")} for case in cases
    }
    assert properties["test_it"] == {
        "llmmock_replayed": "1",
        "llmmock_recorded": "0",
        "llmmock_unmatched": "0",
        "llmmock_tokens": "7",
    }
    assert properties["test_other"]["llmmock_unmatched"] == "1"


@pytest.mark.parametrize("name", ["report.json", "report.html"])
@pytest.mark.parametrize("words", ["html", "not json"])
def test_no_report_tells_a_key_that_an_upstream_says_back(project, standin, monkeypatch, words, name):
    key = "zzTopSecretKeyValue0123456789"
    body = (f"<html>Bad key {key}</html>" if words == "html" else "{oops " + "x" * 190 + key).encode()
    kind = "text/html" if words == "html" else "application/json"
    monkeypatch.setattr(standin, "chat", lambda asked: Reply(200, (("content-type", kind),), [Frame(body)]))
    monkeypatch.setenv("STANDIN_KEY", key)
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(project.path / "summary.md"))
    project.makepyfile(test_app=f"def test_it(llm_mock, ask):\n    try: ask({words!r})\n    except Exception: pass")
    result = run(project, "--llm-record", f"--llm-report={name}", "--junitxml=junit.xml")
    assert "The upstream answered" in result.stdout.str()
    written = [path.read_text() for name in ("summary.md", name, "junit.xml") for path in [project.path / name]]
    assert not [text for text in [result.stdout.str(), *written] if key[:12] in text]


@pytest.mark.parametrize("workers", [[], ["-n", "2"]])
def test_replies_by_hand_are_counted_and_errors_on_purpose_are_not(project, standin, monkeypatch, workers):
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(project.path / "summary.md"))
    project.makepyfile(
        test_app="""
        import pytest

        def test_it(llm_mock, ask):
            llm_mock.when(contains="one").reply("by hand").error(503)
            assert ask("one") == "by hand"
            with pytest.raises(Exception, match="503"):
                ask("one")

        def test_other(llm_mock, ask):
            llm_mock.reply("by hand")
            llm_mock.faults.rate_limit()
            with pytest.raises(Exception, match="429"):
                ask("two")
            ask("two")
        """
    )
    result = run(project, "--llm-report=report.json", "--junitxml=junit.xml", *workers)
    result.stdout.fnmatch_lines("llmmock: 0 replayed, 0 recorded, 0 unmatched · 3 scripted")
    report = json.loads(Path(project.path, "report.json").read_text())
    assert report["totals"]["scripted"] == 3
    assert {test["test"]: test["counts"]["scripted"] for test in report["tests"]} == {
        "test_app.py::test_it": 2,
        "test_app.py::test_other": 1,
    }
    assert "unmatched · 3 scripted\n" in Path(project.path, "summary.md").read_text()
    assert 'name="llmmock_scripted" value="2"' in Path(project.path, "junit.xml").read_text()


HALVES = r"""
import httpx

def test_it(llm_mock):
    body = b'{"model": "a\\ud800", "messages": [{"role": "user", "content": "b\\udfff"}]}'
    with httpx.Client() as client:
        client.post("https://api.openai.com/v1/chat/completions", content=body)
"""


@pytest.mark.parametrize("workers", [[], ["-n", "1"]])
@pytest.mark.parametrize("name", ["report.json", "report.md", "report.html"])
def test_halves_of_characters_in_a_request_are_told_as_their_escapes(project, workers, name):
    """JSON may hold them, and neither a file nor what xdist's workers are told through."""
    project.makepyfile(test_app=HALVES)
    run(project, f"--llm-report={name}", *workers).assert_outcomes(passed=1, errors=1)
    report = (project.path / name).read_text("utf-8")
    assert "udfff" in report or name == "report.md"
    assert "ud800" in report or name == "report.md"
