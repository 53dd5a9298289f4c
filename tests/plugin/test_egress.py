from __future__ import annotations

import pytest

STOPPED = "A connection to a model provider was stopped, because no way in took it."

SWALLOWED = """
import socket

def connect():
    try:
        socket.getaddrinfo("api.openai.com", 443, flags=socket.AI_NUMERICHOST)
    except OSError as error:
        return type(error).__name__
"""


@pytest.fixture
def app(project):
    """A project whose code connects to a provider with no client, and swallows what comes of it."""
    project.makepyfile(app=SWALLOWED)
    project.syspathinsert()
    return project


def run(project, *arguments):
    return project.runpytest_inprocess("-p", "no:cacheprovider", *arguments)


@pytest.mark.parametrize("fixture", ["llm_mock", "llm_server"])
def test_a_swallowed_connection_fails_the_test_at_its_end(app, fixture):
    app.makepyfile(
        f"""
        from app import connect

        def test_it({fixture}):
            for _ in range(3):
                assert connect() == "EgressError"
        """
    )
    result = run(app)
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(
        [f"*{STOPPED}", "  api.openai.com:443   by socket", "  asked for in *app.py:* (connect)"]
    )
    result.stdout.fnmatch_lines(
        ["llmmock: 0 replayed, 0 recorded, 0 unmatched · 1 connection to model providers stopped"]
    )
    assert result.stdout.str().partition("short test summary")[0].count(STOPPED) == 1  # CI shows it there in full too


def test_each_way_in_says_what_it_takes(app):
    app.makepyfile("from app import connect\ndef test_it(llm_mock, llm_server): connect()")
    result = run(app)
    result.stdout.fnmatch_lines(
        [
            "In process the requests of httpx, httpx2 *; this connection was made by other means.",
            "llm_server answers what is sent to http://127.0.0.1:*; this client goes elsewhere.",
        ]
    )


def test_a_test_that_fails_of_it_shows_it_in_a_section(app):
    app.makepyfile("from app import connect\ndef test_it(llm_mock): assert connect() is None")
    result = run(app)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*- llmmock -*", STOPPED])


def test_it_is_counted_in_the_report_of_the_test(app):
    app.makepyfile("from app import connect\ndef test_it(llm_mock): connect()")
    run(app, "--junitxml=report.xml")
    assert '<property name="llmmock_egress" value="1"' in (app.path / "report.xml").read_text()


@pytest.mark.parametrize("how", ["option", "ini", "environment", "setting", "host", "record"])
def test_it_can_be_allowed(app, monkeypatch, how):
    marks = {"setting": '(egress="allow")', "host": '(ignore_hosts=["api.openai.com"])'}
    app.makepyfile(
        f"""
        import pytest
        from app import connect

        @pytest.mark.llm_cassette{marks.get(how, "")}
        def test_it():
            assert connect() == "gaierror"
        """
    )
    if how == "ini":
        app.makeini("[pytest]\nllm_egress = allow")
    if how == "environment":
        monkeypatch.setenv("LLMMOCK_EGRESS", "allow")
    options = {"option": ["--llm-egress=allow"], "record": ["--llm-record"]}
    run(app, *options.get(how, [])).assert_outcomes(passed=1)


def test_a_host_of_the_settings_is_watched_and_loopback_is_not(app):
    app.makepyfile(
        """
        import socket
        import pytest

        @pytest.mark.llm_cassette(hosts=["models.corp.example", "127.*", "localhost"])
        def test_it():
            socket.getaddrinfo("127.0.0.1", 80)
            with pytest.raises(ConnectionError):
                socket.getaddrinfo("models.corp.example", 443, flags=socket.AI_NUMERICHOST)
        """
    )
    result = run(app)
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["  models.corp.example:443   by socket"])


def test_an_unknown_value_is_refused(app, monkeypatch):
    app.makepyfile("def test_it(llm_mock): pass")
    monkeypatch.setenv("LLMMOCK_EGRESS", "maybe")
    result = run(app)
    result.stdout.fnmatch_lines(["*egress='maybe' is not possible. *'guard' or 'allow'*"])


def test_a_test_without_our_fixtures_is_left_alone(app):
    app.makepyfile("from app import connect\ndef test_it(): assert connect() == 'gaierror'")
    run(app).assert_outcomes(passed=1)


def test_what_a_way_in_takes_is_a_miss_and_no_escape(app):
    app.makepyfile(
        """
        import json, urllib.error, urllib.request
        import pytest

        def test_it(llm_mock):
            with pytest.raises(urllib.error.HTTPError) as caught:
                urllib.request.urlopen("https://api.openai.com/v1/models")
            with caught.value as answer:
                assert json.load(answer)["error"]["code"] == "no_recording"
        """
    )
    result = run(app)
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*There are no recordings to answer this request from*", "  GET /v1/models*"])
    result.stdout.fnmatch_lines(["llmmock: 0 replayed, 0 recorded, 1 unmatched"])


LATE = """
    import socket, threading

    def test_it(llm_mock):
        pytest_is_over = threading.main_thread().join

        def ask():
            pytest_is_over()
            try:
                socket.getaddrinfo("api.openai.com", 443, flags=socket.AI_NUMERICHOST)
            except OSError as error:
                print("CAUGHT", type(error).__name__, flush=True)

        threading.Thread(target=ask).start()
"""


def test_a_thread_that_goes_on_behind_the_last_test_is_stopped_and_told(project):
    project.makepyfile(LATE)
    result = project.runpytest_subprocess("-s", "-p", "no:cacheprovider")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines("CAUGHT EgressError")
    result.stderr.fnmatch_lines([f"llmmock: {STOPPED}", "  api.openai.com:443 *", "The last test is over*"])


@pytest.mark.parametrize("how", [["--llm-record"], ["--llm-egress=allow"]])
def test_behind_a_run_that_records_or_allows_nobody_is_stopped(project, how):
    project.makepyfile(LATE)
    result = project.runpytest_subprocess("-s", "-p", "no:cacheprovider", *how)
    result.stdout.fnmatch_lines("CAUGHT gaierror")
    result.stderr.no_fnmatch_line("llmmock:*")
