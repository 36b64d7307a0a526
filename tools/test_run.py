"""`make test`: every test; the few that failed beside others are run once more, alone, and must pass there.

Browsers, media processes and whole systems share two cores, and now and then one of them is starved for seconds. What does
not fail again is unsteady: it is named in the last lines and in `artefacts/unsteady.txt`, for somebody to find out why.
What fails again, a race, or more failures than `MOST`, fails the run (docs/decisions/0016).
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tools.failed_tests import VARIABLE

MOST = 3
RACES = "tests/races/"
"""What happens by chance is what these are about: one failure is one too many."""
REPORT = Path("artefacts/unsteady.txt")
SOME_FAILED = 1
"""pytest's status for exactly that; any other is no matter of chance."""


def run(arguments: list[str]) -> int:
    """pytest's status, 0 when what failed passed alone."""
    REPORT.unlink(missing_ok=True)
    status, failed = _pytest(arguments)
    if status != SOME_FAILED or not 0 < len(failed) <= MOST or any(map(_is_race, failed)):
        return status
    print(f"\n{len(failed)} failed beside others; once more, alone:\n", flush=True)
    again, _ = _pytest(failed)
    if again:
        return again
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text("".join(f"{name}\n" for name in failed), encoding="utf-8")
    print("\nUNSTEADY: failed beside others and passed alone:", *failed, sep="\n  ", flush=True)
    return 0


def _is_race(name: str) -> bool:
    return name.startswith(RACES)


def _pytest(arguments: list[str]) -> tuple[int, list[str]]:
    """Status, and what failed."""
    with tempfile.TemporaryDirectory(prefix="test-run-") as folder:
        named = Path(folder) / "failed"
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-p", "tools.failed_tests", *arguments],
            env={**os.environ, VARIABLE: str(named)}, check=False,
        )  # fmt: skip
        return done.returncode, named.read_text(encoding="utf-8").splitlines() if named.exists() else []


if __name__ == "__main__":
    raise SystemExit(run(sys.argv[1:]))
