from __future__ import annotations

import pytest

from pytest_llmmock.cassettes.words import is_name, reads

READ = [
    *("development", "customerOrders", "created_at_desc_2024", "2024-01-01-home-page", "customer_orders_2024_q1"),
    *("process.env.OPENAI_API_KEY_PROD1", "San Francisco 94103", "postgres1", "learn-tutorial-for-beginners-2024"),
]
DRAWN = ["abcdefghijkl", "p4ssw0rd", "aB3dE5gH7j", "0a1b2c3d", "hunter2hunter2", "aBcDeFgHiJ", "abcdef123456789"]
NAMES = [
    *("claude-sonnet-4-5", "gpt-4o-mini-2024-07-18", "anthropic.claude-3-5-sonnet-20241022-v2:0", "o3-mini"),
    *("meta-llama/Llama-3.3-70B-Instruct", "text-embedding-3-large", "europe-west1-b", "us-east-1", "us-gov-west-1"),
    *("http://localhost:8080/tok", "/home/me/.ssh/id_ed25519", "C:\\keys\\a1b2c3d4", "northamerica-northeast1-a"),
]
NO_NAMES = ["plain-token-value-123", "https://h.example/services/aB3dE5gH7jaB3dE5gH7j", "gpt-aB3dE5gH7j"]


@pytest.mark.parametrize("value", READ)
def test_words_and_numbers_can_be_read(value):
    assert reads(value)


@pytest.mark.parametrize("value", DRAWN)
def test_what_was_drawn_cannot(value):
    assert not reads(value)


@pytest.mark.parametrize("value", NAMES)
def test_what_names_a_model_a_region_or_a_place_is_a_name(value):
    assert is_name(value)


@pytest.mark.parametrize("value", NO_NAMES)
def test_what_names_nothing_well_known_is_none(value):
    assert not is_name(value)
