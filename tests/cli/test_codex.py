"""`llmmock record` with a ChatGPT plan, and what it says of that."""

from __future__ import annotations

import openai
from chatgpt_backend import Backend, identifying


def test_a_server_records_and_says_once_what_it_left_out(llmmock, tmp_path):
    with Backend() as backend:
        path = backend.login(tmp_path / "codex", lasts=-1)
        llmmock.environment.pop("CI", None)
        llmmock.environment.update(backend.environ(tmp_path / "codex"))
        options = ["--reasoning-effort", "low", "--web-search", "--debug-model", "gpt-6-sol"]
        with llmmock.serving("record", "--cassette", "c.yaml", "--upstream", "codex", *options) as serving:
            client = openai.OpenAI(base_url=serving.url + "/v1", api_key="x", max_retries=0)
            for words in ("one", "two"):
                client.responses.create(model="any", input=words, instructions="x", temperature=0.1)
            client.close()
        assert "2 interactions recorded to c.yaml" in serving.out
        said = [line for line in serving.err.splitlines() if line]
        assert said == [
            "llmmock: codex does not take temperature: sent without",
            "llmmock: codex was asked for gpt-6-sol (debug_model)",
            "llmmock: recorded through codex with the ChatGPT plan (plus) of the login of the Codex CLI",
            "llmmock: stopped",
        ]
        assert [body["reasoning"] for body in backend.bodies] == [{"effort": "low"}] * 2
        text = (tmp_path / "c.yaml").read_text()
        assert not [secret for secret in identifying(backend, path) if secret in text]


def test_in_ci_it_does_not_even_start(llmmock, tmp_path):
    with Backend() as backend:
        backend.login(tmp_path / "codex")
        llmmock.environment.update({**backend.environ(tmp_path / "codex"), "CI": "1"})
        done = llmmock("record", "--cassette", "c.yaml", "--upstream", "codex", status=2)
    assert "it is not used in CI (CI is set)" in done.stderr
    assert backend.requests == []
