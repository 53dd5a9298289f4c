from __future__ import annotations

from pathlib import Path

import pytest


def run(project, *arguments):
    return project.runpytest_inprocess("-p", "no:cacheprovider", *arguments)


def cassettes(project, folder="cassettes"):
    root = Path(project.path, folder)
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*.yaml"))


def test_cassettes_are_named_after_file_class_and_test(project, standin):
    Path(project.path, "tests/deep").mkdir(parents=True)
    Path(project.path, "tests/deep/test_agent.py").write_text(
        "def test_plain(llm_mock, ask): ask('a')\n"
        "class TestPlan:\n"
        "    def test_in_class(self, llm_mock, ask): ask('b')\n"
        "    class TestInner:\n"
        "        def test_deep(self, llm_mock, ask): ask('c')\n"
    )
    run(project, "--llm-record").assert_outcomes(passed=3)
    assert cassettes(project) == [
        "tests/deep/test_agent/TestPlan.TestInner.test_deep.yaml",
        "tests/deep/test_agent/TestPlan.test_in_class.yaml",
        "tests/deep/test_agent/test_plain.yaml",
    ]


def test_parameters_with_odd_characters_and_ids_that_look_alike_get_files_of_their_own(project, standin):
    project.makepyfile(
        test_app="""
        import pytest

        IDS = ["gpt-5", "a/b", "a:b", "a b", "../../etc", "é", "x" * 300, "x" * 301, "", "a::b", "con", "nul\\0"]

        @pytest.mark.parametrize("number", range(len(IDS)), ids=IDS)
        def test_it(number, llm_mock, ask):
            assert ask(f"number {number}").startswith(f"number {number} ")
        """
    )
    run(project, "--llm-record").assert_outcomes(passed=12)
    names = cassettes(project)
    assert len({name.lower() for name in names}) == 12
    assert "test_app/test_it[gpt-5].yaml" in names
    assert all(name.startswith("test_app/test_it") and len(name) < 200 for name in names)
    run(project).assert_outcomes(passed=12)
    assert len(standin.requests) == 12


def test_a_key_among_the_parameters_is_no_part_of_a_name_or_a_report(project, standin, monkeypatch):
    keys = ["sk-proj-" + "aB3dE5gH7j" * 5, "sk-proj-" + "bB3dE5gH7j" * 5, "a1b2c3d4e5f6"]
    monkeypatch.setenv("OTHER_API_KEY", keys[2])
    project.makepyfile(
        test_app=f"""
        import pytest

        @pytest.mark.parametrize("key", {keys})
        def test_it(key, llm_mock, ask):
            assert ask("hello")
        """
    )
    run(project, "--llm-record").assert_outcomes(passed=3)
    names = cassettes(project)
    assert len(names) == 3
    assert all(name.startswith("test_app/test_it[redacted-secret-") for name in names)
    run(project, "--llm-report=report.json").assert_outcomes(passed=3)
    assert cassettes(project) == names
    report = Path(project.path, "report.json").read_text()
    assert "test_app.py::test_it[redacted-secret-" in report
    assert not [key for key in keys if key in report]
    assert len(standin.requests) == 3


def test_the_marker_alone_acts_like_the_fixture(project, standin):
    project.makepyfile(
        test_app="""
        import pytest
        pytestmark = pytest.mark.llm_cassette

        def test_it(ask): ask('a')

        @pytest.mark.llm_cassette("by-name")
        class TestNamed:
            def test_class(self, ask): ask('b')

            @pytest.mark.llm_cassette(name="deep/er")
            def test_own(self, ask): ask('c')
        """
    )
    run(project, "--llm-record").assert_outcomes(passed=3)
    assert cassettes(project) == ["by-name.yaml", "deep/er.yaml", "test_app/test_it.yaml"]


def test_the_marker_of_one_parameter_leaves_the_others_alone(project):
    project.makepyfile(
        test_app="""
        import pytest

        marked = pytest.mark.llm_cassette

        @pytest.mark.parametrize("x", [pytest.param(1, marks=marked), 2, pytest.param(3, marks=marked("named"))])
        def test_it(x, request):
            assert ("llm_mock" in request.fixturenames) == (x != 2)
            assert ("llm_mock" in request.node.funcargs) == (x != 2)
        """
    )
    run(project).assert_outcomes(passed=3)


def test_the_marker_wins_over_the_command_line_and_that_over_environment_and_ini(project, standin, monkeypatch):
    project.makeini("[pytest]\nllm_cassette_dir = from-ini\n")
    project.makepyfile(
        test_app="""
        import pytest

        def test_it(llm_mock, ask): ask('a')

        @pytest.mark.llm_cassette(mode="none")
        def test_never(llm_mock): pass
        """
    )
    run(project, "--llm-record").assert_outcomes(passed=2)
    assert cassettes(project, "from-ini") == ["test_app/test_it.yaml"]
    monkeypatch.setenv("LLMMOCK_CASSETTE_DIR", "from-environment")
    monkeypatch.setenv("LLMMOCK_RECORD", "all")
    run(project).assert_outcomes(passed=2)
    assert cassettes(project, "from-environment") == ["test_app/test_it.yaml"]
    run(project, "--llm-cassette-dir=from-option").assert_outcomes(passed=2)
    assert cassettes(project, "from-option") == ["test_app/test_it.yaml"]


def test_llm_config_gives_settings_to_a_whole_module(project, standin):
    project.makepyfile(
        test_app="""
        import itertools, pytest

        numbers = itertools.count()

        @pytest.fixture(scope="module")
        def llm_config():
            return {"ignore": ["user", "metadata.*"]}

        def test_it(llm_mock, ask):
            import uuid
            ask("hello", user=str(uuid.uuid4()), metadata={"trace": str(uuid.uuid4())})
        """
    )
    run(project, "--llm-record").assert_outcomes(passed=1)
    run(project).assert_outcomes(passed=1)


def test_normalisers_take_out_of_a_text_what_changes_on_every_run(project, standin):
    project.makepyfile(
        test_app="""
        import re, time, uuid
        import pytest

        def without_user(body):
            body.pop("user", None)
            return body

        @pytest.mark.llm_cassette(normalisers=["uuid", "timestamp", "tmp_path", re.compile(r"run \\d+"), without_user])
        def test_it(llm_mock, ask, tmp_path):
            words = f"run {time.monotonic_ns()}: {uuid.uuid4()} at {time.time()} in {tmp_path}/notes"
            assert ask(words, user=str(uuid.uuid4())).endswith("#1")

        @pytest.mark.llm_cassette("test_app/test_it", normalisers=["uuid", "timestamp", "tmp_path", "re:run [0-9]+"])
        def test_words_count(llm_mock, ask, tmp_path):
            ask(f"run {time.monotonic_ns()}: {uuid.uuid4()} at {time.time()} in {tmp_path}/tasks")
        """
    )
    run(project, "--llm-record", "-k", "test_it").assert_outcomes(passed=1, deselected=1)
    result = run(project)
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*<tmp_path>/*notes*", "*<tmp_path>/*tasks*"])


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"normalisers": ["uid"]}, "normalisers has 'uid', which is not a normaliser. Known are: uuid, timestamp,"),
        ({"normalisers": [3]}, "normalisers.0"),
        ({"match_on": []}, "match_on is empty: any request would do."),
        ({"matchon": ["body"]}, "llm_config: there is no setting 'matchon'. Did you mean 'match_on'?"),
        ({"mode": "sometimes"}, "llm_config: mode='sometimes' is not possible."),
        ({"match_on": ["mood"]}, "match_on has 'mood', which is not a matcher."),
        ({"ignore": ["a..b"]}, "is not a path such as"),
        ({"mode": "all", "upstream": "nowhere"}, "There is no upstream 'nowhere'."),
    ],
)
def test_a_wrong_setting_is_one_readable_error(project, settings, told):
    project.makepyfile(
        test_app=f"""
        import pytest

        @pytest.fixture
        def llm_config():
            return {settings!r}

        def test_it(llm_mock): pass
        """
    )
    result = run(project)
    result.assert_outcomes(errors=1)
    assert told in result.stdout.str()
    assert "Traceback" not in result.stdout.str()


@pytest.mark.parametrize("style", ["auto", "short", "long", "native"])
@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ("ignore=['a..b']", "is not a path such as"),
        ("mode='sometimes'", "mode='sometimes' is not possible"),
        ("colour='red'", "colour"),
        ("name='../outside'", "leads out of the cassette folder"),
    ],
)
def test_what_is_wrong_with_a_marker_is_told_once(project, arguments, told, style):
    project.makepyfile(
        test_app=f"import pytest\n@pytest.mark.llm_cassette({arguments})\ndef test_it(llm_mock): pass",
    )
    output = run(project, f"--tb={style}", "-rN").stdout.str()
    assert output.count(told) == 1
    assert "another exception" not in output


@pytest.mark.parametrize("name", ["../outside", "/etc/passwd"])
def test_a_name_that_leads_out_of_the_cassette_folder_is_refused(project, name):
    project.makepyfile(
        test_app=f"import pytest\n@pytest.mark.llm_cassette({name!r})\ndef test_it(llm_mock): pass",
    )
    result = run(project)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines("*leads out of the cassette folder*")


def test_the_record_option_does_not_swallow_the_path_behind_it(project, standin):
    project.makepyfile(test_app="def test_it(llm_mock, ask): ask('a')", test_other="def test_other(): pass")
    result = run(project, "--llm-record", "test_app.py")
    result.assert_outcomes(passed=1)
    assert cassettes(project) == ["test_app/test_it.yaml"]


def test_an_unknown_mode_is_refused_with_the_known_ones(project):
    result = run(project, "--llm-record=sometimes")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        "ERROR: --llm-record=sometimes: there is no such mode. Modes are: none, once, new_episodes, changed, all."
    )


def test_the_server_needs_an_upstream_only_when_there_is_something_to_record(project, standin):
    project.makepyfile(
        test_app="""
        from openai import OpenAI
        def test_it(llm_server):
            with OpenAI() as client:
                client.models.list()
        def test_nothing(llm_server): pass
        """
    )
    result = run(project, "--llm-record")
    result.assert_outcomes(failed=1, passed=1)
    result.stdout.fnmatch_lines("*An upstream is needed, and none was chosen.*")
    run(project, "--llm-record", f"--llm-upstream={standin.base_url}").assert_outcomes(passed=2)
    run(project, "--llm-record").assert_outcomes(passed=2)
    assert len(standin.requests) == 1


def test_the_server_tells_clients_by_the_environment_and_puts_it_back(project, monkeypatch):
    monkeypatch.setenv("OPENAI_BASE_URL", "http://before.example/v1")
    monkeypatch.delenv("OLLAMA_HOST", raising=False)
    project.makepyfile(
        test_app="""
        import os

        def test_inside(llm_server):
            assert os.environ["OPENAI_BASE_URL"] == llm_server.base_url == llm_server.url + "/v1"
            assert os.environ["OLLAMA_HOST"] == os.environ["ANTHROPIC_BASE_URL"] == llm_server.url
            assert os.environ["OPENAI_API_KEY"]
            assert llm_server.env["OPENAI_BASE_URL"] == llm_server.base_url
            assert "127.0.0.1" in os.environ["NO_PROXY"]

        def test_after():
            assert os.environ["OPENAI_BASE_URL"] == "http://before.example/v1"
            assert "OLLAMA_HOST" not in os.environ
            assert "OPENAI_API_KEY" not in os.environ
        """
    )
    run(project).assert_outcomes(passed=2)


def test_a_late_request_of_an_earlier_test_is_told_so(project):
    project.makepyfile(
        test_app="""
        import httpx2

        late = []

        def test_first(llm_server):
            late.append(llm_server.base_url)

        def test_second(llm_server):
            answer = httpx2.get(late[0] + "/models")
            assert answer.status_code == 410
            assert "over" in answer.json()["error"]["message"]
            assert len(llm_server.requests) == 0
        """
    )
    run(project).assert_outcomes(passed=2)


def test_both_fixtures_in_one_test_share_one_cassette_and_one_journal(project, standin):
    project.makepyfile(
        test_app="""
        from openai import OpenAI

        def test_it(llm_mock, llm_server, ask):
            ask("in process")
            with OpenAI() as client:
                client.chat.completions.create(model="m", messages=[{"role": "user", "content": "over http"}])
            assert len(llm_mock.requests) == len(llm_server.requests) == 2
        """
    )
    run(project, "--llm-record", f"--llm-upstream={standin.base_url}").assert_outcomes(passed=1)
    run(project).assert_outcomes(passed=1)
    assert len(standin.requests) == 2


def test_the_hook_sees_what_the_test_holds(project):
    project.makeconftest(
        """
        def pytest_llmmock_configure(config, mock):
            mock.env["seen"] = type(mock).__name__
        """
    )
    project.makepyfile(
        test_app="""
        def test_mock(llm_mock): assert llm_mock.env["seen"] == "LLMMock"
        def test_server(llm_server): assert llm_server.env["seen"] == "LLMServer"
        """
    )
    run(project).assert_outcomes(passed=2)
