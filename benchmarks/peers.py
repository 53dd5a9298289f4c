"""Makes what the peers need: two virtual environments and aimock, in a folder outside of the checkout.

    python benchmarks/peers.py DIR

    DIR/v3     today's openai, vcrpy, pytest-recording, cassetter, pytest-httpserver, aimock-pytest, granian
    DIR/v2     openai 2, and the peers that know httpx only: respx, pytest-httpx, openai-responses
    DIR/node   aimock, where there is npm

Both environments hold what this checkout needs; `all.py` measures the checkout that it is in. Where npm or one of
the two environments cannot be had, the benchmarks leave out what needs it, and say so.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]

NEWEST, BEFORE = "v3", "v2"

PACKAGES = {
    NEWEST: ["openai>=3", "vcrpy", "pytest-recording", "cassetter", "pytest-httpserver", "aimock-pytest"],
    BEFORE: ["openai<3", "vcrpy", "pytest-recording", "respx", "pytest-httpx", "openai-responses"],
}

AIMOCK = "AIMOCK_CLI_PATH"
"""The variable by which aimock-pytest, and our benchmarks, know where aimock's cli.js is."""


@dataclass(frozen=True)
class Peers:
    """A folder with the peers. Without a folder: what is installed beside us."""

    folder: Path | None

    def python(self, environment: str) -> Path | None:
        """The interpreter of one of the environments; None where that is not there."""
        if self.folder is None:
            return Path(sys.executable) if environment == NEWEST else None
        found = self.folder / environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
        return found if found.exists() else None

    def environ(self) -> dict[str, str]:
        """What a benchmark runs in: this checkout, whichever the folder was made for, and aimock where it is here."""
        environ = {**os.environ, "PYTHONPATH": str(ROOT)}
        cli = self.folder / "node/node_modules/@copilotkit/aimock/dist/cli.js" if self.folder else None
        return {**environ, AIMOCK: str(cli)} if cli and cli.exists() else environ


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="where they are put; made where it is missing")
    folder: Path = parser.parse_args().folder.absolute()
    made = [_environment(folder, name, packages) for name, packages in PACKAGES.items()]
    if not all([*made, _aimock(folder)]):
        sys.exit("Not all of it could be had. The benchmarks leave out what needs it.")


def _environment(folder: Path, name: str, packages: list[str]) -> bool:
    if not _runs(sys.executable, "-m", "venv", folder / name):
        return False
    python = Peers(folder).python(name)
    return _runs(python, "-m", "pip", "install", "--quiet", "--editable", f"{ROOT}[serve]", "httpx2>=2.12", *packages)


def _aimock(folder: Path) -> bool:
    npm = shutil.which("npm")
    if npm is None:
        print("There is no npm, from which aimock comes.", file=sys.stderr)
        return False
    where = ["--prefix", folder / "node", "@copilotkit/aimock"]
    return _runs(npm, "install", "--silent", "--no-audit", "--no-fund", *where)


def _runs(*command: object) -> bool:
    """Whether a command ends well. What it has to say is seen."""
    print(*command, flush=True)
    return subprocess.run([str(part) for part in command]).returncode == 0


if __name__ == "__main__":
    main()
