"""What `--limits` says."""

from __future__ import annotations

import pytest

from pytest_llmmock.errors import UsageError
from pytest_llmmock.gate.limits import Limits, read_limits


@pytest.mark.parametrize(
    ("text", "limits"),
    [
        ("", Limits()),
        ("rpm=3", Limits(rpm=3)),
        (" rps = 0.5 , tpm=1000,", Limits(rps=0.5, tpm=1000)),
        ("rps=8,burst=16,concurrency=2,messages=64", Limits(rps=8, burst=16, concurrency=2, messages=64)),
        (
            "chatmock",
            Limits(rps=8, burst=16, messages=64, characters=16_384, bytes=262_144, max_tokens=2048),
        ),
        (
            "chatmock,messages=2,rpm=1",
            Limits(rps=8, burst=16, messages=2, characters=16_384, bytes=262_144, max_tokens=2048, rpm=1),
        ),
        (
            "messages=2,chatmock",
            Limits(rps=8, burst=16, messages=64, characters=16_384, bytes=262_144, max_tokens=2048),
        ),
    ],
)
def test_figures_and_profiles_are_read(text: str, limits: Limits) -> None:
    assert read_limits(text) == limits


KNOWN = (
    "Profiles are: chatmock. Figures are: rps=, burst=, rpm=, rpd=, tpm=, tpd=, concurrency=, messages=, characters=, "
    "bytes=, max_tokens=."
)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("chatmok", "There is no profile of limits 'chatmok'. Did you mean 'chatmock'?"),
        ("7", f"There is no profile of limits '7'. {KNOWN}"),
        ("rpm", "There is no profile of limits 'rpm'. A figure is set with rpm=NUMBER."),
        ("max_token=7", "There is no limit 'max_token'. Did you mean 'max_tokens'?"),
        ("zzz=7", f"There is no limit 'zzz'. {KNOWN}"),
        ("rpm=0", "rpm=0 is not possible: it is a number above 0."),
        ("rpm=-3", "rpm=-3 is not possible: it is a number above 0."),
        ("rpm=1e9", "rpm=1e9 is not possible: it is a number above 0."),
        ("tpm=1.5", "tpm=1.5 is not possible: it is a whole number above 0."),
        ("burst=3", "burst= is how many of rps= may come at once: say rps= as well."),
    ],
)
def test_what_cannot_be_read_is_told_with_what_can(text: str, told: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_limits(text)
    assert str(caught.value) == told
