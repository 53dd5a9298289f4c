"""Names that other plugins have."""

from __future__ import annotations

import tomllib
from pathlib import Path

OTHERS = """
import pytest

def pytest_addoption(parser):
    group = parser.getgroup("others")
    group.addoption("--record-mode", default="none")
    group.addoption("--cassette-dir", default="elsewhere")
    group.addoption("--block-network", action="store_true")

def pytest_configure(config):
    for name in ("vcr", "llm_record", "llm_replay", "llm_mock"):
        config.addinivalue_line("markers", f"{name}: theirs")

@pytest.fixture
def vcr(): return "their vcr"

@pytest.fixture
def vcr_config(): return {"theirs": True}

@pytest.fixture
def cassette(): return "their cassette"
"""


def test_options_markers_and_fixtures_of_others_stay_theirs(project, standin):
    """Two plugins with one name for an option end the run at once; with one for a fixture, the later one wins."""
    project.makepyfile(others=OTHERS)
    project.makepyfile(
        test_app="""
        import pytest

        @pytest.mark.vcr
        @pytest.mark.llm_record
        @pytest.mark.llm_replay("theirs")
        @pytest.mark.llm_mock
        def test_it(llm_mock, ask, vcr, vcr_config, cassette, pytestconfig):
            assert ask("hello") == "hello #1"
            assert (vcr, vcr_config, cassette) == ("their vcr", {"theirs": True}, "their cassette")
            assert pytestconfig.getoption("--record-mode") == "all"
            assert pytestconfig.getoption("--cassette-dir") == "there"
        """
    )
    theirs = ["-p", "no:recording", "-p", "others", "--strict-markers", "--record-mode=all", "--cassette-dir=there"]
    project.syspathinsert()
    for ours in (["--llm-record"], []):
        result = project.runpytest_inprocess("-p", "no:cacheprovider", *theirs, *ours)
        result.assert_outcomes(passed=1)
    assert Path(project.path, "cassettes/test_app/test_it.yaml").exists()
    assert not Path(project.path, "there").exists()


def test_our_command_has_a_name_of_its_own():
    """`llmock`, `llm-mock`, `mockllm` and `mock-llm` are other programs already."""
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    assert list(project["scripts"]) == ["llmmock"]
