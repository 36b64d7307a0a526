"""A whole system on one machine, for `make run` and for tests.

async with System(Path(".data"), 8000, env="test", only=["his", "gateway-a"]) as system:
    await system.set_clock(3600)
    await system.kill("gateway-a")
"""

import asyncio
import contextlib
import json
import os
import resource
import time
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from foundation.clock import Clock
from standalone import prepared, probe, wiring
from standalone.children import Child, Children, Forks, Interpreters, inherited
from standalone.doors import Doors
from standalone.failure import StartFailed, StoreError
from standalone.installation import Installation, has_world, is_large, prepare, store_options
from standalone.keys import Keys
from standalone.paths import data_folder
from standalone.prepared import Prepared
from standalone.processes import BY_NAME, PROCESSES, Gate, Process, as_asked, is_there
from standalone.spawn import LOG_LIMIT, last_lines, require_free
from standalone.stores import Stores
from standalone.unit import Unit

START_SECONDS = 120.0
STATE_FILE = "system.json"


def nothing(_: str) -> None:
    """Reports to nobody."""


class System:
    """`only` names the processes to run (all by default), `settings` adds variables per process, `environ` is the
    caller's environment where it may replace addresses and stores. `timings` says how long each step took. `ahead`: the
    clocks, the people and their slots begin so much later than now; ENV=test only. `host`: browsers come over https under this
    name (TLS=1)."""

    def __init__(
        self,
        data: Path,
        port_base: int = 8000,
        *,
        env: str = "development",
        only: Iterable[str] | None = None,
        size: str = "m",
        ahead: timedelta = timedelta(0),
        settings: Mapping[str, Mapping[str, str]] | None = None,
        environ: Mapping[str, str] | None = None,
        host: str = "",
        children: Children | None = None,
        report: Callable[[str], None] = nothing,
    ) -> None:
        self.port_base = port_base
        self.folder = data_folder(data)
        self.units: dict[str, Unit] = {}
        self.timings: dict[str, float] = {}
        self.environ = dict(environ or {})
        self._env = env
        self._size = size
        self._settings = settings or {}
        self._report = report
        self._host = host
        self._doors: Doors | None = None
        self._only = None if only is None else set(only)
        self._offset = ahead.total_seconds()
        self._clock = Clock(ahead)
        self._children = children or make_children(self.environ)
        self._stores: Stores | None = None
        self._installation: Installation | None = None
        self._later: asyncio.Task[None] | None = None

    # what a test or the screen asks for

    @property
    def installation(self) -> Installation:
        """Files, keys and addresses; only while the system is up."""
        assert self._installation is not None, "the system is not up"
        return self._installation

    @property
    def demo(self) -> dict[str, Any]:
        """The demo persons by part (docs/world.md)."""
        return self.installation.demo

    @property
    def keys(self) -> Keys:
        """All secrets of the installation."""
        return self.installation.keys

    def url(self, name: str) -> str:
        """Public address of a process; https with mutual TLS where the table says so."""
        return BY_NAME[name].url(self.port_base)

    def health_url(self, name: str) -> str:
        """Plain address of a process: health, metrics, test switches."""
        return BY_NAME[name].health_url(self.port_base)

    async def start(self, name: str) -> None:
        """Run a process that was stopped or killed, and wait until it is ready."""
        unit = self.units[name]
        unit.start()
        await unit.ready()

    async def stop(self, name: str) -> None:
        """Ask a process to end, and leave it down."""
        await self.units[name].stop()

    async def kill(self, name: str) -> None:
        """End a process as a power cut would, and leave it down."""
        self.units[name].crash(for_good=True)
        await self.units[name].stop()

    async def set_clock(self, offset: float | timedelta) -> None:
        """Seconds that every clock runs ahead of the machine's, also of processes started later. ENV=test only."""
        self._offset = offset.total_seconds() if isinstance(offset, timedelta) else offset
        running = [unit.process for unit in self.units.values() if unit.child is not None]
        await asyncio.gather(*(self._set_clock(process) for process in running))

    # life

    async def __aenter__(self) -> Self:
        try:
            async with asyncio.timeout(START_SECONDS):
                await self._start()
        except TimeoutError:
            late = [
                f"{name} ({', '.join(unit.missing)})" for name, unit in self.units.items() if unit.missing
            ]
            await self.close()
            raise StartFailed(
                f"not ready after {START_SECONDS:.0f} s: {'; '.join(late) or 'stores'}"
            ) from None
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Stop everything, in the reverse of the order in which things need each other."""
        if self._doors is not None:
            await self._doors.close()
            self._doors = None
        if self._later is not None:
            self._later.cancel()
            await asyncio.wait([self._later])
        for rank in sorted({unit.process.rank for unit in self.units.values()}, reverse=True):
            await asyncio.gather(*(unit.stop() for unit in self.units.values() if unit.process.rank == rank))
        await self._children.close()
        if self._stores is not None:
            await asyncio.to_thread(self._stores.stop)
            self._stores = None
        with contextlib.suppress(FileNotFoundError):
            (self.folder.run / STATE_FILE).unlink()

    async def _start(self) -> None:
        began = time.monotonic()
        no_core_files()
        chosen = self.chosen()
        self._require_free_ports(chosen)
        await all_or_first_failure(self._start_stores(began), self._make_world(began))
        self.units = {process.name: self._unit(process) for process in chosen}
        self._open(Gate.FILES)
        without = [unit.ready() for unit in self.units.values() if unit.process.gate is Gate.FILES]
        await all_or_first_failure(self._start_with_database(chosen, began), *without)
        if self._host:
            self._doors = Doors(self.installation)
            await self._doors.open()
        self._time("ready", began)
        self._write_state()
        if "api" in self.units:
            self._later = asyncio.create_task(self._grow_calendar())

    async def _start_with_database(self, chosen: Sequence[Process], began: float) -> None:
        await self._migrate(chosen)
        self._time("tables", began)
        await self._seed()
        self._time("seed", began)
        self._open(Gate.DATABASE)
        units = [unit for unit in self.units.values() if unit.process.gate is Gate.DATABASE]
        await all_or_first_failure(*(unit.ready() for unit in units))

    def _require_free_ports(self, chosen: Sequence[Process]) -> None:
        """Somebody else's process on one of our ports would answer our questions in the name of ours."""
        for process in chosen:
            for offset in process.offsets:
                try:
                    require_free(self.port_base + offset, process.name)
                except StoreError as problem:
                    raise StartFailed(self._running_already() or f"{problem} (another PORT_BASE?)") from None

    def _running_already(self) -> str:
        """Who runs on this data folder, when that is somebody who lives."""
        try:
            state = json.loads((self.folder.run / STATE_FILE).read_text(encoding="utf-8"))
            os.kill(state["pid"], 0)
        except (OSError, ValueError, KeyError):
            return ""
        return f"{self.folder.root} is in use: process {state['pid']} runs it, open {state['urls']['front']}"

    async def _start_stores(self, began: float) -> None:
        options = store_options(self.port_base, self.environ)
        starting = asyncio.ensure_future(asyncio.to_thread(Stores.start, self.folder.root, options))
        try:
            self._stores = await asyncio.shield(starting)
        except asyncio.CancelledError:  # a thread cannot be called off; what it started has to be stopped
            self._stores = await starting
            raise
        self._prepared = Prepared(self.folder, self._stores)
        self._time("stores", began)
        urls = self._stores.urls
        self._installation = await asyncio.to_thread(
            prepare, self.folder.root, self.port_base, urls, self._host
        )
        self._time("keys and certificates", began)

    async def _make_world(self, began: float) -> None:
        if not has_world(self.folder):
            module, arguments = wiring.world_command(self._size, self.folder.world, self._clock.today())
            await self.run(module, arguments, inherited(), "world")
            self._time("world", began)

    async def run(
        self, module: str, arguments: Sequence[str], environment: Mapping[str, str], name: str
    ) -> None:
        """Run a command to its end; StartFailed with its last words when it fails."""
        log = self.folder.logs / f"{name}.log"
        child = await self._children.spawn(module, arguments, environment, log)
        if status := await child.wait():
            raise StartFailed(f"{name} ended with {status}: {last_lines(log)} ({log})")

    # parts of it

    def chosen(self) -> list[Process]:
        """The processes that this system runs."""
        if self._only is not None:
            return [as_asked(one, self.environ) for one in PROCESSES if one.name in self._only]
        elsewhere = {name for name in self.environ if self.environ[name]}
        asked = [one for one in PROCESSES if not one.asked_by or self.environ.get(one.asked_by) == "1"]
        here = [one for one in asked if not one.stands_for or not elsewhere.issuperset(one.stands_for)]
        if is_large(self.folder, self._size):
            here = [one for one in here if one.name != "lis_ris"]
        chosen = [as_asked(one, self.environ) for one in here]
        for process in chosen:
            if not is_there(process):
                self._report(f"{process.name}: not part of this installation")
        return [process for process in chosen if is_there(process)]

    def _unit(self, process: Process) -> Unit:
        log = self.folder.logs / f"{process.name}.log"
        return Unit(process, self.port_base, log, launch=self._launch, greet=self._greet, report=self._report)

    async def _launch(self, process: Process) -> Child:
        log = self.folder.logs / f"{process.name}.log"
        if log.exists() and log.stat().st_size > LOG_LIMIT:
            log.replace(log.with_suffix(".log.1"))
        return await self._children.spawn(process.package, process.arguments, self._environment(process), log)

    def _environment(self, process: Process) -> dict[str, str]:
        values = wiring.environment(process, self.installation, self._env, self.environ)
        return values | dict(self._settings.get(process.name, {}))

    async def _greet(self, process: Process) -> None:
        if self._offset:
            await self._set_clock(process)

    async def _set_clock(self, process: Process) -> None:
        address = process.health_url(self.port_base) + "/_test/clock"
        status, body = await probe.request("POST", address, {"offset_seconds": self._offset})
        if status != 200:
            raise RuntimeError(f"{process.name} does not set its clock: {status} {body}")

    def _open(self, gate: Gate) -> None:
        for unit in self.units.values():
            if unit.process.gate is gate:
                unit.start()

    async def _migrate(self, chosen: Sequence[Process]) -> None:
        first = {process.package: process for process in reversed(chosen) if process.gate is Gate.DATABASE}
        await all_or_first_failure(
            *(
                self._once(f"migrate-{package}", prepared.migrations(package), package, ["migrate"], process)
                for package, process in first.items()
            )
        )

    async def _seed(self) -> None:
        if "api" in self.units and await self._once(
            "seed", prepared.seeds(self.folder.world), *self._seeding()
        ):
            self._prepared.remember("calendar", str(self._clock.today()))

    async def _grow_calendar(self) -> None:
        """Seeding opens the coming days' slots. On a later day they are added, but nobody has to wait for them."""
        try:
            await self._once("calendar", str(self._clock.today()), *self._seeding())
        except StartFailed as problem:
            self._report(str(problem))

    def _seeding(self) -> tuple[str, Sequence[str], Process]:
        at = ["--at", self._clock.now().isoformat()] if self._offset else []
        return "backend", ["seed", "--world", str(self.folder.world), *at], BY_NAME["api"]

    async def _once(
        self, name: str, digest: str, package: str, arguments: Sequence[str], process: Process
    ) -> bool:
        """Run a command unless exactly this was done before; whether it ran."""
        if self._prepared.has(name, digest):
            return False
        await self.run(package, arguments, self._environment(process), name)
        self._prepared.remember(name, digest)
        return True

    def _time(self, step: str, began: float) -> None:
        self.timings[step] = time.monotonic() - began
        self._report(f"{step}: {self.timings[step]:.1f} s")

    def _write_state(self) -> None:
        state = {
            "pid": os.getpid(),
            "port_base": self.port_base,
            "env": self._env,
            "urls": {name: self.url(name) for name in BY_NAME},
            "health_urls": {name: self.health_url(name) for name in BY_NAME},
        }
        (self.folder.run / STATE_FILE).write_text(json.dumps(state, indent=1), encoding="utf-8")


def no_core_files() -> None:
    """What a process has in memory, the hospital's records among it, must not reach a disk when it crashes: for us and all we start."""
    _, most = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, most))


async def all_or_first_failure(*work: Coroutine[Any, Any, object]) -> None:
    """Do all of it; the first failure calls off the rest."""
    tasks = [asyncio.create_task(one) for one in work]
    try:
        await asyncio.gather(*tasks)
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise


def make_children(environ: Mapping[str, str]) -> Children:
    """Forks of one server, unless FORK=0 asks for an interpreter each."""
    return Interpreters() if environ.get("FORK") == "0" else Forks()
