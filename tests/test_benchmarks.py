"""Each benchmark runs to its end and tells its ratios. How fast anything is, is not tested."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
SCRIPTS = [
    *("inprocess_replay", "stream_replay", "server_replay", "cassette_load", "miss", "stream_times", "per_test"),
    "recording",
]


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_benchmark_runs_and_its_ratios_are_positive(script, tmp_path):
    told = tmp_path / "told.json"
    command = [sys.executable, BENCHMARKS / f"{script}.py", "--quick", "--rounds", "1", "--json", told]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    tables = json.loads(told.read_text())["tables"]
    ratios = [ratio["median"] for table in tables for ratio in table["ratios"].values()]
    assert tables
    assert all(table["ratios"] for table in tables)
    assert all(ratio > 0 for ratio in ratios)
    assert all(table["title"] in done.stdout for table in tables)
