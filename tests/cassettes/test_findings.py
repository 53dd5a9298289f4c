from __future__ import annotations

from dataclasses import replace

import pytest

from pytest_llmmock.cassettes import library
from pytest_llmmock.cassettes.cassette import Interaction, Recorded
from pytest_llmmock.cassettes.findings import Finding, findings, in_text
from pytest_llmmock.cassettes.scrub import scrub
from pytest_llmmock.cassettes.secrets import Secrets
from pytest_llmmock.core.model import Frame, Request, json_reply
from pytest_llmmock.errors import CassetteError

KEY = "sk-proj-" + "aB3dE5gH7j" * 6
CLEAN = Recorded(
    Request("POST", "https://h.example", "/v1/x", "a=1", (("content-type", "application/json"),), b'{"a":[{"b":"c"}]}'),
    json_reply({"d": "e"}),
    {"upstream": "openai"},
)


def spoilt(**changes: object) -> Recorded:
    request = {name[8:]: value for name, value in changes.items() if name.startswith("request_")}
    reply = {name[6:]: value for name, value in changes.items() if name.startswith("reply_")}
    return Recorded(
        replace(CLEAN.request, **request),
        replace(CLEAN.reply, **reply),
        changes.get("meta", CLEAN.meta),  # type: ignore[arg-type]
    )


CASES = [
    (spoilt(request_method=KEY), "request.method"),
    (spoilt(request_origin=f"https://{KEY}.h.example"), "request.uri"),
    (spoilt(request_path=f"/{KEY}"), "request.uri"),
    (spoilt(request_query=f"a={KEY}"), "request.uri"),
    (spoilt(request_body=f'{{"a":[{{"b":"c {KEY}"}}]}}'.encode()), "request.body.a[0].b"),
    (spoilt(request_body=f'{{"{KEY}":1}}'.encode()), "request.body"),
    (spoilt(request_headers=(("accept", f"a {KEY}"),)), "request headers: accept"),
    (spoilt(reply_reason=KEY), "response.status"),
    (spoilt(reply_headers=(("location", f"/{KEY}"),)), "response headers: location"),
    (
        spoilt(reply_frames=[Frame(f'{{"d":["{KEY[:9]}'.encode()), Frame(f'{KEY[9:]}"]}}'.encode())]),
        "response.body.d[0]",
    ),
    (spoilt(reply_frames=[Frame(f'{{"d":["{KEY[:9]}","{KEY[9:]}"]}}'.encode())]), "response.body.d[0]"),
    (spoilt(meta={"upstream": {"a": [KEY]}}), "llmmock"),
]


@pytest.mark.parametrize(("recorded", "place"), CASES, ids=[place for _, place in CASES])
def test_a_secret_is_found_and_its_place_told(recorded, place):
    assert findings(recorded, Secrets()) == [Finding(place, "OpenAI key", "sk-p")]
    assert findings(scrub(recorded, Secrets()), Secrets()) == []


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"request_headers": (("authorization", "Bearer a1b2c3d4e5f6"),)}, "request headers: authorization"),
        ({"reply_headers": (("set-cookie", "s=a1b2c3d4e5f6"),)}, "response headers: set-cookie"),
        ({"request_query": "api_key=a1b2c3d4e5f6"}, "request.uri"),
        ({"request_origin": "https://a1b2c3d4e5f6@h.example"}, "request.uri"),
    ],
)
def test_a_credential_is_one_whatever_it_looks_like(changes, place):
    assert place in {finding.place for finding in findings(spoilt(**changes), Secrets())}


def test_there_is_nothing_in_what_is_clean_or_was_scrubbed_elsewhere():
    assert findings(CLEAN, Secrets()) == []
    assert findings(spoilt(request_headers=(("authorization", "Bearer [REDACTED]"),)), Secrets()) == []


def test_no_more_than_the_beginning_of_a_secret_is_told():
    assert str(Finding.of("a", "secret", b"abcdefgh")) == "a: secret (abcd…)"
    assert str(Finding.of("a", "secret", "abc")) == "a: secret (a…)"


def test_in_text_the_line_is_told():
    assert in_text(f"a\nb {KEY}\n".encode(), Secrets()) == [Finding("line 2", "OpenAI key", "sk-p")]


def test_a_finding_stops_the_save_and_names_the_place(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_bytes(b"as it was")
    recorded = spoilt(request_body=f'{{"a":"{KEY}"}}'.encode())
    with pytest.raises(CassetteError) as raised:
        library.save(path, [Interaction.of(CLEAN, "0" * 32), Interaction.of(recorded, "1" * 32)], secrets=Secrets())
    assert str(raised.value) == (
        f"{path} was not saved, because secrets would be in it:\n\n"
        "  interaction 2, request.body.a: OpenAI key (sk-p…)\n"
        "\n"
        "Nothing was written, and what was there before is unchanged. Take the value out of what the test sends; if it "
        f"is in an older recording, run `llmmock scrub {path}` first."
    )
    assert [file.name for file in tmp_path.iterdir()] == ["a.yaml"]
    assert path.read_bytes() == b"as it was"


def test_what_is_said_of_an_interaction_and_what_lies_beside_it_is_looked_at_too(tmp_path):
    with pytest.raises(CassetteError, match="interaction 1, as it is written: OpenAI key"):
        library.save(tmp_path / "a.yaml", [Interaction.of(CLEAN)], describe=lambda recorded: KEY, secrets=Secrets())
    binary = spoilt(reply_frames=[Frame(b"\xff" * 40_000 + KEY.encode())], reply_headers=())
    with pytest.raises(
        CassetteError, match=r"interaction 1, response.body: OpenAI key[^b]*blobs/[0-9a-f]{64}: OpenAI key"
    ):
        library.save(tmp_path / "a.yaml", [Interaction.of(binary)], secrets=Secrets())
    assert list(tmp_path.iterdir()) == []


def test_nobody_has_to_think_of_the_last_look(tmp_path, monkeypatch):
    monkeypatch.setenv("MY_API_KEY", "a1b2c3d4e5f6")
    with pytest.raises(CassetteError, match="llmmock: secret"):
        library.save(tmp_path / "a.yaml", [Interaction.of(spoilt(meta={"note": "a1b2c3d4e5f6"}))])


def test_an_interaction_that_is_written_again_as_it_is_is_looked_at_as_text(tmp_path):
    path = tmp_path / "a.yaml"
    library.save(path, [Interaction.of(spoilt(meta={"note": "a1b2c3d4e5f6"}), "0" * 32)], secrets=Secrets())
    kept = library.open_cassette(path).interactions
    library.save(path, kept, secrets=Secrets())
    with pytest.raises(CassetteError, match="interaction 1, as it is written: secret"):
        library.save(path, kept, secrets=Secrets(["a1b2c3d4e5f6"]))


def test_the_name_of_the_file_is_looked_at_and_not_told(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CassetteError, match=r"the name of the file: OpenAI key \(sk-p…\)") as raised:
        library.save(tmp_path / f"tests/test_it[{KEY}].yaml", [Interaction.of(CLEAN)], secrets=Secrets())
    assert KEY not in str(raised.value)
    assert list(tmp_path.iterdir()) == []
