from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
import yaml

from pytest_llmmock.cassettes.library import open_cassette, save
from pytest_llmmock.cassettes.matchers import Keys

KEY = "sk-proj-" + "aB3dE5gH7j" * 6
OWN = "a1b2c3d4e5f6"

CASSETTE = """\
version: 1
interactions:
# 1  by hand
- request:
    method: POST
    uri: https://api.openai.com/v1/chat/completions
    headers: {content-type: [application/json]}
    parsed_body:
      model: gpt-5   # a comment of mine
      messages:
      - role: user
        content: Hello
  response:
    status: {code: 200, message: OK}
    headers: {content-type: [application/json]}
    parsed_body: {a: b}
  llmmock: {key: 0123456789abcdef0123456789abcdef, stamp: 0123456789abcdef}
# 2  by hand
- request:
    method: POST
    uri: https://api.openai.com/v1/chat/completions
    headers: {content-type: [application/json]}
    parsed_body:
      model: gpt-5
      messages:
      - role: user
        content: My key is %s, what now?
  response:
    status: {code: 200, message: OK}
    headers: {content-type: [text/event-stream]}
    body:
      string: |+
        data: {"choices":[{"index":0,"delta":{"content":"Tell nobody of %s"}}]}

        data: {"choices":[{"index":0,"delta":{"content":"%s."}}]}

        data: [DONE]

  llmmock: {key: 0123456789abcdef0123456789abcdef, stamp: 0123456789abcdef, timing: "0.100:140 0.200:70"}
"""
SPOILT = CASSETTE % (KEY, KEY[:30], KEY[30:])
CLEAN = CASSETTE % ("lost", "it", " at all")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "cassettes").mkdir()
    (tmp_path / "cassettes/clean.yaml").write_text(CLEAN)
    return tmp_path / "cassettes"


def test_where_there_is_no_secret_the_exit_status_is_0(llmmock, folder):
    assert llmmock("scan").stdout == "1 file, no secrets\n"
    assert json.loads(llmmock("scan", "--json", "cassettes").stdout) == []


def test_secrets_are_told_by_place_and_never_shown(llmmock, folder):
    (folder / "spoilt.yaml").write_text(SPOILT)
    done = llmmock("scan", status=1)
    assert done.stdout.splitlines() == [
        "cassettes/spoilt.yaml: interaction 2, request.body.messages[0].content: OpenAI key (sk-p…), and 1 more like it"
    ]
    assert done.stderr.startswith("llmmock: 2 secrets in 1 of 2 files. `llmmock scrub` takes them out")
    assert KEY[8:] not in done.stdout + done.stderr
    places = [
        ("cassettes/spoilt.yaml", 2, "request.body.messages[0].content", "OpenAI key", "sk-p"),
        ("cassettes/spoilt.yaml", 2, "response.body.choices[0].delta.content", "OpenAI key", "sk-p"),
    ]
    told = json.loads(llmmock("scan", "--json", "cassettes/spoilt.yaml", status=1).stdout)
    assert [tuple(each.values()) for each in told] == places


def test_files_of_any_kind_are_looked_through(llmmock, folder):
    (folder / "notes.txt").write_text(f"one\ntwo {KEY}\n")
    (folder / "broken.yaml").write_text(f"version: 1\ninteractions:\n- {{request: {KEY}\n")
    (folder / "blobs").mkdir()
    (folder / "blobs" / ("0" * 64)).write_bytes(b"\xff\xfe" + KEY.encode())
    (folder / "packed.json.gz").write_bytes(gzip.compress(f"[{KEY}".encode()))
    (folder / "torn.yaml.gz").write_bytes(gzip.compress(b"a")[:9])
    (folder / ".hidden").write_text(KEY)
    lines = llmmock("scan", "cassettes", status=1).stdout.splitlines()
    assert [line.partition(": OpenAI key")[0] for line in lines] == [
        "cassettes/blobs/" + "0" * 64 + ": line 1",
        "cassettes/broken.yaml: line 3",
        "cassettes/notes.txt: line 2",
        "cassettes/packed.json.gz: line 1",
    ]


def test_values_of_the_environment_and_headers_of_a_recording_count(llmmock, folder):
    (folder / "own.txt").write_text(f"a {OWN} b")
    foreign = {"method": "GET", "uri": "https://h.example/", "headers": {"X-Api-Key": ["b1b2c3d4e5f6"]}}
    answer = {"status": {"code": 200}, "headers": {}, "body": {"string": "your key b1b2c3d4e5f6 is wrong"}}
    (folder / "vcr.yaml").write_text(
        yaml.safe_dump({"version": 1, "interactions": [{"request": foreign, "response": answer}]})
    )
    llmmock.environment["MY_API_KEY"] = OWN
    assert llmmock("scan", status=1).stdout.splitlines() == [
        "cassettes/own.txt: line 1: secret (a1b2…)",
        "cassettes/vcr.yaml: interaction 1, request headers: x-api-key: secret (b1b2…), and 1 more like it",
    ]


@pytest.mark.parametrize("command", ["scan", "scrub", "check", "ls", "rekey", "stats"])
def test_a_place_without_anything_is_told_in_words(llmmock, command, tmp_path):
    (tmp_path / "named-so.yaml").mkdir()
    assert llmmock(command, status=1).stderr.endswith(" and no folder at cassettes.\n")
    assert llmmock(command, "missing", status=1).stderr.endswith(" and no folder at missing.\n")
    done = llmmock(command, "named-so.yaml", status=1)
    assert done.stderr.startswith("llmmock: There are no ")
    assert " in named-so.yaml" in done.stderr
    assert done.stdout == ""


def test_a_folder_is_looked_into_whatever_it_is_called(llmmock, tmp_path):
    (tmp_path / "named-so.yaml").mkdir()
    (tmp_path / "named-so.yaml/notes.txt").write_text(KEY)
    assert llmmock("scan", "named-so.yaml", status=1).stdout == "named-so.yaml/notes.txt: line 1: OpenAI key (sk-p…)\n"


def test_a_cassette_is_scrubbed_where_it_has_to_be_and_nowhere_else(llmmock, folder):
    path = folder / "spoilt.yaml"
    path.write_text(SPOILT)
    place = "cassettes/spoilt.yaml: interaction 2, "
    told = (
        f"{place}request.body.messages[0].content: OpenAI key (sk-p…)\n"
        f"{place}response.body.choices[0].delta.content: OpenAI key (sk-p…)\n"
    )
    assert llmmock("scrub", "--dry-run").stdout == told + "1 of 2 cassettes would be scrubbed, 0 failed\n"
    assert path.read_text() == SPOILT
    assert llmmock("scrub").stdout == told + "1 of 2 cassettes scrubbed, 0 failed\n"
    assert (folder / "clean.yaml").read_text() == CLEAN
    first, _, second = path.read_text().partition("# 2  ")
    assert first == SPOILT.partition("# 2  ")[0]
    assert "content: My key is redacted-secret, what now?" in second
    assert 'Tell nobody of redacted-secret"' in second
    assert '{"content":"."}' in second
    keys = Keys()
    stored = open_cassette(path, keys.signature).interactions
    assert [bool(each.key) for each in stored] == [False, True]  # the first one's was wrong before
    assert stored[1].reply.frames[1].at == pytest.approx(0.3)
    assert llmmock("scrub", "cassettes").stdout == "0 of 2 cassettes scrubbed, 0 failed\n"
    llmmock("scan")


def test_large_bodies_stay_where_they_are(llmmock, folder):
    path = folder / "deep/spoilt.yaml"
    path.parent.mkdir()
    path.write_text(SPOILT.replace("parsed_body: {a: b}", "body: {string: !!binary /w==}"))
    (folder / "blobs").mkdir()
    llmmock("scrub")
    assert not (path.parent / "blobs").exists()
    assert open_cassette(path).interactions[0].reply.body == b"\xff"


def test_what_cannot_be_rewritten_is_told_and_the_others_are(llmmock, folder):
    foreign = {
        "request": {"method": "GET", "uri": f"https://h.example/?a={KEY}"},
        "response": {"status": {"code": 200}},
    }
    text = json.dumps({"version": 1, "interactions": [foreign]})
    (folder / "a.json").write_text(text)
    (folder / "b.yaml").write_text(text)
    done = llmmock("scrub", "cassettes", status=1)
    assert done.stderr == (
        "failed: cassettes/a.json cannot be rewritten as it is. "
        "Take it over with `llmmock import cassettes/a.json --out DIR`.\n"
    )
    assert done.stdout.endswith("1 of 3 cassettes scrubbed, 1 failed\n")
    assert (folder / "a.json").read_text() == text
    assert "uri: https://h.example/?a=redacted-secret" in (folder / "b.yaml").read_text()


def test_the_hook_for_pre_commit_calls_what_there_is(llmmock, folder):
    root = Path(__file__).parents[2]
    [hook] = yaml.safe_load((root / ".pre-commit-hooks.yaml").read_text())
    program, *arguments = hook["entry"].split()
    assert (hook["id"], program) == ("llmmock-scan", "llmmock")
    (folder / "spoilt.yaml").write_text(SPOILT)
    llmmock(*arguments, "cassettes/clean.yaml")
    llmmock(*arguments, "cassettes/clean.yaml", "cassettes/spoilt.yaml", status=1)


def test_what_is_scrubbed_and_what_is_saved_agree(llmmock, folder, tmp_path):
    (folder / "spoilt.yaml").write_text(SPOILT)
    llmmock("scrub")
    keys = Keys()
    save(tmp_path / "again.yaml", open_cassette(folder / "spoilt.yaml", keys.signature).interactions)
    assert (tmp_path / "again.yaml").is_file()
