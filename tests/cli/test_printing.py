"""What commands share when they print."""

from __future__ import annotations

import io

import pytest

from pytest_llmmock.cli.printing import wrapped


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


WORDS = "one two three four"


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "10")
    monkeypatch.setenv("LINES", "5")


def test_a_terminal_gets_lines_that_fit(narrow):
    assert wrapped(WORDS, Terminal()) == "one two\nthree four"


def test_an_address_stays_in_one_piece_so_that_it_can_be_copied(narrow):
    assert wrapped(f"  http://127.0.0.1/x y z\n{WORDS}", Terminal()) == "  http://127.0.0.1/x y z\none two\nthree four"


def test_a_file_gets_lines_as_they_are(narrow):
    assert wrapped(WORDS, io.StringIO()) == WORDS
