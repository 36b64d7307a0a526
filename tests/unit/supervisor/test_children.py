"""Processes made by the fork server behave like those that have an interpreter of their own."""

import asyncio
import json
import signal
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from standalone.children import Children, Forks
from tests.unit.supervisor.conftest import Body

PROGRAMS = "tests.unit.supervisor.programs"
With = Callable[[Body], None]


async def until_written(log: Path, text: str) -> None:
    async with asyncio.timeout(20):
        while not log.exists() or text not in log.read_text():
            await asyncio.sleep(0.01)


def test_a_child_has_its_arguments_and_exactly_the_environment_it_is_given(
    with_children: With, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "the caller's own")

    async def body(children: Children) -> None:
        child = await children.spawn(f"{PROGRAMS}.tells", ["0", "two"], {"ONLY": "this"}, tmp_path / "log")

        assert await child.wait() == 0

    with_children(body)
    told = json.loads((tmp_path / "log").read_text())
    told["environment"].pop("LC_CTYPE", None)  # an interpreter sets it for itself
    assert told == {"arguments": ["0", "two"], "environment": {"ONLY": "this"}, "session": True}


def test_the_exit_status_of_a_child_arrives(with_children: With, tmp_path: Path) -> None:
    async def body(children: Children) -> None:
        child = await children.spawn(f"{PROGRAMS}.tells", ["2"], {}, tmp_path / "log")

        assert [await child.wait(), await child.wait()] == [2, 2]

    with_children(body)


def test_a_module_that_is_not_there_ends_with_a_trace_in_its_log(with_children: With, tmp_path: Path) -> None:
    async def body(children: Children) -> None:
        child = await children.spawn(f"{PROGRAMS}.nowhere", [], {}, tmp_path / "log")

        assert await child.wait() == 1

    with_children(body)
    assert "nowhere" in (tmp_path / "log").read_text()


def test_a_signal_ends_a_child(with_children: With, tmp_path: Path) -> None:
    async def body(children: Children) -> None:
        child = await children.spawn(f"{PROGRAMS}.sleeps", [], {}, tmp_path / "log")
        await until_written(tmp_path / "log", "here")

        child.signal(signal.SIGTERM)

        assert await child.wait() == -signal.SIGTERM
        child.signal(signal.SIGTERM)  # and nothing happens to whoever has its number now

    with_children(body)


def test_closing_ends_what_still_runs(with_children: With, tmp_path: Path) -> None:
    async def body(children: Children) -> None:
        child = await children.spawn(f"{PROGRAMS}.sleeps", [], {}, tmp_path / "log")
        await until_written(tmp_path / "log", "here")
        pids.append(child.pid)

    pids: list[int] = []
    with_children(body)
    assert not psutil.pid_exists(pids[0])


def test_forks_end_when_whoever_asked_for_them_is_killed(tmp_path: Path) -> None:
    async def body() -> int:
        forks = Forks()
        child = await forks.spawn(f"{PROGRAMS}.sleeps", [], {}, tmp_path / "log")
        await until_written(tmp_path / "log", "here")
        await forks.close()
        return child.pid

    assert not psutil.pid_exists(asyncio.run(body()))


def test_the_fork_server_runs_no_thread_that_a_fork_would_lose() -> None:
    async def body() -> int:
        forks = Forks()
        try:
            child = await forks.spawn(f"{PROGRAMS}.sleeps", [], {}, Path("/dev/null"))
            parent = psutil.Process(child.pid).parent()
            assert parent is not None
            return parent.num_threads()
        finally:
            await forks.close()

    assert asyncio.run(body()) == 1
