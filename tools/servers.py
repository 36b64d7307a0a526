"""`python -m tools.servers [--all]`: Debian's programs that tests start beside ours, installed where that may be done.

What is absent is said in one line, and its tests are skipped; with `--all` the status is 1 then: the build machine skips none of these.
"""

import sys
from pathlib import Path

from tools.chromium import install, may_install

NATS, SOFTHSM = "nats-server", "softhsm2"
PLACES = {NATS: "usr/sbin/nats-server", SOFTHSM: "usr/lib/softhsm/libsofthsm2.so"}
INSTALL = "apt-get install --no-install-recommends"
ROOT = Path("/")


def place(package: str, root: Path = ROOT) -> Path:
    """Where Debian's package puts what the tests need."""
    return root / PLACES[package]


def missing(root: Path = ROOT) -> list[str]:
    """Names of the packages that are not there."""
    return [package for package in PLACES if not place(package, root).is_file()]


def lacks(package: str) -> str:
    """Why its tests are skipped; empty when they are not."""
    return f"no {package} here: {INSTALL} {package}" if package in missing() else ""


def main(arguments: list[str], root: Path = ROOT) -> int:
    """Install, say, judge."""
    absent = missing(root)
    if absent and root == ROOT and may_install():
        install(absent)
        absent = missing(root)
    if absent:
        sys.stderr.write(f"some tests need: {' '.join(absent)} (Debian: {INSTALL} {' '.join(absent)})\n")
    return 1 if absent and "--all" in arguments else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
