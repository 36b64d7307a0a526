"""A system of two small processes: started, broken, moved in time, stopped."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from standalone import probe
from standalone.failure import StartFailed, StoreError
from standalone.system import System
from standalone.unit import Status
from tests.free_ports import free_port_base
from tests.unit.signed_calls import call


@asynccontextmanager
async def small(data: Path, port_base: int, **more: object) -> AsyncIterator[System]:
    """An interpreter each: for two small processes that is quicker than to warm up a fork server."""
    chosen = {"env": "test", "size": "s", "only": ["identity", "ca"], "environ": {"FORK": "0"}, **more}
    async with asyncio.timeout(90), System(data, port_base, **chosen) as system:  # type: ignore[arg-type]
        yield system


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.02)


def played(body: Callable[[System], Awaitable[None]], data: Path, port_base: int) -> None:
    async def run() -> None:
        async with small(data, port_base) as system:
            await body(system)

    asyncio.run(run())


def test_a_started_system_is_ready_and_says_where(tmp_path: Path, port_base: int) -> None:
    async def body(system: System) -> None:
        assert {name: unit.status for name, unit in system.units.items()} == {
            "identity": "ready",
            "ca": "ready",
        }
        assert (await probe.request("GET", system.url("identity") + "/healthz"))[0] == 200
        assert system.demo["doctor"]["login"] == "doctor01"
        state = json.loads((tmp_path / "run" / "system.json").read_text())
        assert state["urls"]["ca"] == system.url("ca")

    played(body, tmp_path, port_base)
    assert not (tmp_path / "run" / "system.json").exists()


def test_a_process_that_dies_is_started_again(tmp_path: Path, port_base: int) -> None:
    async def body(system: System) -> None:
        unit = system.units["ca"]

        unit.crash()
        await until(lambda: unit.restarts == 1 and unit.status is Status.READY)

        assert (await probe.request("GET", system.url("ca") + "/healthz"))[0] == 200

    played(body, tmp_path, port_base)


def test_a_killed_process_stays_down_until_it_is_started(tmp_path: Path, port_base: int) -> None:
    async def body(system: System) -> None:
        await system.kill("ca")
        assert system.units["ca"].status is Status.STOPPED
        assert (await probe.request("GET", system.url("ca") + "/healthz"))[0] == probe.NOBODY

        await system.start("ca")

        assert (await probe.request("GET", system.url("ca") + "/healthz"))[0] == 200
        assert system.units["ca"].restarts == 0

    played(body, tmp_path, port_base)


def test_the_clock_is_moved_everywhere_and_in_what_starts_later(tmp_path: Path, port_base: int) -> None:
    two_days = timedelta(days=2)

    async def asks_ca(system: System, seconds_off: float) -> int:
        app = system.keys.ca
        target = "/v1/holders/doctor-D01"
        answer = await asyncio.to_thread(
            call, system.url("ca"), "GET", target, key=app.key, secret=app.secret, seconds_off=seconds_off
        )
        return answer.status_code

    async def body(system: System) -> None:
        await system.stop("ca")
        await system.set_clock(two_days)
        await system.start("ca")

        assert await asks_ca(system, 0) == 401  # two days late, by its clock
        assert await asks_ca(system, two_days.total_seconds()) == 200

    played(body, tmp_path, port_base)


def test_a_refused_setting_is_said_in_one_line(tmp_path: Path, port_base: int) -> None:
    async def run() -> None:
        async with small(tmp_path, port_base, settings={"ca": {"PORT": "not a port"}}):
            pytest.fail("it started")

    with pytest.raises(StartFailed, match=r"ca failed: PORT is not a whole number: 'not a port'"):
        asyncio.run(run())


def test_two_systems_run_side_by_side(tmp_path: Path, port_base: int) -> None:
    async def run() -> None:
        async with (
            small(tmp_path / "one", port_base, only=["identity"]) as one,
            small(tmp_path / "two", free_port_base(port_base), only=["identity"]) as two,
        ):
            assert one.url("identity") != two.url("identity")
            assert one.keys.identity.secret != two.keys.identity.secret

    asyncio.run(run())


def test_a_data_folder_serves_one_system_at_a_time(tmp_path: Path, port_base: int, worker: int) -> None:
    async def body(system: System) -> None:
        with pytest.raises(StoreError, match="in use"):
            async with small(tmp_path, free_port_base(worker)):
                pytest.fail("it started")
        assert system.units["ca"].status is Status.READY

    played(body, tmp_path, port_base)


def test_what_stands_elsewhere_is_not_started(tmp_path: Path, port_base: int) -> None:
    async def run() -> None:
        elsewhere = {"CA_URL": "https://ca.example.org", "PATH": "", "FORK": "0"}
        system = System(tmp_path, port_base, environ=elsewhere)
        try:
            assert "ca" not in {process.name for process in system.chosen()}
        finally:
            await system.close()

    asyncio.run(run())
