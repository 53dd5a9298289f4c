"""Plugins that mock HTTP themselves: the innermost mock is asked first, and every patch is taken out again."""

from __future__ import annotations

import pytest

OTHER = """
    import httpx, httpx2
    import pytest
    import respx

    HANDLERS = [
        (transport, name, getattr(transport, name))
        for transport, name in [
            (httpx.HTTPTransport, "handle_request"),
            (httpx.AsyncHTTPTransport, "handle_async_request"),
            (httpx2.HTTPTransport, "handle_request"),
            (httpx2.AsyncHTTPTransport, "handle_async_request"),
        ]
    ]

    def check_untouched():
        for transport, name, handler in HANDLERS:
            assert getattr(transport, name) is handler
"""

MODELS_AND_OTHERS = """
    @pytest.mark.parametrize("round", range(3))
    @pytest.mark.respx(assert_all_called=False)
    def test_both(round, {fixtures}, ask):
        respx_mock.get("https://weather.example/").respond(json={{"sun": True}})
        respx_mock.route(host="127.0.0.1", name="upstream").pass_through()
        assert ask("hello").startswith("hello")
        assert httpx.get("https://weather.example/").json() == {{"sun": True}}
        assert len(llm_mock.requests) == 1

    def test_afterwards():
        check_untouched()
"""


@pytest.mark.parametrize(
    "fixtures", ["llm_mock, respx_mock", "respx_mock, llm_mock", "monkeypatch, llm_mock, respx_mock"]
)
def test_respx_answers_other_hosts(run, pytester, standin, fixtures):
    pytester.makepyfile(test_app=OTHER + MODELS_AND_OTHERS.format(fixtures=fixtures))
    run("respx.plugin", "--llm-record")
    assert "llmmock: 3 replayed, 0 recorded, 0 unmatched · " in run("respx.plugin")
    assert len(standin.requests) == 3


HTTPX_MOCK = """
    @pytest.mark.parametrize("round", range(3))
    def test_both({fixtures}, round):
        httpx_mock.add_response(url="https://weather.example/", json={{"sun": True}})
        with httpx.Client() as client:
            assert client.get("https://weather.example/").json() == {{"sun": True}}
            answer = client.post("http://model.example/v1/chat/completions", json={{"model": "m"}})
        assert answer.status_code == 404 and "llmmock" in answer.text
        llm_mock.requests.last

    def test_afterwards():
        with httpx.Client() as client:
            pass
        check_untouched()
"""


def test_pytest_httpx_set_up_first_answers_what_is_not_for_a_model(run, pytester):
    pytester.makepyfile(test_app=OTHER + HTTPX_MOCK.format(fixtures="httpx_mock, llm_mock"))
    output = run("pytest_httpx", status=1)
    assert "4 passed, 3 errors" in output
    assert "llmmock: 0 replayed, 0 recorded, 3 unmatched\n" in output


INNERMOST = """
    @pytest.mark.parametrize("round", range(3))
    def test_innermost({fixtures}, round):
        httpx_mock.add_response(url="https://api.openai.com/v1/chat/completions", json={{"mine": True}})
        with httpx.Client() as client:
            assert client.post("https://api.openai.com/v1/chat/completions", json={{}}).json() == {{"mine": True}}
        assert len(llm_mock.requests) == 0

    def test_afterwards(llm_mock):
        with httpx.Client() as client:
            answer = client.post("https://api.openai.com/v1/chat/completions", json={{"model": "m"}})
            assert answer.status_code == 404
        assert len(llm_mock.requests) == 1

    def test_untouched():
        check_untouched()
"""


@pytest.mark.parametrize("fixtures", ["llm_mock, httpx_mock", "monkeypatch, llm_mock, httpx_mock"])
def test_pytest_httpx_set_up_last_answers_all_and_leaves_nothing_behind(run, pytester, fixtures):
    pytester.makepyfile(test_app=OTHER + INNERMOST.format(fixtures=fixtures))
    assert "5 passed, 1 error" in run("pytest_httpx", status=1)


def test_the_vcr_marker_and_record_mode_stay_pytest_recordings(run, pytester, standin):
    pytester.makepyfile(
        test_app="""
        import pytest

        @pytest.mark.vcr
        def test_both(llm_mock, ask):
            assert ask("hello").startswith("hello")
            assert len(llm_mock.requests) == 1

        @pytest.mark.vcr
        def test_theirs(ask):
            assert ask("theirs").startswith("theirs")
        """
    )
    output = run("pytest_recording.plugin", "--llm-record", "--record-mode=once")
    assert "llmmock: 0 replayed, 1 recorded, 0 unmatched\n" in output
    assert (pytester.path / "cassettes/test_app/test_theirs.yaml").exists()
    assert "llmmock: 1 replayed, 0 recorded, 0 unmatched · " in run("pytest_recording.plugin")
    assert len(standin.requests) == 2


def test_in_process_nothing_needs_a_socket_and_the_server_needs_loopback_only(run, pytester):
    pytester.makepyfile(
        test_app="""
        from openai import OpenAI

        def test_in_process(llm_mock, ask):
            assert ask("hello").startswith("hello")

        def test_over_http(llm_server):
            with OpenAI() as client:
                messages = [{"role": "user", "content": "hello"}]
                assert client.chat.completions.create(model="m", messages=messages)
        """,
        conftest=(pytester.path / "conftest.py").read_text() + "\n",
    )
    run("", "--llm-record", "--llm-upstream=original", "-k", "in_process")
    assert "1 passed" in run("pytest_socket", "--disable-socket", "-k", "in_process")
    blocked = run("pytest_socket", "--disable-socket", "-k", "over_http", status=1)
    assert "SocketBlockedError" in blocked
    missed = run("pytest_socket", "--allow-hosts=127.0.0.1", "-k", "over_http", status=1)
    assert "There are no recordings to answer this request from" in missed


def test_pytest_mockllm_itself(run, pytester, standin):
    pytester.makepyfile(
        test_app="""
        import pytest

        def test_ours(llm_mock, ask):
            assert ask("hello").startswith("hello")

        def test_theirs(mock_openai, ask):
            mock_openai.add_response("from theirs")
            assert ask("hello") == "from theirs"
        """
    )
    for plugins in ("pytest_mockllm.plugin", "pytest_llmmock.plugin pytest_mockllm.plugin"):
        output = run(plugins, "--llm-record")
        assert "llmmock: another plugin (mockllm) has --llm-cassette-dir and --llm-record too; both hear it" in output
        assert "2 passed" in output
    assert len(standin.requests) == 1
