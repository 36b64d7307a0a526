"""`python -m standalone reset`: delete a data folder that nothing uses any more."""

import shutil
import sys
from pathlib import Path

from standalone import stores
from standalone.failure import StoreError
from standalone.options import Options

MARKS = {"secrets", "logs", "run", "certs", "world"}
"""A folder without any of these is not one of ours, and is not deleted."""


def reset(options: Options, *, sure: bool) -> None:
    """Ask, then delete. Raises StoreError while a system runs on it."""
    root = options.data.resolve()
    if not root.exists():
        print(f"{root} is not there; nothing to delete")
        return
    if not MARKS.intersection(path.name for path in root.iterdir()):
        raise StoreError(f"{root} does not look like a data folder; not deleted")
    if not sure and not _agreed(root):
        print("nothing deleted")
        return
    stores.remove(root)
    shutil.rmtree(root)
    print(f"deleted {root}")


def _agreed(root: Path) -> bool:
    if not sys.stdin.isatty():
        return True
    return input(f"delete {root} with all its visits, recordings and keys? [y/N] ").strip().lower() == "y"
