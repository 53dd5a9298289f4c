"""Runs every benchmark with the peers that `peers.py` has made, and tells which goals are met.

    python benchmarks/peers.py DIR
    python benchmarks/all.py --peers DIR --json out/
    python benchmarks/tables.py out/

The last makes the tables and the plot of docs/performance.md. All of it takes some 12 minutes, with `--quick` three:
that shows that everything works, and no figure that counts. What fails or is not here is told, and the others go on.
Without `--peers` it takes what is installed beside us. A quiet machine gives the closest ratios.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from peers import BEFORE, NEWEST, Peers
from report import goals, grid, read_results

_HERE = Path(__file__).parent
_SECONDS_TO_END = 900


@dataclass(frozen=True)
class Run:
    """A benchmark in one of the environments."""

    script: str
    environment: str = NEWEST
    options: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What its JSON file is called."""
        return self.script if self.environment == NEWEST else f"{self.script}.{self.environment}"


PLAN = (
    Run("unused", BEFORE, ("--rounds", "7")),
    Run("per_test"),
    Run("per_test", BEFORE, ("--tests", "40", "--rounds", "2")),
    Run("inprocess_replay"),
    Run("growth"),
    Run("match_key"),
    Run("stream_replay", options=("--rounds", "5")),
    Run("cassette_load"),
    Run("cassette_memory"),
    Run("miss_sdk"),
    Run("miss_sdk", BEFORE),
    Run("server_replay"),
    Run("server_fixture"),
    Run("stream_times", options=("--rounds", "4")),
    Run("recording", options=("--rounds", "3")),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers", type=Path, metavar="DIR", help="the folder that peers.py has filled")
    parser.add_argument("--json", type=Path, metavar="DIR", required=True, help="a JSON file for each goes there")
    parser.add_argument("--quick", action="store_true", help="short runs: show that everything works")
    parser.add_argument("--rounds", type=int, help="turns of each contender, in place of what each benchmark takes")
    parser.add_argument("--only", nargs="+", metavar="NAME", help=f"of {', '.join(run.name for run in PLAN)}")
    options = parser.parse_args()
    peers = Peers(options.peers.absolute() if options.peers else None)
    options.json.mkdir(parents=True, exist_ok=True)
    failed = [run.name for run in PLAN if wanted(run, options.only) and not measured(run, peers, options)]
    print("\n" + summary(options.json))
    if failed:
        sys.exit(f"Not all of these could be measured; what they said is above: {', '.join(failed)}")


def wanted(run: Run, only: list[str] | None) -> bool:
    return only is None or run.name in only or run.script in only


def measured(run: Run, peers: Peers, options: argparse.Namespace) -> bool:
    """Whether all went well. Whatever happens, it is said."""
    python = peers.python(run.environment)
    if python is None:
        print(f"\n# {run.name}: left out. peers.py makes the environment {run.environment} that it needs.", flush=True)
        return True
    print(f"\n# {run.name}", flush=True)
    target = options.json / f"{run.name}.json"
    target.unlink(missing_ok=True)  # what is there is not of this run
    rounds = options.rounds or (1 if options.quick else None)
    how = [*run.options, *(["--quick"] if options.quick else []), *(["--rounds", str(rounds)] if rounds else [])]
    command = [python, _HERE / f"{run.script}.py", "--json", target, *how]
    began = time.monotonic()
    try:
        code = subprocess.run(command, env=peers.environ(), timeout=_SECONDS_TO_END).returncode
    except subprocess.TimeoutExpired:
        code = 1
    print(f"\n{run.name} took {time.monotonic() - began:.0f} s.", flush=True)
    return code == 0


def summary(folder: Path) -> str:
    """Each goal, and whether it is met."""
    told = read_results(folder)
    tables = [table for run in PLAN if run.name in told for table in told[run.name]["tables"]]
    return grid(["what", "ratio", "goal", "measured", "met"], goals(tables))


if __name__ == "__main__":
    main()
