from __future__ import annotations

import json
import re
import uuid
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmmock.cassettes.matchers import Keys
from pytest_llmmock.cassettes.normalisers import KINDS, Normalisers
from pytest_llmmock.core.model import Request
from pytest_llmmock.errors import UsageError


def asked(body: object, query: str = "", path: str = "/v1/chat/completions") -> Request:
    return Request("POST", "https://api.openai.com", path, query, (), json.dumps(body).encode())


def normal(text: object, *chosen):
    return Normalisers(chosen).body(text)


MOMENTS = st.datetimes(datetime(2018, 1, 1), datetime(2099, 1, 1), timezones=st.just(UTC))


@given(st.uuids())
def test_a_uuid_is_the_same_as_any_other(value: uuid.UUID):
    for text in (str(value), value.hex, str(value).upper(), f"urn:uuid:{value}"):
        assert normal(f"run {text}.", "uuid") in ("run <uuid>.", "run urn:uuid:<uuid>.")


@given(MOMENTS, st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=30)), None]))
def test_a_time_is_the_same_as_any_other_however_it_is_written(moment, zone):
    local = moment.astimezone(zone) if zone else moment.replace(tzinfo=None)
    texts = [
        local.isoformat(),
        local.isoformat(" ", "seconds"),
        local.date().isoformat(),
        str(int(moment.timestamp() % 4e8 + 15e8)),
    ]
    for text in texts:
        assert normal(f"Now: {text}\n{text}", "timestamp") == "Now: <timestamp>\n<timestamp>"


@pytest.mark.parametrize("number", [1_763_000_000, 1_763_000_000.25, 1_763_000_000_123, 1_763_000_000_123_456_789])
def test_a_number_that_is_a_time_is_one_too(number):
    assert normal({"at": number}, "timestamp") == {"at": "<timestamp>"}
    assert normal({"at": number}, "uuid") == {"at": number}


@pytest.mark.parametrize(
    "value", [0, 4096, 0.7, True, None, 163_000_000, "v1.2026-11", "12345-11-203", "3.14159265358979"]
)
def test_what_is_no_time_stays(value):
    assert normal([value], "timestamp") == [value]


@pytest.mark.parametrize(
    ("path", "left"),
    [
        ("/tmp/pytest-of-ann/pytest-12/test_plan0/notes/a.txt", "<tmp_path>/notes/a.txt"),
        ("/tmp/pytest-of-ann/pytest-12/popen-gw3/test_plan0/a.txt", "<tmp_path>/a.txt"),
        ("/private/var/folders/x1/abc_d/T/pytest-of-ann/pytest-1/test_x0/a", "<tmp_path>/a"),
        ("/var/folders/x1/abc_d/T/tmpa1b2c3d4/a", "<tmp_path>/a"),
        ("/tmp/tmpk3j2_x1y", "<tmp_path>"),
        ("/data/scratch/pytest-of-ann/pytest-current/test_x0/a/pytest-of-ann/pytest-0/test_y0/b", "<tmp_path>/b"),
        ("/var/tmp/build-88/src/a.py", "<tmp_path>/src/a.py"),
        (r"C:\Users\Ann\AppData\Local\Temp\pytest-of-ann\pytest-3\test_x0\a.txt", r"<tmp_path>\a.txt"),
        ("/home/ann/tmp/a", "/home/ann<tmp_path>"),
        ("/tmpfiles/a", "/tmpfiles/a"),
    ],
)
def test_a_temporary_folder_is_the_same_as_any_other_and_what_is_in_it_counts(path, left):
    assert normal(f'Read "{path}", please', "tmp_path") == f'Read "{left}", please'


def test_trace_ids_are_the_same_as_any_other():
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    assert normal([parent, "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331", "deadbeef"], "trace_id") == [
        *["<trace_id>"] * 3,
        "deadbeef",
    ]


def test_a_pattern_and_a_function_of_ones_own():
    assert normal({"a": "run-17 of 9", "b": ["run-4"]}, re.compile(r"run-\d+")) == {"a": "<…> of 9", "b": ["<…>"]}
    assert normal("run-17", r"re:run-\d+") == "<…>"

    def sorted_tools(body):
        body["tools"].sort()
        return body

    given_body = {"tools": ["b", "a"]}
    assert normal(given_body, sorted_tools) == {"tools": ["a", "b"]}
    assert given_body == {"tools": ["b", "a"]}


def test_names_of_members_are_normalised_too():
    assert normal({str(uuid.uuid4()): 1}, "uuid") == {"<uuid>": 1}


@pytest.mark.parametrize("wrong", ["uid", "re:("])
def test_what_is_no_normaliser_is_told(wrong):
    with pytest.raises(UsageError, match=r"normalisers has .*" + re.escape(wrong)):
        Keys(normalisers=[wrong])


@pytest.mark.parametrize("name", KINDS)
def test_without_the_normaliser_the_same_values_are_a_difference(read, name):
    samples = {
        "uuid": (str(uuid.UUID(int=1)), str(uuid.UUID(int=2))),
        "timestamp": ("2026-11-20T10:00:00Z", "2026-11-20T10:00:01Z"),
        "tmp_path": ("/tmp/pytest-of-a/pytest-1/test_x0/f", "/tmp/pytest-of-a/pytest-2/test_x0/f"),
        "trace_id": ("0af7651916cd43dd8448eb211c80319c", "1af7651916cd43dd8448eb211c80319c"),
    }
    one, other = (read(asked({"messages": [{"role": "user", "content": f"see {each}"}]})) for each in samples[name])
    assert Keys().key(one) != Keys().key(other)
    assert Keys(normalisers=[name]).key(one) == Keys(normalisers=[name]).key(other)


def test_query_and_path_are_normalised_as_the_body_is(read):
    one, other = (read(asked({}, query=f"run={uuid.uuid4()}", path=f"/v1/runs/{uuid.uuid4()}")) for _ in range(2))
    assert Keys(normalisers=["uuid"]).key(one) == Keys(normalisers=["uuid"]).key(other)


def test_words_still_count(read):
    one, other = (read(asked({"messages": [{"role": "user", "content": text}]})) for text in ("Rome", "Paris"))
    keys = Keys(normalisers=[*KINDS, re.compile(r"\d+")])
    assert keys.key(one) != keys.key(other)


def test_a_function_has_no_name_that_a_stored_key_could_be_trusted_by():
    same = [Keys(normalisers=["uuid", re.compile("a+", re.I)]).signature for _ in range(2)]
    assert same[0] == same[1] != Keys(normalisers=["uuid", re.compile("a+")]).signature
    assert Keys(normalisers=[len]).signature != Keys(normalisers=[len]).signature


@pytest.mark.parametrize(
    ("function", "told"),
    [
        (lambda body: body.clear(), "returned None. It has to return the body that is to be compared."),
        (lambda body: body["nothing"], "raised KeyError: 'nothing'"),
    ],
)
def test_a_function_that_does_not_give_a_body_back_is_told(read, function, told):
    with pytest.raises(UsageError, match="The normaliser <lambda> " + re.escape(told)):
        Keys(normalisers=[function]).key(read(asked({"a": 1})))
