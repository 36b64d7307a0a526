"""The embedded Valkey: a cache that is empty after every start, reachable with a password on 127.0.0.1 only."""

import contextlib
import json
import signal
import socket
import time
from pathlib import Path

import psutil

from standalone.account import server_account
from standalone.binaries import valkey_program
from standalone.failure import StoreError
from standalone.passwords import Passwords
from standalone.paths import DataFolder, write_private
from standalone.spawn import Process, end, end_orphan, last_lines, require_free, spawn

START_SECONDS = 20


class Valkey:
    """One running server. Nothing of it is ever written to a disk (design: clinical content of the hospital)."""

    def __init__(self, process: Process, url: str, mark: Path) -> None:
        self.url = url
        self._process = process
        self._mark = mark

    @classmethod
    def start(cls, folder: DataFolder, port: int, passwords: Passwords) -> "Valkey":
        """Raises StoreError."""
        mark, log = folder.run / "valkey.json", folder.logs / "valkey.log"
        end_leftover(mark)
        require_free(port, "Valkey")
        account = server_account()
        # The password goes in by a pipe: everybody can read the arguments of a process.
        process = spawn(
            [valkey_program(account), "-"], account, log, _configuration(port, passwords).encode()
        )
        try:
            seen = {"pid": process.pid, "created": psutil.Process(process.pid).create_time()}
            write_private(mark, json.dumps(seen).encode())
            _wait_until_ready(process, port, passwords.valkey, log)
        except BaseException:
            end(process, signal.SIGTERM, signal.SIGKILL, seconds=5)
            raise
        return cls(process, f"redis://:{passwords.valkey}@127.0.0.1:{port}/0", mark)

    @property
    def pid(self) -> int:
        return self._process.pid

    def alive(self) -> bool:
        return self._process.poll() is None

    def stop(self) -> None:
        end(self._process, signal.SIGTERM, signal.SIGKILL, seconds=5)
        self._mark.unlink(missing_ok=True)


def end_leftover(mark: Path) -> None:
    """Ends the server of a run that was killed."""
    try:
        seen = json.loads(mark.read_bytes())
        process = psutil.Process(int(seen["pid"]))
        ours = process.create_time() == seen["created"]
    except (OSError, ValueError, KeyError, TypeError, psutil.Error):
        return
    if ours:
        end_orphan(process, signal.SIGTERM, signal.SIGKILL, seconds=5)


def _configuration(port: int, passwords: Passwords) -> str:
    lines = (
        "bind 127.0.0.1",
        f"port {port}",
        f"requirepass {passwords.valkey}",
        'save ""',
        "appendonly no",
        "daemonize no",
        "loglevel notice",
        "tcp-keepalive 60",
    )
    return "\n".join(lines) + "\n"


def _wait_until_ready(process: Process, port: int, password: str, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise StoreError(f"Valkey did not start: {last_lines(log)}")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1) as wire:
            wire.sendall(f"AUTH {password}\r\nPING\r\n".encode())
            answer = b""
            while answer.count(b"\r\n") < 2 and (part := wire.recv(256)):
                answer += part
            if answer == b"+OK\r\n+PONG\r\n":
                return
        time.sleep(0.005)
    raise StoreError(f"Valkey was not ready within {START_SECONDS} s: {last_lines(log)}")
