"""A stand-in for OpenAI's public API, as those meet it who have signed in: it refuses what the real one refuses."""

from __future__ import annotations

import json
from collections.abc import Callable, Container
from typing import Any

from backend_answers import answer
from backend_rules import Refused, check_items
from serving import Serving

from pytest_llmmock.core.model import Reply, Request, json_reply

UNSUPPORTED = {
    "background",
    "conversation",
    "max_output_tokens",
    "max_tool_calls",
    "metadata",
    "moderation",
    "multi_agent",
    "prompt",
    "prompt_cache_retention",
    "safety_identifier",
    "temperature",
    "top_logprobs",
    "top_p",
    "truncation",
    "user",
    "previous_response_id",
    "prompt_cache_options",
    "prompt_cache_breakpoint",
    "stream_options",
}
CATALOGUE = [
    {"slug": "gpt-5.6-sol", "display_name": "GPT", "visibility": "list"},
    {"slug": "gpt-hidden", "display_name": "hidden", "visibility": "hide"},
    {"slug": "gpt-6-sol", "display_name": "GPT", "visibility": "list"},
]
SAID: dict[str, tuple[int, dict[str, Any]]] = {
    "limit": (429, {"error": {"code": "subscription_sharing_usage_limit_exceeded", "message": "Usage limit."}}),
    "not eligible": (403, {"error": {"code": "subscription_sharing_user_not_eligible", "message": "Not eligible."}}),
    "scope": (403, {"error": {"code": "chatpass_v2_scope_not_authorized", "message": "Scope."}}),
    "unavailable": (503, {"error": {"code": "subscription_sharing_usage_unavailable", "message": "Later."}}),
    "odd": (400, {"detail": "something odd"}),
    "nothing": (500, {}),
}
"""The words of the user, and what is said to them instead of an answer."""


class PublicAPI(Serving):
    """Answers whoever brings a token that is good."""

    def __init__(self, tokens: Callable[[], Container[str]]) -> None:
        super().__init__()
        self.tokens = tokens
        self.sealed: set[str] = set()
        self.status = 0
        """Answered to everything, if it is set."""

    @property
    def base_url(self) -> str:
        return self.url + "/v1"

    @property
    def bodies(self) -> list[Any]:
        return [json.loads(request.body) for request in self.requests if request.body]

    def handle(self, request: Request) -> Reply:
        self.requests.append(request)
        if self.status:
            return json_reply({}, self.status, (("location", "https://elsewhere.example/v1"),))
        token = (request.header("authorization") or "").removeprefix("Bearer ")
        if token not in self.tokens():
            return json_reply({"detail": {"error_code": "invalid_token"}}, 401)
        if (request.method, request.path) == ("GET", "/v1/models"):
            return json_reply({"models": CATALOGUE})
        try:
            return self._responses(request)
        except Refused as refused:
            return json_reply(refused.body, refused.status)

    def _responses(self, request: Request) -> Reply:
        if (request.method, request.path) != ("POST", "/v1/responses"):
            raise Refused(403, {"error": {"code": "subscription_sharing_route_not_supported", "message": "No."}})
        body = request.json()
        unsupported = sorted(UNSUPPORTED & body.keys())
        if unsupported:
            raise Refused(400, {"detail": f"Unsupported parameter: {unsupported[0]}"})
        if body.get("store") is not False or body.get("stream") is not True or not isinstance(body["input"], list):
            raise Refused(400, {"detail": "store must be false, stream true, and input a list"})
        for number, tool in enumerate(body.get("tools", [])):
            if tool.get("type") not in ("function", "custom", "namespace", "web_search"):
                code, place = "subscription_sharing_unsupported_capability", f"tools[{number}].type"
                raise Refused(400, {"error": {"code": code, "message": "Not with a plan.", "param": place}})
        check_items(body["input"], self.sealed)
        words = json.dumps(body["input"][-1])
        for said, (status, value) in SAID.items():
            if f'"{said}"' in words:
                return json_reply(value, status)
        return answer(self, body)  # type: ignore[arg-type] - it has what answers need
