from __future__ import annotations

import pytest

from pytest_llmmock.cassettes.key_formats import (
    FORMAT,
    FORMATS,
    PLACEHOLDER,
    SHORTEST,
    format_of,
    formats_in,
    may_hold_format,
)

A = "aB3dE5gH7j" * 12
HEX = "0a1b2c3d4e5f6a7b" * 6
UPPER = "A1B2C3D4E5F6G7H8"

EXAMPLES = {
    "Anthropic key": [f"sk-ant-api03-{A[:93]}AA", f"sk-ant-oat01-{A[:40]}", f"sk-ant-admin01-{A[:60]}"],
    "OpenRouter key": [f"sk-or-v1-{HEX[:64]}"],
    "OpenAI key": [f"sk-proj-{A[:74]}_-{A[:74]}", f"sk-svcacct-{A[:60]}", f"sk-admin-{A[:60]}"],
    "API key": [f"sk-{A[:48]}", f"sk-{HEX[:32]}", f"sk-lf-{HEX[:8]}-{HEX[:4]}-{HEX[:4]}-{HEX[:4]}-{HEX[:12]}"],
    "API key, partly hidden": ["sk-proj-****************abcd", "sk-ab12****************wxyz"],
    "OpenAI session": [f"sess-{A[:40]}", f"ek_{HEX[:32]}"],
    "Google key": [f"AIza{A[:35]}", f"AQ.Ab{A[:48]}"],
    "Google token": [f"ya29.a0{A[:60]}", f"GOCSPX-{A[:28]}", f"1//0{A[:60]}"],
    "xAI key": [f"xai-{A[:80]}"],
    "Groq key": [f"gsk_{A[:52]}"],
    "Hugging Face token": [f"hf_{A[:34]}"],
    "Replicate token": [f"r8_{A[:37]}"],
    "Perplexity key": [f"pplx-{A[:48]}"],
    "Fireworks key": [f"fw_{A[:24]}"],
    "Cerebras key": [f"csk-{HEX[:48]}"],
    "NVIDIA key": [f"nvapi-{A[:64]}"],
    "Together key": [f"tgp_v1_{A[:43]}"],
    "Tavily key": [f"tvly-dev-{A[:32]}"],
    "Voyage key": [f"pa-{A[:43]}"],
    "Jina key": [f"jina_{A[:60]}"],
    "Pinecone key": [f"pcsk_{A[:70]}"],
    "ElevenLabs key": [f"sk_{HEX[:48]}"],
    "LangSmith key": [f"lsv2_pt_{HEX[:32]}_{HEX[:10]}"],
    "AWS key": [f"AKIA{UPPER}", f"ASIA{UPPER}", f"ABSK{A[:110]}=="],
    "Azure key": [f"{A[:52]}JQQJ9{A[:27]}"],
    "Databricks token": [f"dapi{HEX[:32]}"],
    "GitHub token": [f"ghp_{A[:36]}", f"gho_{A[:36]}", f"github_pat_{A[:22]}_{A[:59]}"],
    "GitLab token": [f"glpat-{A[:20]}"],
    "Slack token": ["xoxb-123456789012-123456789012-" + A[:24], f"xapp-1-{A[:30]}"],
    "Stripe key": [f"sk_live_{A[:24]}", f"rk_test_{A[:24]}", f"whsec_{A[:32]}"],
    "npm token": [f"npm_{A[:36]}"],
    "PyPI token": [f"pypi-AgE{A[:100]}"],
    "SendGrid key": [f"SG.{A[:22]}.{A[:43]}"],
    "DigitalOcean token": [f"dop_v1_{HEX[:64]}"],
    "JWT": ["eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NSJ9.c2lnbmF0dXJl", "eyJhbGciOiJkaXIifQ..a.b.c"],
    "organisation": [f"org-{A[:24]}", "org_01abcdefghijklmnopqrstuvwx"],
    "project": [f"proj_{A[:24]}"],
    "user": [
        f"user-{A[:24]}",
        "user-jxm65ijkzc1qrfhc0ij8moic",
        f"user_{HEX[:64]}_account_{HEX[:8]}-a_session_{HEX[:8]}",
    ],
}
ALL = [(kind, example) for kind, examples in EXAMPLES.items() for example in examples]

HARMLESS = [
    *("sk-learn-tutorial-for-beginners-2024-edition", "xoxo-hugs-and-kisses-from-grandma-2024"),
    *("xapp-desktop-integration-portal-gtk4", "user-Agent12345678901234567890", "fw_updatefirmware20240101release"),
    *(
        "chatcmpl-AbCdEfGhIjKlMnOpQrStUvWxYz0123",
        "resp_0a1b2c3d4e5f6a7b8c9d0e1f2a3b4c5d6e7f",
        "call_9pw1qHx2Pz4dUEhFhtdmXA3P",
    ),
    *(
        "msg_01AbCdEfGhIjKlMnOpQrStUv",
        "req_011CQabcdefghijklmnopqrst",
        "file-AbCdEfGhIjKlMnOpQrStUvWx",
        "toolu_01AbCdEfGhIjKlMnOp",
    ),
    *(
        "3f2b8c1e-9d4a-4b6f-8e2d-1a2b3c4d5e6f",
        "fp_44709d6fcb",
        "batch_abc123def456ghi789jkl0",
        "asst_AbCdEfGhIjKlMnOpQrStUvWx",
    ),
    *(
        "sk-test",
        "sk-ant-…",
        "sk-...",
        "sk-ant-api03-",
        "sk-learn-contrib-estimators-extended",
        "disk-space-monitoring-service",
    ),
    *(
        "task-0a1b2c3d4e5f6a7b8c9d0e1f",
        "user-defined-functions",
        "user-agent",
        "org-wide",
        "user-specified-configuration-options",
    ),
    *(
        "text-embedding-3-large",
        "claude-sonnet-4-5-20250929",
        "proj_name",
        "hf_hub_download_with_progress",
        "eyJust.a.word",
    ),
    *(
        "https://h.example/v1/chat/completions?stream=true",
        "pk-chess-opening-of-the-year",
        "npm_config_registry_location",
    ),
    *(
        "AIzaShort",
        "AKIAIOSFODNN7",
        "sess-short",
        "xoxo-love-from-your-grandmother"[:20],
        "gAAAAABmZ0" + A[:60],
        HEX[:64],
    ),
]


@pytest.mark.parametrize(("kind", "example"), ALL)
@pytest.mark.parametrize("before", ["", "Bearer ", '"', "\\n", "%3D", "key=", "/", "\\u0022"])
def test_a_published_format_is_known_wherever_it_begins(kind, example, before):
    text = f"{before}{example} and more".encode()
    found = FORMAT.search(text)
    assert found is not None
    assert (FORMATS[found.lastindex - 1].kind, found.group()) == (kind, example.encode())


@pytest.mark.parametrize(("kind", "example"), ALL)
def test_what_is_looked_for_first_is_in_every_format(kind, example):
    assert len(example) >= SHORTEST
    assert may_hold_format(example.encode())
    assert may_hold_format(b"-" * 5000 + example.encode())
    assert format_of(example.encode()).kind == kind


def test_every_format_has_an_example():
    assert {each.kind for each in FORMATS} == set(EXAMPLES)


@pytest.mark.parametrize("text", HARMLESS)
def test_an_ordinary_id_or_word_is_none(text):
    assert list(formats_in(text.encode(), 0, len(text))) == []


@pytest.mark.parametrize("each", FORMATS, ids=lambda each: each.kind)
def test_a_placeholder_is_no_secret_and_can_stand_anywhere(each):
    assert each.placeholder.startswith(PLACEHOLDER.encode())
    assert FORMAT.search(each.placeholder * 3) is None
    assert each.placeholder.replace(b"-", b"").isalpha()


def test_whatever_lets_somebody_in_has_one_placeholder():
    ids = {"organisation", "project", "user"}
    assert {each.placeholder for each in FORMATS if each.kind not in ids} == {b"redacted-secret"}
    assert len({each.placeholder for each in FORMATS if each.kind in ids}) == 3
