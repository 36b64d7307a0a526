"""One server as several processes on one port."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psutil
import pytest

from foundation.prefork import prefork

TRIES, SECONDS = 400, 20.0


def free_port() -> int:
    """One that nobody has at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def ask(port: int) -> int:
    """The pid of whoever answers; `OSError`."""
    with socket.create_connection(("127.0.0.1", port), timeout=SECONDS) as connection:
        connection.settimeout(SECONDS)
        return int(connection.recv(32))


def pids(port: int, enough: int) -> set[int]:
    """Who answers, asked until so many have."""
    found: set[int] = set()
    for _ in range(TRIES):
        with suppress(OSError, ValueError):
            found.add(ask(port))
        if len(found) >= enough:
            break
    return found


def command(port: int, count: int, *more: str) -> list[str]:
    return [sys.executable, "-m", "tests.unit.foundation.a_prefork", str(port), str(count), *more]


@contextmanager
def crew(count: int, *more: str) -> Iterator[tuple["subprocess.Popen[bytes]", int]]:
    """A running one and its port; up when its first child answers."""
    port = free_port()
    with subprocess.Popen(command(port, count, *more), stderr=subprocess.PIPE) as parent:
        try:
            answered = False
            while not answered:
                assert parent.poll() is None
                with suppress(OSError, ValueError):
                    answered = bool(ask(port))
            yield parent, port
        finally:
            parent.kill()


def test_every_process_gets_its_share_of_the_connections() -> None:
    with crew(2) as (parent, port):
        found = pids(port, 2)

        assert len(found) == 2
        assert parent.pid not in found


def test_a_process_alone_is_the_one_that_was_started() -> None:
    with crew(1) as (parent, port):
        assert pids(port, 2) == {parent.pid}


def test_all_end_together_when_the_first_is_told_to() -> None:
    with crew(2) as (parent, port):
        children = [psutil.Process(pid) for pid in pids(port, 2)]
        parent.terminate()

        assert parent.wait(SECONDS) == 0
        assert psutil.wait_procs(children, SECONDS)[1] == []


def test_no_child_outlives_a_parent_that_was_killed() -> None:
    with crew(2) as (parent, port):
        children = [psutil.Process(pid) for pid in pids(port, 2)]
        parent.kill()

        assert psutil.wait_procs(children, SECONDS)[1] == []


def test_one_that_cannot_start_ends_the_server_instead_of_being_tried_for_ever() -> None:
    ended = subprocess.run(command(free_port(), 2, "fail"), capture_output=True, timeout=SECONDS, check=False)

    assert ended.returncode == 1
    assert b"this one cannot start" in ended.stderr + ended.stdout


def test_a_port_that_somebody_has_is_one_line_and_no_traceback() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(SystemExit) as refused:
        prefork("127.0.0.1", [taken.getsockname()[1]], 2, lambda places: None)

    assert "somebody else listens there" in str(refused.value)


def test_a_second_server_does_not_share_the_port_unnoticed() -> None:
    with crew(2) as (_, port):
        second = subprocess.run(command(port, 2), capture_output=True, timeout=SECONDS, check=False)

        assert second.returncode == 1
        assert b"somebody else listens there" in second.stderr


def test_a_process_that_dies_is_replaced_and_who_connects_meanwhile_waits() -> None:
    with crew(2, "restless") as (_, port):
        victim = min(pids(port, 2))
        os.kill(victim, signal.SIGKILL)
        with suppress(psutil.NoSuchProcess):  # its parent may have been quicker
            psutil.Process(victim).wait(SECONDS)

        answers = {ask(port) for _ in range(50)}

        assert victim not in answers
        assert len(answers) == 2
