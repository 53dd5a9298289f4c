from __future__ import annotations

from typing import Any

import pytest
from verifying import RESPONSES, chat, request, said

from pytest_llmmock import dialects
from pytest_llmmock.cassettes.cassette import Interaction, Recorded
from pytest_llmmock.cassettes.secrets import Secrets
from pytest_llmmock.core.model import Exchange, Reply, Request, json_reply
from pytest_llmmock.errors import UpstreamError
from pytest_llmmock.verification.asking import Outcome, Recording, Verifier

Pair = tuple[Request, dict[str, Any]]


class Upstream:
    """Gives the answers that it is told, one after the other, and notes what it was asked."""

    def __init__(self, *answers: dict[str, Any] | Reply | Exception) -> None:
        self._answers = list(answers)
        self.asked: list[Request] = []

    def __call__(self, exchange: Exchange) -> Reply:
        self.asked.append(exchange.request)
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, Reply) else json_reply(answer)


def verify(upstream: Upstream, *pairs: Pair, without: int = 0) -> list[Outcome]:
    verifier = Verifier(dialects.read, upstream, Secrets.of({}))
    recordings = [
        Recording("a.yaml", number, Interaction.of(Recorded(asked, json_reply(answered))), dialects.read(asked))
        for number, (asked, answered) in enumerate(pairs, 1)
    ]
    for recording in recordings[:without]:
        verifier.pass_over(recording)
    return [verifier.verify(recording) for recording in recordings[without:]]


def response(id: str, *output: dict[str, Any]) -> dict[str, Any]:
    return {"id": id, "object": "response", "model": "m", "status": "completed", "output": list(output)}


def call(id: str, name: str = "weather") -> dict[str, Any]:
    return {"type": "function_call", "id": f"fc_{id}", "call_id": id, "name": name, "arguments": "{}"}


def responses(**body: Any) -> Request:
    return request(RESPONSES, {"model": "m", "input": "hi", **body})


RESULT = {"type": "function_call_output", "call_id": "call_old1", "output": "sunny"}


def test_a_conversation_goes_on_from_the_answer_of_today():
    upstream = Upstream(response("resp_today"), response("resp_other"))
    one, two = verify(
        upstream,
        (responses(), response("resp_recorded")),
        (responses(previous_response_id="resp_recorded"), response("resp_second")),
    )
    assert (one.name, two.name) == ("same-shape", "same-shape")
    assert upstream.asked[1].json()["previous_response_id"] == "resp_today"


def test_a_result_goes_to_the_call_of_today():
    upstream = Upstream(response("resp_today", call("call_new1")), response("resp_other"))
    body = {"previous_response_id": "resp_recorded", "input": [RESULT]}
    verify(
        upstream, (responses(), response("resp_recorded", call("call_old1"))), (responses(**body), response("resp_2"))
    )
    assert upstream.asked[1].json()["input"][0]["call_id"] == "call_new1"


@pytest.mark.parametrize("today", [(), (call("call_new1", "map"),)], ids=["no call", "another tool"])
def test_a_result_of_a_call_that_is_not_made_today_is_not_sent(today):
    upstream = Upstream(response("resp_today", *today))
    body = {"previous_response_id": "resp_recorded", "input": [RESULT]}
    one, two = verify(
        upstream, (responses(), response("resp_recorded", call("call_old1"))), (responses(**body), response("resp_2"))
    )
    assert one.name == "tools-changed"
    assert two.skipped == "needs call_old1, a call of weather that #1 does not make today"
    assert len(upstream.asked) == 1


def test_a_conversation_that_says_itself_stays_as_it_was_recorded():
    upstream = Upstream(response("resp_today", call("call_new1")), response("resp_other"))
    history = [{"role": "user", "content": "hi"}, call("call_old1"), RESULT]
    second = responses(input=history)
    verify(upstream, (responses(), response("resp_recorded", call("call_old1"))), (second, response("resp_2")))
    assert upstream.asked[1].body == second.body


def test_what_goes_on_from_an_answer_that_failed_is_skipped_with_its_reason():
    upstream = Upstream(json_reply({"error": {"message": "overloaded"}}, 503))
    one, two = verify(
        upstream,
        (responses(), response("resp_recorded")),
        (responses(previous_response_id="resp_recorded"), response("resp_2")),
    )
    assert (one.name, one.notes) == ("status-differs", ["overloaded"])
    assert two.skipped == "needs resp_recorded, made by #1, which has no answer today"


def test_what_goes_on_from_a_recording_that_was_not_selected_is_skipped():
    pairs = (
        (responses(), response("resp_recorded")),
        (responses(previous_response_id="resp_recorded"), response("resp_2")),
    )
    (two,) = verify(Upstream(), *pairs, without=1)
    assert two.skipped == "needs resp_recorded, made by #1, which has no answer today"


def test_an_id_that_was_there_before_is_asked_for_as_it_is():
    upstream = Upstream(response("resp_today"))
    verify(upstream, (responses(previous_response_id="resp_long_ago"), response("resp_2")))
    assert upstream.asked[0].json()["previous_response_id"] == "resp_long_ago"


def file(id: str) -> dict[str, Any]:
    return {"id": id, "object": "file", "bytes": 5, "created_at": 1, "filename": "a", "purpose": "batch"}


CREATE = request("/v1/files", {"purpose": "batch"})


def test_files_are_named_as_they_are_called_today_and_what_was_made_is_told():
    upstream = Upstream(
        file("file-today1"), file("file-today1"), {"id": "file-today1", "object": "file", "deleted": True}
    )
    made, got, gone = verify(
        upstream,
        (CREATE, file("file-old001")),
        (request("/v1/files/file-old001"), file("file-old001")),
        (
            request("/v1/files/file-old001", method="DELETE"),
            {"id": "file-old001", "object": "file", "deleted": True},
        ),
    )
    assert [each.path for each in upstream.asked[1:]] == ["/v1/files/file-today1"] * 2
    assert made.notes == ["made file-today1 at the upstream"]
    assert [each.name for each in (made, got, gone)] == ["same-shape"] * 3


def test_nothing_is_deleted_that_this_run_has_not_made():
    (gone,) = verify(Upstream(), (request("/v1/files/file-mine01", method="DELETE"), {"deleted": True}))
    assert gone.skipped == "DELETE would change what was not made by this run"


@pytest.mark.parametrize(
    "path", ["/v1/batches", "/v1/messages/batches", "/v1/fine_tuning/jobs", "/v1/batches/b/cancel"]
)
def test_what_costs_more_than_a_request_is_not_begun(path):
    (batch,) = verify(Upstream(), (request(path, {"model": "m"}), {"id": "batch_1"}))
    assert batch.skipped == "is done hours later, and costs more than one request"


def test_how_far_a_batch_was_is_not_asked_and_the_list_of_batches_is():
    upstream = Upstream({"object": "list", "data": []})
    one, all_ = verify(
        upstream,
        (request("/v1/batches/batch_1"), {"id": "batch_1", "status": "completed"}),
        (request("/v1/batches"), {"object": "list", "data": []}),
    )
    assert one.skipped.startswith("tells how far something is")
    assert all_.name == "same-shape"


@pytest.mark.parametrize(
    ("asked", "place"),
    [
        (request("/v1/redacted-organization/x"), "the path /v1/redacted-organization/x"),
        (responses(tools=[{"type": "mcp", "authorization": "redacted-secret"}]), "tools[0].authorization"),
    ],
)
def test_a_request_that_lost_a_secret_is_not_asked(asked, place):
    (outcome,) = verify(Upstream(), (asked, response("resp_1")))
    assert outcome.skipped == f"a secret was scrubbed out of it, at {place}"


def test_a_secret_among_other_words_is_told_and_asked():
    (outcome,) = verify(Upstream(said()), (chat("my key is redacted-secret, keep it"), said()))
    assert outcome.notes == ["asked with redacted-… where a secret stood among other words"]
    assert outcome.name == "same-shape"


@pytest.mark.parametrize(
    "answer", [UpstreamError("connection refused"), json_reply({"error": {"message": "wrong key"}}, 401)]
)
def test_an_upstream_that_does_not_answer_is_not_asked_for_ever(answer):
    upstream = Upstream(*[answer] * 3)
    outcomes = verify(upstream, *[(chat(), said())] * 5)
    assert len(upstream.asked) == 3
    assert [bool(each.skipped) for each in outcomes] == [False, False, False, True, True]
    assert "3 requests before it" in outcomes[4].skipped


def test_one_answer_between_begins_the_count_anew():
    down = UpstreamError("connection refused")
    outcomes = verify(Upstream(down, down, said(), down, down), *[(chat(), said())] * 5)
    assert [each.name for each in outcomes] == ["failed", "failed", "same-shape", "failed", "failed"]


def test_a_web_page_or_broken_json_is_a_failure():
    page = Reply(200, (("content-type", "text/html"),), json_reply("<html>").frames)
    broken = Reply(200, (("content-type", "application/json"),), [*json_reply({}).frames, *json_reply({}).frames])
    one, two = verify(Upstream(page, broken), *[(chat(), said())] * 2)
    assert one.name == two.name == "failed"
    assert "web page" in one.found[0].difference.asked
    assert two.found[0].difference.asked == "the answer is not JSON (application/json)"


def test_what_is_told_of_the_answer_holds_no_secret():
    key = "sk-proj-" + "Ab1" * 16
    (outcome,) = verify(Upstream(said(f"Your key is {key}.")), (chat(), said("Your key is redacted-secret.")))
    assert outcome.name == "same-shape"
    assert outcome.today is not None
    assert key not in outcome.today.body.decode()
