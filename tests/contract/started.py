"""Real processes for contract tests: started on free loopback ports, waited for, ended by their own id."""

import contextlib
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

DEADLINE = 30.0


def free_port() -> int:
    """A port of 127.0.0.1 that nobody had a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until(ready: Callable[[], bool], what: str, seconds: float = DEADLINE) -> None:
    """Wait for a condition, `AssertionError` when it does not come true in time."""
    end = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < end, f"{what} did not happen within {seconds} s"
        time.sleep(0.02)


def listens(port: int) -> bool:
    """Whether somebody takes connections on this port."""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextlib.contextmanager
def running(
    command: Sequence[str], *, port: int, folder: Path, env: Mapping[str, str], name: str
) -> Iterator[subprocess.Popen[bytes]]:
    """The process, once it listens on `port`; its output goes to `<folder>/<name>.log`."""
    log = folder / f"{name}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            list(command), cwd=folder, env=dict(env), stdout=output, stderr=subprocess.STDOUT
        )
    try:
        wait_until(
            lambda: listens(port) or process.poll() is not None,
            f"{name} listening\n{log.read_text()[-2000:]}",
        )
        assert process.poll() is None, f"{name} ended:\n{log.read_text()[-2000:]}"
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(5)
