"""Each benchmark runs to its end and tells its ratios. How fast anything is, is not tested."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
SCRIPTS = [
    *("inprocess_replay", "stream_replay", "server_replay", "cassette_load", "miss", "stream_times", "per_test"),
    *("recording", "unused", "growth", "match_key", "cassette_memory", "miss_sdk", "server_fixture"),
]


def run(script, *arguments):
    """The script's output. aimock takes long to start, and is a peer's: it is left out, as the others may be."""
    environ = {name: value for name, value in os.environ.items() if name != "AIMOCK_CLI_PATH"}
    command = [sys.executable, BENCHMARKS / f"{script}.py", *arguments]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_benchmark_runs_and_tells_its_ratios(script, tmp_path):
    told = tmp_path / "told.json"
    output = run(script, "--quick", "--rounds", "1", "--json", told)
    tables = json.loads(told.read_text())["tables"]
    assert tables
    assert all(table["ratios"] or table["left_out"] for table in tables)
    assert any(ratio["median"] > 0 for table in tables for ratio in table["ratios"])
    assert all(table["title"] in output for table in tables)


def test_one_command_runs_what_is_asked_for_and_another_makes_page_and_plot_of_it(tmp_path):
    results, docs = tmp_path / "out", tmp_path / "docs"
    docs.mkdir()
    page = docs / "performance.md"
    page.write_text("Before.\n\n<!-- measured: cassette_load -->\nold\n<!-- end -->\n\nBehind.\n")
    output = run("all", "--only", "cassette_load", "--quick", "--json", results)
    assert "| met |" in output
    run("tables", results, "--docs", docs)
    made = page.read_text()
    assert made.startswith("Before.")
    assert made.endswith("<!-- end -->\n\nBehind.\n")
    assert "First answer from" in made
    assert "old" not in made
    plot = ElementTree.parse(docs / "performance.svg")
    assert any("vcrpy" in (title.text or "") for title in plot.iter("{http://www.w3.org/2000/svg}title"))


def test_a_contender_that_is_not_here_or_fails_is_told_and_the_others_go_on(tmp_path):
    script = tmp_path / "sample.py"
    script.write_text(SAMPLE)
    told = tmp_path / "told.json"
    environ = {**os.environ, "PYTHONPATH": str(BENCHMARKS)}
    done = subprocess.run([sys.executable, script, "--json", told], env=environ, capture_output=True, text=True)
    assert done.returncode == 1
    assert "It needs something else." in done.stdout
    assert "It failed: ZeroDivisionError: " in done.stdout
    (table,) = json.loads(told.read_text())["tables"]
    assert table["medians"] == {"ours": {"us": 1.0}, "floor": {"us": 2.0}}
    assert [(ratio["name"], ratio["median"], ratio["met"]) for ratio in table["ratios"]] == [
        ("us: ours / floor", 0.5, False)
    ]


SAMPLE = """
from harness import Absent, Contender, Ratio, Table, main

def absent():
    raise Absent("something else")

def tables(options):
    contenders = [
        Contender("ours", lambda: {"us": 1.0}),
        Contender("absent", absent),
        Contender("broken", lambda: {"us": 1 / 0}),
        Contender("floor", lambda: {"us": 2.0}),
    ]
    ratios = [Ratio("us", "ours", "floor", at_most=0.4), Ratio("us", "absent", "ours"), Ratio("us", "ours", "broken")]
    yield Table("a sample", contenders, ratios)

main("A sample.", tables, rounds=3)
"""
