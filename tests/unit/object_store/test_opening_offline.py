"""The hospital's own commands: another process, no network, no settings."""

import asyncio
import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

from foundation.crypto import Keyring
from foundation.object_store import FolderStore
from foundation.object_store.kept import Recipient, kept_head, kept_pieces
from tests.contract.hospitals import ROOT
from tests.unit.object_store.conftest import CONTENT, KEY, stream


def kept(*arguments: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "front_gateway", "kept", *arguments], cwd=folder, env={"PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


@pytest.fixture
def hospital(tmp_path: Path) -> Path:
    """A folder with the hospital's pair of keys, the private one under a passphrase."""
    (tmp_path / "passphrase").write_text("正确的 horse\n", encoding="utf-8")
    made = kept(
        "key",
        "--private",
        "kept.key",
        "--public",
        "kept.pem",
        "--passphrase-file",
        "passphrase",
        folder=tmp_path,
    )
    assert made.returncode == 0, made.stderr
    return tmp_path


@pytest.fixture
def copy(hospital: Path, folder_store: FolderStore, keyring: Keyring) -> Path:
    """A copy as it lies in the hospital's store."""
    asyncio.run(folder_store.put(KEY, stream(CONTENT)))
    with folder_store.sealed(KEY) as file:
        head = kept_head(file, keyring, KEY, Recipient.load((hospital / "kept.pem").read_bytes()))
    path = hospital / "copy"
    path.write_bytes(b"".join(kept_pieces(folder_store, KEY, head)))
    return path


def opened(hospital: Path, *more: str) -> "subprocess.CompletedProcess[str]":
    return kept("open", "copy", "--key", "kept.key", *more, folder=hospital)


def test_the_hospital_opens_a_copy_with_its_key(copy: Path, hospital: Path) -> None:
    done = opened(hospital, "--passphrase-file", "passphrase", "--out", "film.mkv")

    assert done.returncode == 0, done.stderr
    assert (hospital / "film.mkv").read_bytes() == CONTENT
    assert KEY in done.stdout
    assert hashlib.sha256(CONTENT).hexdigest() in done.stdout


def test_without_the_passphrase_nothing_opens(copy: Path, hospital: Path) -> None:
    done = opened(hospital, "--out", "film.mkv")

    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert not (hospital / "film.mkv").exists()


def test_a_changed_copy_leaves_no_file_behind(copy: Path, hospital: Path) -> None:
    raw = bytearray(copy.read_bytes())
    raw[-1] ^= 1
    copy.write_bytes(raw)

    done = opened(hospital, "--passphrase-file", "passphrase", "--out", "film.mkv")

    assert done.returncode == 2
    assert "changed" in done.stderr
    assert not (hospital / "film.mkv").exists()


def test_a_copy_that_was_cut_off_opens_up_to_there_and_says_so(copy: Path, hospital: Path) -> None:
    copy.write_bytes(copy.read_bytes()[:-10])

    done = opened(hospital, "--passphrase-file", "passphrase", "--out", "film.mkv")

    assert done.returncode == 1
    assert CONTENT.startswith((hospital / "film.mkv").read_bytes())


def test_no_key_and_no_file_is_overwritten(copy: Path, hospital: Path) -> None:
    before = (hospital / "kept.key").read_bytes()

    again = kept("key", "--private", "kept.key", "--public", "other.pem", folder=hospital)
    over = opened(hospital, "--passphrase-file", "passphrase", "--out", "kept.key")

    assert (again.returncode, over.returncode) == (2, 2)
    assert (hospital / "kept.key").read_bytes() == before
