"""The report of a run as a page for a browser: one file, which fetches nothing and runs nothing."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from typing import Any

COUNTED = ("replayed", "recorded", "scripted", "unmatched", "tokens")
"""What is told of each test, and of all."""


def page(report: Mapping[str, Any], line: str, told: list[str]) -> str:
    """The page of a report, as it is written for programs; `line` says it in short, `told` what else was said."""
    from jinja2 import Environment, StrictUndefined

    columns = [name for name in report["cassettes"][0] if name not in _NOT_COUNTED] if report["cassettes"] else []
    template = Environment(autoescape=True, undefined=StrictUndefined).from_string(_template())
    return template.render(
        title="Language models in the tests",
        line=line,
        told=told,
        totals=[(name, report["totals"].get(name, 0)) for name in COUNTED],
        troubles=[test for test in report["tests"] if test["trouble"]],
        columns=columns,
        cassettes=[(each["path"], [(name, each[name]) for name in columns]) for each in report["cassettes"]],
        unused=[(each["path"], each["unused_numbers"]) for each in report["cassettes"] if each["unused_numbers"]],
        orphans=report["not_used_by_any_test"],
        counted=COUNTED,
        tests=report["tests"],
        version=report["llmmock"],
    )


_NOT_COUNTED = ("path", "unused_numbers")


def _template() -> str:
    return files(__package__).joinpath("page.html").read_text("utf-8")
