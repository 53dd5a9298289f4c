from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from pytest_llmmock.cassettes.library import open_cassette
from pytest_llmmock.script.files import load

PLAIN = """
version: 1
interactions:
- request:
    method: POST
    uri: https://api.openai.com/v1/chat/completions?api_key=sk-secret
    headers:
      Authorization: [Bearer sk-secret]
      Content-Type: [application/json]
    body: '{"model": "gpt-5", "messages": [{"role": "user", "content": "hello"}]}'
  response:
    status: {code: 200, message: OK}
    headers:
      Content-Type: [application/json]
      Set-Cookie: [a=b]
    body:
      string: '{"choices": [{"index": 0, "message": {"role": "assistant", "content": "hi"}}]}'
"""


def test_files_and_folders_are_taken_over_with_their_structure(llmmock, tmp_path):
    source = tmp_path / "old" / "deep"
    source.mkdir(parents=True)
    (source / "a.yaml").write_text(PLAIN)
    (source / "b.yml.gz").write_bytes(gzip.compress(PLAIN.encode()))
    (tmp_path / "single.yaml").write_text(PLAIN)
    told = llmmock("import", "old", "single.yaml", "--out", "new").stdout
    assert "[1/3] old/deep/a.yaml -> new/deep/a.yaml  1 interaction" in told
    assert "3 cassettes with 3 interactions imported, 0 failed" in told
    assert sorted(path.relative_to(tmp_path / "new").as_posix() for path in (tmp_path / "new").rglob("*.yaml")) == [
        "deep/a.yaml",
        "deep/b.yaml",
        "single.yaml",
    ]
    text = (tmp_path / "new/deep/a.yaml").read_text()
    assert '# 1  chat gpt-5  "hello"  ->  "hi"' in text
    for secret in ("sk-secret", "Authorization", "authorization", "ookie"):
        assert secret not in text
    old, new = (
        open_cassette(source / "a.yaml").interactions[0],
        open_cassette(tmp_path / "new/deep/a.yaml").interactions[0],
    )
    assert (new.request.body, new.reply.body) == (old.request.body, old.reply.body)


def test_a_file_that_cannot_be_read_is_told_in_a_line_and_the_others_are_written(llmmock, tmp_path):
    (tmp_path / "good.yaml").write_text(PLAIN)
    (tmp_path / "bad.yaml").write_text("version: 1\ninteractions:\n- request: {}\n")
    (tmp_path / "evil.yaml").write_text("interactions: !!python/object/apply:os.system ['touch owned']")
    done = llmmock("import", "good.yaml", "bad.yaml", "evil.yaml", "--out", "new", status=1)
    lines = done.stderr.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("failed: bad.yaml is not a cassette that can be read. Interaction 1:")
    assert "only an unsafe loader would build" in lines[1]
    assert "1 cassette with 1 interaction imported, 2 failed" in done.stdout
    assert not (tmp_path / "owned").exists()
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["good.yaml"]


def test_what_is_there_already_is_replaced_only_when_asked(llmmock, tmp_path):
    (tmp_path / "a.yaml").write_text(PLAIN)
    target = tmp_path / "new/a.yaml"
    target.parent.mkdir()
    target.write_text("mine")
    assert "is there already" in llmmock("import", "a.yaml", "--out", "new", status=1).stderr
    assert target.read_text() == "mine"
    llmmock("import", "a.yaml", "--out", "new", "--force")
    assert target.read_text() != "mine"


def test_a_dry_run_writes_nothing(llmmock, tmp_path):
    (tmp_path / "a.yaml").write_text(PLAIN)
    assert "1 interaction would be imported" in llmmock("import", "a.yaml", "--out", "new", "--dry-run").stdout
    assert not (tmp_path / "new").exists()


def test_two_files_that_would_become_one_are_told(llmmock, tmp_path):
    (tmp_path / "a.yaml").write_text(PLAIN)
    (tmp_path / "a.json").write_text(json.dumps({"version": 1, "interactions": []}))
    assert "which another file has become already" in llmmock("import", ".", "--out", "../new", status=1).stderr


@pytest.mark.skipif(
    not Path(__file__).resolve().parents[2].parent.joinpath("shared/data/vcr").is_dir(),
    reason="the folder of other projects' recordings is not there",
)
def test_the_recordings_of_other_projects_are_all_taken_over(llmmock, tmp_path):
    source = Path(__file__).resolve().parents[2].parent / "shared/data/vcr"
    told = llmmock("import", source, "--out", "new").stdout
    assert "138 cassettes with 248 interactions imported, 0 failed" in told


def test_a_source_that_is_missing_does_not_stop_the_others(llmmock, tmp_path):
    (tmp_path / "good.yaml").write_text(PLAIN)
    done = llmmock("import", "missing.yaml", "good.yaml", "--out", "new", status=1)
    assert done.stderr == "failed: There is no cassette and no folder at missing.yaml.\n"
    assert "1 cassette with 1 interaction imported, 1 failed" in done.stdout


def har(*entries: tuple[str, str, str, str]) -> str:
    def one(method: str, url: str, asked: str, answered: str) -> dict[str, object]:
        kind = [{"name": "content-type", "value": "application/json"}]
        return {
            "request": {"method": method, "url": url, "headers": kind, "postData": {"text": asked}},
            "response": {"status": 200, "headers": kind, "content": {"text": answered}},
        }

    return json.dumps({"log": {"entries": [one(*each) for each in entries]}})


CHAT = (
    "POST",
    "https://llm.example.com/v1/chat/completions",
    '{"model": "gpt-5", "messages": [{"role": "user", "content": "hello"}]}',
    '{"choices": [{"index": 0, "message": {"role": "assistant", "content": "hi"}}]}',
)
STYLES = ("GET", "https://example.com/style.css", "", "a {}")


def test_of_a_har_only_what_models_were_asked_is_taken(llmmock, tmp_path):
    (tmp_path / "old").mkdir()
    (tmp_path / "old/session.har").write_text(har(STYLES, CHAT, STYLES))
    told = llmmock("import", "old", "--out", "new").stdout
    assert "old/session.har: 2 requests left out that were not for a model" in told
    assert "imported: HAR" in (tmp_path / "new/session.yaml").read_text()
    assert '"hello"' in llmmock("show", "new/session.yaml").stdout or "hello" in llmmock("show", "new").stdout


def test_in_a_har_what_was_not_for_a_model_may_be_there_in_part_only(llmmock, tmp_path):
    """Browsers leave out pictures and large answers, and the bytes of what is uploaded."""
    document = json.loads(har(STYLES, CHAT, STYLES))
    picture, _, upload = document["log"]["entries"]
    picture["response"]["content"] = {"size": 70000, "mimeType": "image/png"}
    upload["request"] |= {"method": "POST", "postData": {"mimeType": "multipart/form-data", "params": [{"name": "a"}]}}
    (tmp_path / "shop.har").write_text(json.dumps(document))
    done = llmmock("import", "shop.har", "--out", "new")
    assert "2 requests left out that were not for a model" in done.stdout
    assert "1 cassette with 1 interaction imported, 0 failed" in done.stdout


def test_a_har_without_any_is_told(llmmock, tmp_path):
    (tmp_path / "shop.har").write_text(har(STYLES))
    told = llmmock("import", "shop.har", "--out", "new", status=1).stderr
    assert told == "failed: shop.har holds no request to a language model, but 1 other request.\n"
    assert not (tmp_path / "new").exists()


def test_fixtures_of_aimock_become_rules(llmmock, tmp_path):
    (tmp_path / "old").mkdir()
    fixtures = [{"match": {"userMessage": "hello"}, "response": {"content": "hi"}}]
    (tmp_path / "old/greeting.json").write_text(json.dumps({"fixtures": fixtures}))
    (tmp_path / "old/a.yaml").write_text(PLAIN)
    told = llmmock("import", "old", "--out", "new").stdout
    assert "[2/2] old/greeting.json -> new/greeting.rules.json  1 rule\n" in told
    assert "1 cassette with 1 interaction and 1 file of 1 rule imported, 0 failed" in told
    assert "greeting" not in llmmock("ls", "new").stdout, "it is no cassette"
    assert load(tmp_path / "new/greeting.rules.json", {})[0]


def test_fixtures_that_cannot_be_understood_are_not_taken_over(llmmock, tmp_path):
    (tmp_path / "bad.json").write_text(json.dumps({"fixtures": [{"match": {"userMesage": "x"}, "response": {}}]}))
    told = llmmock("import", "bad.json", "--out", "new", status=1).stderr
    assert told.startswith("failed: bad.json, line 1, fixtures[0].match.userMesage: there is no such key.")
    assert not (tmp_path / "new").exists()
