"""The data folder of one installation: what lies where, and how private files are written."""

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class DataFolder:
    """Everything that one installation on one machine keeps."""

    root: Path

    @property
    def certs(self) -> Path:
        """Certificates and their keys."""
        return self.root / "certs"

    @property
    def secrets(self) -> Path:
        """Generated passwords and keys."""
        return self.root / "secrets"

    @property
    def world(self) -> Path:
        """The generated residents, doctors, drugs (docs/world.md)."""
        return self.root / "world"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def run(self) -> Path:
        """What is true only while the processes run."""
        return self.root / "run"

    @property
    def postgres(self) -> Path:
        """Home of the embedded database, unless its account cannot come here (`postgres.py`)."""
        return self.root / "postgres"


def data_folder(root: Path) -> DataFolder:
    """The folder, made if need be, by its real path."""
    root.mkdir(parents=True, exist_ok=True)
    folder = DataFolder(root.resolve())
    folder.secrets.mkdir(mode=0o700, exist_ok=True)
    for part in (folder.logs, folder.run):
        part.mkdir(mode=0o755, exist_ok=True)
    return folder


def write_private(path: Path, content: bytes, owner: tuple[int, int] | None = None) -> None:
    """Whole or not at all, mode 0600; `owner` (uid, gid) when another account has to read it."""
    half = path.with_name(f".{path.name}.{os.getpid()}")
    with contextlib.suppress(FileNotFoundError):
        half.unlink()
    with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        if owner is not None:
            os.fchown(file.fileno(), *owner)
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    half.replace(path)
