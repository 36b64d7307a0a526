"""`make check`: every checker over every package, two at a time, each with its time; the first failure fails the whole."""

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path


def commands(packages: list[str]) -> dict[str, list[str]]:
    """What is run, by the name it is reported under."""
    here = Path(sys.executable).parent
    return {
        "mypy": [str(here / "mypy"), "--strict", *packages],
        "ruff check": [str(here / "ruff"), "check", "--quiet", *packages],
        "ruff format": [str(here / "ruff"), "format", "--check", "--quiet", *packages],
        "import rules": [str(here / "lint-imports"), "--config", "importlinter.toml"],
        "house rules": [
            sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider",
            "tests/test_house_rules.py", "tests/test_docs_are_fresh.py",
        ],
    }  # fmt: skip


def _run(command: list[str]) -> tuple[int, str, float]:
    begun = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr, time.monotonic() - begun


def main() -> None:
    """Run all, print the output of those that found something."""
    packages = [name for name in sys.argv[1:] if any(Path(name).rglob("*.py"))]
    chosen = commands(packages)
    failed = False
    with ThreadPoolExecutor(max_workers=2) as pool:
        for name, result in zip(chosen, pool.map(_run, chosen.values()), strict=True):
            status, output, seconds = result
            print(f"{'ok    ' if status == 0 else 'FAILED'} {name:<13} {seconds:5.1f} s", flush=True)
            if status:
                failed = True
                print(output)
    raise SystemExit(int(failed))


if __name__ == "__main__":
    main()
