"""One supervised process: started, watched, started again with growing pauses, stopped."""

import asyncio
import contextlib
import enum
import signal
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from standalone import probe
from standalone.children import Child
from standalone.failure import StartFailed
from standalone.processes import Process
from standalone.spawn import last_lines

POLL_SECONDS = 0.02
ASKED_SECONDS = 0.05
"""Pause before asking again a process that answered that it is not ready: each answer costs it a line of log."""
WATCH_SECONDS = 2.0
FIRST_PAUSE = 0.2
LONGEST_PAUSE = 10.0
STEADY_SECONDS = 30.0
STOP_SECONDS = 10.0
MISCONFIGURED = 2
TRIES = 3
"""How often a process that never was ready is started again."""


class Status(enum.StrEnum):
    """What the screen says of a process."""

    WAITING = "waiting"
    STARTING = "starting"
    READY = "ready"
    UNREADY = "unready"
    RESTARTING = "restarting"
    STOPPED = "stopped"
    FAILED = "failed"


Report = Callable[[str], None]


class Unit:
    """`missing` is what `/readyz` says it lacks, `note` why it failed.

    `launch` makes the child; `greet` is awaited each time it has become able to answer, before it counts as ready.
    """

    def __init__(
        self,
        process: Process,
        port_base: int,
        log: Path,
        *,
        launch: Callable[[Process], Awaitable[Child]],
        greet: Callable[[Process], Awaitable[None]],
        report: Report,
    ) -> None:
        self.process = process
        self.log = log
        self.status = Status.WAITING
        self.missing: tuple[str, ...] = ()
        self.note = ""
        self.restarts = 0
        self.child: Child | None = None
        self._health = process.health_url(port_base) + "/readyz"
        self._launch = launch
        self._greet = greet
        self._report = report
        self._unwanted = asyncio.Event()
        self._changed = asyncio.Condition()
        self._task: asyncio.Task[None] | None = None
        self._was_ready = False

    def start(self) -> None:
        """Run it until `stop`; nothing happens when it runs already."""
        if self._task is not None and not self._task.done():
            return
        self._unwanted.clear()
        self.status, self.note = Status.WAITING, ""
        self._task = asyncio.create_task(self._keep(), name=self.process.name)

    async def ready(self) -> None:
        """Returns once it is ready; raises StartFailed when it never will be."""
        async with self._changed:
            await self._changed.wait_for(lambda: self.status in (Status.READY, Status.FAILED, Status.STOPPED))
        if self.status is not Status.READY:
            raise StartFailed(f"{self.process.name} {self.status}: {self.note} ({self.log})")

    async def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        """End it with `number`, after ten seconds with SIGKILL, and leave it down."""
        self._unwanted.set()
        task = self._task
        if task is None:
            return
        for attempt in (number, signal.SIGKILL):
            if self.child is not None:
                self.child.signal(attempt)
            done, _ = await asyncio.wait([task], timeout=STOP_SECONDS)
            if done:
                break
            self._report(f"{self.process.name} does not end; killing it")
        await task

    def crash(self, *, for_good: bool = False) -> None:
        """End it as an accident would; it is started again unless `for_good`."""
        if for_good:
            self._unwanted.set()
        if self.child is not None:
            self.child.signal(signal.SIGKILL)

    async def _keep(self) -> None:
        pause = FIRST_PAUSE
        try:
            while not self._unwanted.is_set():
                await self._become(Status.STARTING)
                begun = time.monotonic()
                status = await self._run()
                if self._unwanted.is_set():
                    break
                self.note = last_lines(self.log, 1)
                if status == MISCONFIGURED:
                    self._report(f"{self.process.name} refuses its settings: {self.note}")
                    await self._become(Status.FAILED)
                    return
                if not self._was_ready and self.restarts == TRIES:
                    self._report(f"{self.process.name} does not start: {self.note}")
                    await self._become(Status.FAILED)
                    return
                pause = FIRST_PAUSE if time.monotonic() - begun > STEADY_SECONDS else pause
                self.restarts += 1
                self._report(f"{self.process.name} ended with {status}; starts again in {pause:.1f} s")
                await self._become(Status.RESTARTING)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._unwanted.wait(), pause)
                pause = min(2 * pause, LONGEST_PAUSE)
        except StartFailed as problem:
            self.note = str(problem)
            await self._become(Status.FAILED)
            return
        await self._become(Status.STOPPED)

    async def _run(self) -> int:
        """One life of the process."""
        self.child = child = await self._launch(self.process)
        if self._unwanted.is_set():  # it was stopped while it was being made
            child.signal(signal.SIGTERM)
        watching = asyncio.create_task(self._watch())
        try:
            return await child.wait()
        finally:
            watching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watching
            self.child = None

    async def _watch(self) -> None:
        while True:
            status, body = await probe.request("GET", self._health)
            if status == 200 and self.status is not Status.READY:
                await self._greet(self.process)
            self.missing = _missing(status, body)
            if status == 200:
                await self._become(Status.READY)
            elif self.status is Status.READY:
                await self._become(Status.UNREADY)
            await asyncio.sleep(self._pause(status))

    def _pause(self, status: int) -> float:
        if self.status is not Status.STARTING:
            return WATCH_SECONDS
        return POLL_SECONDS if status == probe.NOBODY else ASKED_SECONDS

    async def _become(self, status: Status) -> None:
        self._was_ready = self._was_ready or status is Status.READY
        async with self._changed:
            self.status = status
            self._changed.notify_all()


def _missing(status: int, body: object) -> tuple[str, ...]:
    """Names of what a process says it lacks; ours call them `failed`, simulators `missing`."""
    if status == 200:
        return ()
    if isinstance(body, dict):
        named = body.get("failed") or body.get("missing") or ()
        return tuple(str(name) for name in named)
    return ("no answer",)
