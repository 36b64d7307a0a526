"""Commands for the hospital: its pair of keys, and opening a kept copy with the private one, without a network and without us."""

import hashlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from foundation.object_store import Damaged
from foundation.object_store.kept import NotAKey, load_private, new_pair, open_kept


def make_key(private: Path, public: Path, passphrase: Path | None) -> int:
    """Write a new pair; nothing is ever overwritten. Exit status."""
    try:
        halves = new_pair(_passphrase(passphrase))
        for path, content, mode in ((private, halves[0], 0o600), (public, halves[1], 0o644)):
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
                file.write(content)
    except OSError as error:
        return _failed(f"{error.filename}: {error.strerror}")
    sys.stdout.write(f"私钥 {private}（留在院内，另行备份）\n公钥 {public}（交给云端，KEPT_PUBLIC_KEY）\n")
    return 0


def open_file(path: Path, key: Path, passphrase: Path | None, out: Path | None) -> int:
    """Open one copy; 1 when it has no end (a recording that was cut off), 2 when it cannot be opened."""
    try:
        private = load_private(key.read_bytes(), _passphrase(passphrase))
        with path.open("rb") as file, _target(out) as target:
            name, reader = open_kept(file, private)
            digest, size = hashlib.sha256(), 0
            for piece in reader.chunks():
                digest.update(piece)
                size += len(piece)
                if target is not None:
                    target.write(piece)
    except (Damaged, NotAKey) as error:
        return _failed(f"{path}: {error}")
    except OSError as error:
        return _failed(f"{error.filename}: {error.strerror}")
    whole = "完整" if reader.complete else "没有结尾：书写中断，至此为止可读"
    sys.stdout.write(f"{name}\n{size} 字节，SHA-256 {digest.hexdigest()}，{whole}\n")
    return 0 if reader.complete else 1


def _passphrase(path: Path | None) -> bytes:
    return path.read_bytes().partition(b"\n")[0].strip(b"\r") if path is not None else b""


@contextmanager
def _target(out: Path | None) -> Iterator[BinaryIO | None]:
    """Patients' content: for its owner only, never over another file, and not left behind in part when it does not open."""
    if out is None:
        yield None
        return
    try:
        with os.fdopen(os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            yield file
    except Damaged:
        out.unlink(missing_ok=True)
        raise


def _failed(why: str) -> int:
    sys.stderr.write(f"front_gateway kept: {why}\n")
    return 2
