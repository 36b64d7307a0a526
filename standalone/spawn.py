"""Servers as child processes: with a log file, in a session of their own, found again after this program was killed."""

import contextlib
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

import psutil

from standalone.account import Account
from standalone.failure import StoreError

LOG_LIMIT = 10_000_000
Process = subprocess.Popen[bytes]


def spawn(command: Sequence[str | Path], account: Account, log: Path, stdin: bytes = b"") -> Process:
    """Starts a server. Its own session keeps a terminal's Ctrl-C away: it has to outlive those that use it."""
    if log.exists() and log.stat().st_size > LOG_LIMIT:
        log.replace(log.with_suffix(".log.1"))
    with log.open("ab") as output:
        try:
            process = subprocess.Popen(
                [str(part) for part in command],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                start_new_session=True,
                **account.process_arguments(),
            )
        except OSError as problem:
            raise StoreError(f"{command[0]} cannot be run: {problem.strerror}") from None
    assert process.stdin is not None
    with contextlib.suppress(BrokenPipeError), process.stdin:
        process.stdin.write(stdin)
    return process


def end(process: Process, gently: signal.Signals, harder: signal.Signals, seconds: float = 30) -> None:
    """Ends a child; no error when it has ended already."""
    for name in (gently, harder):
        if process.poll() is not None:
            return
        process.send_signal(name)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
            return
    raise StoreError(f"process {process.pid} does not end")


def end_orphan(
    process: psutil.Process, gently: signal.Signals, harder: signal.Signals, seconds: float = 30
) -> None:
    """The same for a server that an earlier run of this program left behind."""
    for name in (gently, harder):
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(name)
        deadline = time.monotonic() + seconds
        while _runs(process):
            if time.monotonic() > deadline:
                break
            time.sleep(0.01)
        else:
            return
    raise StoreError(f"process {process.pid} of an earlier run does not end")


def _runs(process: psutil.Process) -> bool:
    """A zombie does not: in a container there may be nobody who collects it."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def require_free(port: int, name: str) -> None:
    """Raises StoreError when somebody listens there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as problem:
            raise StoreError(f"{name} cannot listen on 127.0.0.1:{port}: {problem.strerror}") from None


def last_lines(log: Path, count: int = 3) -> str:
    """The end of a log, in one line, for an error message."""
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return "no log"
    return " | ".join(line.strip() for line in lines[-count:] if line.strip())
