"""Our cassettes in vcrpy's own hands: `vcr.register_serializer("llmmock", vcr_serializer)`.

With it, and `serializer="llmmock"`, vcrpy replays and records the files that we read and write.
"""

from __future__ import annotations

from typing import Any

from . import format
from .cassette import Interaction
from .foreign import recorded
from .format import headers_by_name
from .scrub import scrub


def deserialize(cassette_string: str) -> dict[str, Any]:
    """What vcrpy's own serializers give. Raises `CassetteFormatError`."""
    interactions = format.loads(cassette_string.encode())
    return {"version": 1, "interactions": [_item(interaction) for interaction in interactions]}


def serialize(cassette_dict: dict[str, Any]) -> str:
    """The text of a cassette of ours. Headers that are not on our list are left out."""
    items = cassette_dict["interactions"]
    return format.dumps([Interaction.of(scrub(recorded(item))) for item in items]).decode()


def _item(interaction: Interaction) -> dict[str, Any]:
    request, reply = interaction.request, interaction.reply
    return {
        "request": {
            "method": request.method,
            "uri": request.url,
            "headers": headers_by_name(request.headers),
            "body": request.body or None,
        },
        "response": {
            "status": {"code": reply.status, "message": reply.reason},
            "headers": headers_by_name(reply.headers),
            "body": {"string": reply.body},
        },
    }
