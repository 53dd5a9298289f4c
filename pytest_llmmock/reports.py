"""What a run did, for people and programs: a line, a table, Markdown, JSON, a page."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from . import __version__
from .beside import given
from .cassettes import library
from .cassettes.aside import FAILED
from .core.summary import plural, rounded
from .errors import UsageError
from .session import CassetteUse, Session

COLUMNS = ("tests", "replayed", "recorded", "unmatched", "unused", "tokens")


def line(session: Session) -> str:
    """`212 replayed, 3 recorded, 0 unmatched · 41k tokens replayed · cassettes: 2 unused interactions`"""
    return " · ".join(["llmmock: " + ", ".join(_counted(session)), *_noted(session)])


def _counted(session: Session) -> Iterator[str]:
    for what in ("replayed", "recorded", "unmatched"):
        yield f"{session.uses.total(what)} {what}"


def _noted(session: Session) -> Iterator[str]:
    """What is worth saying, and only that."""
    total = session.uses.total
    if total("scripted"):
        yield f"{total('scripted')} scripted"
    if total("tokens"):
        yield f"{rounded(total('tokens'))} tokens replayed"
    if total("egress"):
        yield f"{plural(total('egress'), 'connection')} to model providers stopped"
    if session.dropped:
        yield f"{plural(session.dropped, 'unused interaction')} dropped"
    found = [*_unused(session)]
    if found:
        yield "cassettes: " + ", ".join(found)
    if any(map(total, _BROKEN)):
        counts = (f"{plural(total(kind), 'request')} {words}" for kind, words in _BROKEN.items() if total(kind))
        yield "contract: " + ", ".join(counts)
    if total("abandoned"):
        left = f"{plural(total('abandoned'), 'stream')} left by the client before the end, and not recorded"
        yield f"{left} (see record_abandoned)"
    if total("refused"):
        yield f"{plural(total('refused'), 'error')} of the upstream not recorded (record_errors is off)"
    if total("aside"):
        tests = plural(total("aside"), "test")
        yield f"recordings of {tests} kept aside, because their test did not pass: {FAILED} (llmmock accept)"


_BROKEN = {
    "contract_refused": "refused as the API would",
    "contract_warned": "that the API would refuse",
    "contract_hints": "with a hint",
}
"""What is counted of requests that are checked, and what that is called."""

_TOLD = 10
"""Requests that are told at the end; the report has them all."""


def contract(session: Session) -> list[str]:
    """What the API would not take, each request with its tests, and what could not be checked."""
    tests: dict[str, list[str]] = {}
    for test in session.uses.tests:
        for text in test["contract"]:
            tests.setdefault(text, []).append(test["test"])
    told = [f"llmmock contract: {_by(names)}: {text}" for text, names in list(tests.items())[:_TOLD]]
    more = [f"llmmock contract: {len(tests) - _TOLD} more"] if len(tests) > _TOLD else []
    unchecked = dict.fromkeys(text for test in session.uses.tests for text in test["unchecked"])
    return [*told, *more, *(f"llmmock contract: {text}" for text in unchecked)]


def _by(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]} and {plural(len(names) - 1, 'other test')}"


def _unused(session: Session) -> Iterator[str]:
    unused = sum(map(len, session.unused.values()))
    if unused:
        yield plural(unused, "unused interaction")
    if session.orphans:
        yield f"{len(session.orphans)} not used by any test"


# --- more of it -----------------------------------------------------------------------------------------


def rows(session: Session) -> list[list[str]]:
    """A row for each cassette, those first that need a look."""
    cassettes = sorted(session.uses.cassettes.values(), key=lambda each: (-each.count("unmatched"), each.path))
    return [[each.path, *(str(_cell(each, name, session)) for name in COLUMNS)] for each in cassettes]


def _cell(cassette: CassetteUse, column: str, session: Session) -> int:
    if column == "tests":
        return len(cassette.tests)
    return len(session.unused.get(cassette.path, ())) if column == "unused" else cassette.count(column)


def table(session: Session) -> list[str]:
    """The rows as text, and what nobody used by name."""
    cells = [["CASSETTE", *(name.upper() for name in COLUMNS)], *rows(session)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
    lines = [_aligned(row, widths) for row in cells]
    numbers = {path: ", ".join(f"#{number}" for number in found) for path, found in session.unused.items()}
    lines += [f"not used: {path}  {found}" for path, found in numbers.items()]
    return lines + [f"not used by any test: {path}" for path in session.orphans]


def _aligned(row: list[str], widths: list[int]) -> str:
    numbers = (cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))
    return "  ".join([row[0].ljust(widths[0]), *numbers])


def markdown(session: Session) -> str:
    """For a pull request or the summary of a CI job."""
    head = ["Cassette", *(name.capitalize() for name in COLUMNS)]
    lines = [f"### {line(session)}", "", _piped(head), _piped(["---", *["---:"] * len(COLUMNS)])]
    lines += [_piped([f"`{row[0]}`", *row[1:]]) for row in rows(session)]
    lines += [_folded(test["test"], test["trouble"]) for test in session.uses.tests if test["trouble"]]
    if session.orphans:
        lines += ["", "Not used by any test: " + ", ".join(f"`{path}`" for path in session.orphans)]
    return "\n".join(lines) + "\n"


def _piped(cells: list[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _folded(test: str, trouble: str) -> str:
    fence = "`" * 3
    while fence in trouble:
        fence += "`"
    head = f"<details><summary><code>{_escaped(test)}</code></summary>"
    return f"\n{head}\n\n{fence}text\n{trouble}\n{fence}\n\n</details>"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def data(session: Session) -> dict[str, Any]:
    """All of it, for programs."""
    uses = session.uses
    names = sorted({name for test in uses.tests for name in test["counts"]})
    return {
        "llmmock": __version__,
        "whole_run": uses.whole,
        "totals": {name: uses.total(name) for name in names},
        "cassettes": [_object(row, session) for row in rows(session)],
        "not_used_by_any_test": session.orphans,
        "tests": uses.tests,
    }


def _object(row: list[str], session: Session) -> dict[str, Any]:
    counts = dict(zip(COLUMNS, map(int, row[1:]), strict=True))
    return {"path": row[0], **counts, "unused_numbers": session.unused.get(row[0], [])}


def _page(session: Session) -> str:
    from .page import page

    return page(data(session), line(session), [*_warnings(session), *contract(session)])


WRITERS: dict[str, Callable[[Session], str]] = {
    ".html": _page,
    ".json": lambda session: json.dumps(data(session), ensure_ascii=False, indent=2) + "\n",
    ".md": markdown,
}
"""Ending of a report's file -> its text."""


def check(path: str) -> None:
    """Raises `UsageError` for a report that nobody can write."""
    if Path(path).suffix not in WRITERS:
        kinds = f"{', '.join([*WRITERS][:-1])} or {[*WRITERS][-1]}"
        raise UsageError(f"--llm-report={path}: a report is written as {kinds}, told by the ending of the file's name.")


def tell(session: Session, config: pytest.Config, say: Callable[[str], object]) -> None:
    """Tell what the run did, wherever it is to be told."""
    say(line(session))
    for warning in _warnings(session):
        say(f"llmmock: {warning}")
    more = table(session) if config.getoption("verbose") > 0 else []
    troubles = [*session.troubles, *_written(session, config)]
    for text in [*contract(session), *more, *(f"llmmock: {trouble}" for trouble in troubles)]:
        say(text)


def _warnings(session: Session) -> dict[str, None]:
    """Each once, in their order."""
    return dict.fromkeys(warning for test in session.uses.tests for warning in test["warnings"])


def _written(session: Session, config: pytest.Config) -> Iterator[str]:
    """Write the reports that are asked for; yields what went wrong."""
    asked_for = given(config, "llm_report")
    if asked_for:
        path = config.invocation_params.dir / asked_for
        yield from _attempt(path, lambda: library.write(path, WRITERS[path.suffix](session).encode()))
    summary = os.environ.get("GITHUB_STEP_SUMMARY")
    if summary:
        yield from _attempt(Path(summary), lambda: _append(Path(summary), markdown(session)))


def _attempt(path: Path, write: Callable[[], object]) -> Iterator[str]:
    try:
        write()
    except OSError as error:
        yield f"The report {path} cannot be written: {error.strerror or error}."


def _append(path: Path, text: str) -> None:
    with open(path, "a", encoding="utf-8") as file:
        file.write(text)
