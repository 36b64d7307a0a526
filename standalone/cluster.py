"""The embedded database's files: where they are, how they are made, which databases and roles stand in them."""

import contextlib
import hashlib
import os
import shutil
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path

from standalone.account import Account, can_pass, owner_account, server_account
from standalone.binaries import SHARED
from standalone.failure import StoreError
from standalone.passwords import Passwords
from standalone.paths import DataFolder, write_private

DATABASES = ("hospital", "regulator")
SUPERUSER = "postgres"


@dataclass(frozen=True)
class Home:
    """The folder, mode 0700, that belongs to the database's account; the cluster is inside."""

    path: Path
    account: Account

    @property
    def cluster(self) -> Path:
        return self.path / "cluster"

    @property
    def prepared(self) -> Path:
        """A mark: the databases and roles of `sql` exist."""
        return self.path / "prepared"


def outside(folder: DataFolder) -> Path:
    """The home where the account cannot reach the data folder, as `nobody` cannot reach /root."""
    return SHARED / f"internet-hospital-{hashlib.sha256(str(folder.root).encode()).hexdigest()[:16]}"


def exists(folder: DataFolder) -> bool:
    return any((home / "cluster").exists() for home in (folder.postgres, outside(folder)))


def find_home(folder: DataFolder) -> Home:
    """The home in use, or the one to use from now on; made if need be. Raises StoreError."""
    inside, away = folder.postgres, outside(folder)
    path = away if (away / "cluster").exists() and not (inside / "cluster").exists() else inside
    home = Home(path, owner_account(path))
    if home.account.lent and path == inside and not can_pass(folder.root, home.account):
        if home.cluster.exists():
            raise StoreError(f"the database in {path} has become unreachable for the account that runs it")
        home = Home(away, owner_account(away))
    with contextlib.suppress(FileExistsError):
        home.path.mkdir(mode=0o700)
        home.account.own(home.path)
    found = home.path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != home.account.uid or found.st_mode & 0o077:
        raise StoreError(
            f"{home.path} does not belong to the account that runs the database, or is open to others"
        )
    return home


def make_cluster(home: Home, programs: Path, passwords: Passwords) -> None:
    """initdb beside the final place, then one rename: a cluster is either whole or not there."""
    half = home.path / "cluster.half"
    shutil.rmtree(half, ignore_errors=True)
    password_file = home.path / "password"
    write_private(password_file, passwords.postgres.encode(), _owner(home.account))
    made = subprocess.run(
        [
            str(programs / "initdb"), "-D", str(half), "--username", SUPERUSER, "--pwfile", str(password_file),
            "--auth", "scram-sha-256", "--encoding", "UTF8", "--locale-provider", "builtin", "--locale", "C.UTF-8",
            "--no-sync", "--no-instructions",
        ],
        capture_output=True, text=True, check=False, **home.account.process_arguments(),
    )  # fmt: skip
    password_file.unlink()
    if made.returncode != 0:
        raise StoreError(f"the database cannot be made in {home.path}: {' '.join(made.stderr.split())}")
    half.rename(home.cluster)


def require_same_version(home: Home, programs: Path) -> None:
    """Raises StoreError when the files were made by another major version."""
    shown = subprocess.run(
        [str(programs / "postgres"), "--version"], capture_output=True, text=True, check=True
    )
    ours = shown.stdout.split()[-1].split(".")[0]
    theirs = (home.cluster / "PG_VERSION").read_text().strip()
    if ours != theirs:
        raise StoreError(
            f"the database in {home.cluster} is of PostgreSQL {theirs}, the programs are of {ours}"
        )


def sql(passwords: Passwords) -> str:
    """Databases with an owner each, closed to everybody else. May run again: passwords are set anew."""
    lines = ["\\set ON_ERROR_STOP on"]
    for name in DATABASES:
        lines += [
            f"SELECT 'CREATE ROLE {name}' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{name}') \\gexec",
            f"ALTER ROLE {name} LOGIN PASSWORD '{getattr(passwords, name)}';",
            f"SELECT 'CREATE DATABASE {name} OWNER {name}' WHERE NOT EXISTS",
            f"(SELECT FROM pg_database WHERE datname = '{name}') \\gexec",
        ]
    closed = (*DATABASES, "postgres", "template1")
    lines += [f"REVOKE ALL ON DATABASE {name} FROM PUBLIC;" for name in closed]
    return "\n".join(lines) + "\n"


def prepare(home: Home, programs: Path, passwords: Passwords, port: int) -> None:
    """Runs `sql` once for each content it has had."""
    script = sql(passwords)
    mark = hashlib.sha256(script.encode()).hexdigest().encode()
    if home.prepared.exists() and home.prepared.read_bytes() == mark:
        return
    arguments = home.account.process_arguments()
    arguments["env"] |= {"PGPASSWORD": passwords.postgres}
    done = subprocess.run(
        [
            str(programs / "psql"), "--no-psqlrc", "--quiet", "--host", "127.0.0.1", "--port", str(port),
            "--username", SUPERUSER, "--dbname", "postgres",
        ],
        input=script, capture_output=True, text=True, check=False, **arguments,
    )  # fmt: skip
    if done.returncode != 0:
        raise StoreError(f"the databases cannot be prepared: {' '.join(done.stderr.split())}")
    write_private(home.prepared, mark, _owner(home.account))


def _owner(account: Account) -> tuple[int, int] | None:
    return (account.uid, account.gid) if account.lent else None


def homes(folder: DataFolder) -> list[Home]:
    """Every home that was ever used for this data folder."""
    found = [path for path in (folder.postgres, outside(folder)) if path.is_dir() and not path.is_symlink()]
    ours = (os.geteuid(), server_account().uid)
    return [
        Home(path, owner_account(path))
        for path in found
        if path == folder.postgres or path.stat().st_uid in ours
    ]
