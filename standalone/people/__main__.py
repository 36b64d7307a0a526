"""`python -m standalone.people --out DIR`: make a world."""

import argparse
import sys
import time
from datetime import date
from pathlib import Path

from foundation.clock import Clock
from standalone.people.world import DEFAULT_SEED, SIZES, make_world


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m standalone.people", description="Make a world of demo people."
    )
    parser.add_argument("--out", type=Path, required=True, help="folder for the files")
    parser.add_argument(
        "--size", choices=SIZES, default="m", help="1,000, 10,000, 100,000 or 1,000,000 residents"
    )
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED)
    parser.add_argument(
        "--today", type=date.fromisoformat, default=None, help="the day the world is made for"
    )
    chosen = parser.parse_args(arguments)
    started = time.monotonic()
    try:
        make_world(chosen.out, chosen.size, chosen.seed, today=chosen.today or Clock().today(), say=_say)
    except OSError as problem:
        sys.stderr.write(f"--out cannot be used: {chosen.out}: {problem.strerror}\n")
        raise SystemExit(2) from None
    print(f"{SIZES[chosen.size]} residents in {chosen.out} after {time.monotonic() - started:.1f} s")


def _say(text: str) -> None:
    sys.stderr.write(f"world: {text}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    main()
