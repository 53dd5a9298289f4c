"""What a run may ask, and what it has asked in all of its processes."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from pytest_llmmock.cassettes.budget import Budget, InFile, InMemory, Spent, one_more, read_budget, with_tokens
from pytest_llmmock.errors import UsageError

RUN = "2026-11-20T10:30:01.123Z"


@pytest.mark.parametrize(
    ("text", "budget", "shown"),
    [
        ("20", Budget(requests=20), "20 requests"),
        (1, Budget(requests=1), "1 request"),
        ("20 requests", Budget(requests=20), "20 requests"),
        ("200000 tokens", Budget(tokens=200_000), "200000 tokens"),
        ("200k tokens", Budget(tokens=200_000), "200000 tokens"),
        (" 2M Tokens ", Budget(tokens=2_000_000), "2000000 tokens"),
    ],
)
def test_it_is_a_number_of_requests_or_of_tokens(text, budget, shown):
    assert read_budget(text) == budget
    assert str(budget) == shown
    assert read_budget(shown.removesuffix("s") + "s") == budget


@pytest.mark.parametrize("text", ["", "0", "-5", "some", "1.5", "5 euros", "tokens", "0 tokens"])
def test_what_is_neither_is_refused(text):
    with pytest.raises(UsageError, match="A budget is a number of requests, such as 20, or of tokens"):
        read_budget(text)


@pytest.mark.parametrize(
    ("spent", "budget", "reached"),
    [
        (Spent(19, 10**9), Budget(requests=20), False),
        (Spent(20, 0), Budget(requests=20), True),
        (Spent(10**9, 99), Budget(tokens=100), False),
        (Spent(1, 100), Budget(tokens=100), True),
    ],
)
def test_it_is_spent_when_as_much_was_asked(spent, budget, reached):
    assert spent.reaches(budget) == reached


def test_what_was_spent_is_told():
    assert str(Spent(1, 0)) == "1 request"
    assert str(Spent(20, 41_234)) == "20 requests, 41k tokens"


@pytest.fixture(params=["memory", "file"])
def ledger(request, tmp_path):
    return InMemory() if request.param == "memory" else InFile(tmp_path, RUN)


def test_a_ledger_tells_what_was_before_and_keeps_what_is_after(ledger):
    assert ledger.change(one_more) == Spent()
    assert ledger.change(lambda spent: with_tokens(spent, 7)) == Spent(1)
    assert ledger.change(lambda spent: spent) == Spent(1, 7)


def test_nobody_comes_between(ledger):
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: ledger.change(one_more), range(100)))
    assert ledger.change(lambda spent: spent) == Spent(100)


def test_the_processes_of_one_run_share_a_file_and_other_runs_have_their_own(tmp_path):
    code = (
        "import sys; from pathlib import Path; from pytest_llmmock.cassettes.budget import InFile, one_more\n"
        f"for _ in range(20): InFile(Path(sys.argv[1]), {RUN!r}).change(one_more)"
    )
    command = [sys.executable, "-c", code, tmp_path]
    processes = [subprocess.Popen(command) for _ in range(3)]
    assert [process.wait() for process in processes] == [0, 0, 0]
    assert InFile(tmp_path, RUN).change(lambda spent: spent) == Spent(60)
    assert InFile(tmp_path, "2026-11-21T10:30:01.123Z").change(lambda spent: spent) == Spent()


def test_the_file_is_hidden_from_git_and_that_of_an_older_run_goes(tmp_path):
    import os

    InFile(tmp_path, RUN).change(one_more)
    [old] = (tmp_path / ".llmmock" / "spent").iterdir()
    os.utime(old, (0, 0))
    InFile(tmp_path, "later").change(one_more)
    assert [path.name for path in (tmp_path / ".llmmock" / "spent").iterdir()] == ["later.json"]
    assert (tmp_path / ".llmmock" / ".gitignore").read_text() == "*\n"
