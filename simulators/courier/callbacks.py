"""Tells senders about their parcels, again and again until they have heard."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import aiohttp
import msgspec
from yarl import URL

from simulators import signed
from simulators.courier.service import Courier
from simulators.courier.settings import Settings
from simulators.courier.store import CallbackState, EventRow, Store
from simulators.server import Clock, Faults

log = logging.getLogger("simulators.courier")

ANSWER_SECONDS = 5
DELAYS = (5, 15, 60, 300, 900, 1800, 3600, 7200, 14_400, 43_200)
"""Seconds to the next attempt, after the first, second, … one failed; then it is given up."""
TICK_SECONDS = 0.1
AT_ONCE = 32


class Callbacks:
    """A loop beside the web server. The clock decides what is due, so a test may move it."""

    def __init__(self, settings: Settings, store: Store, clock: Clock, faults: Faults) -> None:
        self._settings = settings
        self._store = store
        self._clock = clock
        self._faults = faults
        self._due = asyncio.Event()
        self._busy: dict[str, asyncio.Task[None]] = {}

    def wake(self) -> None:
        self._due.set()

    @contextlib.asynccontextmanager
    async def running(self, courier: Courier) -> AsyncIterator[None]:
        timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS)
        async with aiohttp.ClientSession(timeout=timeout) as http:
            loop = asyncio.create_task(self._loop(courier, http))
            try:
                yield
            finally:
                tasks = [loop, *self._busy.values()]
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    async def _loop(self, courier: Courier, http: aiohttp.ClientSession) -> None:
        while True:
            self._due.clear()
            try:
                if self._settings.auto_seconds > 0 and not self._faults.on("down"):
                    courier.move_by_itself(self._settings.auto_seconds)
                self._start_due(http)
            except Exception:
                log.exception("the round of callbacks failed; the next one tries again")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(TICK_SECONDS):
                    await self._due.wait()

    def _start_due(self, http: aiohttp.ClientSession) -> None:
        """One task a parcel: its callbacks go out in order, and a slow receiver holds up no other."""
        if self._faults.on("down"):
            return
        groups: dict[str, list[EventRow]] = {}
        for row in self._store.due(self._clock.timestamp()):
            groups.setdefault(row.waybill, []).append(row)
        for waybill, rows in groups.items():
            if waybill not in self._busy and len(self._busy) < AT_ONCE:
                task = asyncio.create_task(self._send_all(http, rows))
                self._busy[waybill] = task
                task.add_done_callback(lambda _, waybill=waybill: self._busy.pop(waybill, None))  # type: ignore[misc]

    async def _send_all(self, http: aiohttp.ClientSession, rows: list[EventRow]) -> None:
        for row in rows:
            await self._send(http, row)

    async def _send(self, http: aiohttp.ClientSession, row: EventRow) -> None:
        shipment = self._store.by_waybill(row.waybill)
        assert shipment is not None
        told = {"id": row.id, "waybill": row.waybill, "order_number": shipment.order_number}
        body = msgspec.json.encode(told | msgspec.to_builtins(row.event))
        delivered, answer = await self._post(http, shipment.request.callback_url, body)
        if self._faults.on("double_callbacks"):
            await self._post(http, shipment.request.callback_url, body)
        attempts = row.attempts + 1
        if delivered:
            self._store.settle(row.id, CallbackState.DELIVERED, attempts, answer)
        elif attempts > len(DELAYS):
            self._store.settle(row.id, CallbackState.GIVEN_UP, attempts, answer)
        else:
            next_at = self._clock.timestamp() + DELAYS[attempts - 1]
            self._store.try_again(row.id, next_at, attempts, answer)

    async def _post(self, http: aiohttp.ClientSession, url: str, body: bytes) -> tuple[bool, str]:
        """Whether it was taken, and what was answered."""
        parts = urlsplit(url)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        secret = self._settings.callback_secret
        headers = signed.headers(
            self._settings.callback_key,
            "not the secret" if self._faults.on("wrong_signature") else secret,
            method="POST",
            target=target,
            timestamp=int(self._clock.timestamp()),
            body=body,
        )
        headers["Content-Type"] = "application/json"
        address = URL(url, encoded=True)  # the bytes that were signed are the bytes that are sent
        try:
            async with http.post(address, data=body, headers=headers, allow_redirects=False) as response:
                return 200 <= response.status < 300, f"HTTP {response.status}"
        except TimeoutError:
            return False, "无应答"
        except aiohttp.ClientConnectorError:
            return False, "无法连接"
        except (aiohttp.ClientError, OSError, ValueError):
            return False, "传输中断"
