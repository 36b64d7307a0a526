"""What happens to the feed in the drill: kills, pauses, cut connections, a platform that errs, deliveries twice and in any order.

Everything is drawn from one seed; how long each thing takes is the machine's.
"""

import asyncio
import random
import signal
import ssl
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import asyncpg
import msgspec

from backend.supervision.relay import sealed
from tests.load.feed_ground import FeedGround
from tests.load.ground import say

PAUSE = (0.5, 3.0)
CALM = (0.5, 4.0)
FAULTS: tuple[dict[str, Any], ...] = (
    {"outage": True}, {"hang_up": True}, {"busy": True}, {"busy_every": 3}, {"lose_reply_every": 7}, {"slow_seconds": 0.3},
    {"wrong_reply": "html"}, {"wrong_reply": "empty"}, {"expired": True},
)  # fmt: skip
MOST = 200
_SEALED = (
    "SELECT id, type, version, hospital_id, stream, sequence, sealed_number, occurred_at, payload, digest, head FROM outbox_event "
    "WHERE sealed_number BETWEEN $1 AND $2"
)


@dataclass
class Storm:
    """Raised over `ground` until `calm()`; `did` counts what happened."""

    ground: FeedGround
    random: random.Random
    workers: tuple[str, ...]
    did: Counter[str] = field(default_factory=Counter)
    _over: asyncio.Event = field(default_factory=asyncio.Event)

    async def rage(self) -> None:
        """One thing after the other; a second one may begin while the first lasts."""
        things: tuple[Callable[[], Awaitable[None]], ...] = (
            self._kill, self._kill, self._pause, self._cut, self._platform_errs, self._again_and_shuffled, self._again_and_shuffled,
        )  # fmt: skip
        under_way: set[asyncio.Task[None]] = set()
        while not self._over.is_set():
            task = asyncio.create_task(self._safely(self.random.choice(things)))
            under_way.add(task)
            task.add_done_callback(under_way.discard)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._over.wait(), self.random.uniform(*CALM))
            if len(under_way) >= 2:
                await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
        await asyncio.gather(*under_way)

    async def calm(self) -> None:
        """No more: everything runs, the platform errs no longer."""
        self._over.set()

    async def settle_down(self) -> None:
        """After the last thing has ended."""
        for name, process in self.ground.processes.items():
            if process.running is None or process.running.poll() is not None:
                await asyncio.to_thread(process.start)
                say(f"  {name} is up again")
        self._set({})

    async def _safely(self, thing: Callable[[], Awaitable[None]]) -> None:
        try:
            await thing()
        except (OSError, aiohttp.ClientError, asyncpg.PostgresError, TimeoutError) as error:
            self.did[f"failed: {type(error).__name__}"] += 1

    async def _kill(self) -> None:
        name = self.random.choice(sorted(self.ground.processes))
        process = self.ground[name]
        if process.busy:
            return
        process.busy = True
        try:
            self.did[f"kill {name}"] += 1
            await asyncio.to_thread(process.kill)
            await asyncio.sleep(self.random.uniform(0, 2))
            await asyncio.to_thread(process.start)
        finally:
            process.busy = False

    async def _pause(self) -> None:
        name = self.random.choice(sorted(self.ground.processes))
        process = self.ground[name]
        if process.busy or process.running is None:
            return
        process.busy = True
        try:
            self.did[f"pause {name}"] += 1
            process.running.send_signal(signal.SIGSTOP)
            await asyncio.sleep(self.random.uniform(*PAUSE))
            process.running.send_signal(signal.SIGCONT)
        finally:
            process.busy = False

    async def _cut(self) -> None:
        """Every connection of one process to the database."""
        whose = self.random.choice(("regulator_adapter", "worker"))
        self.did[f"cut database of {whose}"] += 1
        admin = self.ground.urls.admin
        assert admin is not None
        connection = await asyncpg.connect(admin.replace("+asyncpg", ""))
        try:
            await connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1", whose
            )
        finally:
            await connection.close()

    async def _platform_errs(self) -> None:
        fault = self.random.choice(FAULTS)
        self.did[f"platform {next(iter(fault))}"] += 1
        await asyncio.to_thread(self._set, fault)
        await asyncio.sleep(self.random.uniform(1, 4))
        await asyncio.to_thread(self._set, {})

    def _set(self, fault: dict[str, Any]) -> None:
        import httpx

        with suppress(httpx.HTTPError), self.ground.controls() as controls:
            controls.put("/_test/faults", json=fault)

    async def _again_and_shuffled(self) -> None:
        """A second courier: events that are sealed, some delivered before and some not yet, twice and in any order."""
        connection = await self.ground.outbox_sql()
        try:
            last = await connection.fetchval("SELECT max(sealed_number) FROM outbox_event") or 0
            if last < MOST:
                return
            begin = self.random.randint(max(1, last - 20 * MOST), last - MOST // 2)
            rows = await connection.fetch(_SEALED, begin, begin + MOST)
        finally:
            await connection.close()
        bodies = [sealed(row).body for row in rows]
        bodies += self.random.sample(bodies, len(bodies) // 3)
        self.random.shuffle(bodies)
        cut = self.random.randint(1, len(bodies))
        self.did["delivered again and shuffled"] += len(bodies)
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20)) as http:
            for part in (bodies[:cut], bodies[cut:]):
                if part:
                    await self._post(http, part)

    async def _post(self, http: aiohttp.ClientSession, bodies: list[bytes]) -> None:
        worker = self.ground[self.workers[0]].env
        context = ssl.create_default_context(cafile=worker["TLS_ROOT"])
        context.load_cert_chain(worker["TLS_CERT"], worker["TLS_KEY"])
        url = f"{worker['ADAPTER_URL']}/events"
        headers = {"content-type": "application/json"}
        body = b'{"events":[' + b",".join(bodies) + b"]}"
        async with http.post(url, data=body, ssl=context, headers=headers) as response:
            answer = await response.read()
            if response.status == 202:
                assert len(msgspec.json.decode(answer)["event_ids"]) == len(bodies)
            else:
                self.did[f"second courier: {response.status}"] += 1
