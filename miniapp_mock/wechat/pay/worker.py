"""The one background task: delivers notifications on their schedule and settles refunds, by the mock's clock."""

import asyncio
import contextlib
import logging
import sqlite3
from collections.abc import AsyncIterator

import aiohttp

from miniapp_mock.wechat.mock import Mock
from miniapp_mock.wechat.pay import forgery, notifications, refunds
from miniapp_mock.wechat.pay.signatures import signature_headers
from miniapp_mock.wechat.store import Row

log = logging.getLogger(__name__)
ANSWER_WITHIN = 5.0
LONGEST_NAP = 0.5
AT_ONCE = 20
ACCEPTED = {"200", "204"}


@contextlib.asynccontextmanager
async def working(mock: Mock) -> AsyncIterator[None]:
    timeout = aiohttp.ClientTimeout(total=ANSWER_WITHIN)
    async with aiohttp.ClientSession(timeout=timeout, auto_decompress=False) as http:
        task = asyncio.create_task(_work(mock, http))
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


async def _work(mock: Mock, http: aiohttp.ClientSession) -> None:
    flying: dict[str, asyncio.Task[None]] = {}
    try:
        while True:
            mock.bell.clear()
            try:
                refunds.settle_due(mock)
                _start(mock, http, flying)
                nap = _nap(mock)
            except sqlite3.Error:
                log.exception("the mock's store does not answer")
                nap = LONGEST_NAP
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(mock.bell.wait(), nap)
    finally:
        for task in flying.values():
            task.cancel()
        await asyncio.gather(*flying.values(), return_exceptions=True)


def _start(mock: Mock, http: aiohttp.ClientSession, flying: dict[str, asyncio.Task[None]]) -> None:
    for done in [one for one, task in flying.items() if task.done()]:
        if (problem := flying.pop(done).exception()) is not None:
            log.error("a notification could not be sent", exc_info=problem)
    for row in _due(mock, AT_ONCE):
        if row["id"] not in flying and len(flying) < AT_ONCE:
            flying[row["id"]] = asyncio.create_task(_attempt(mock, http, row))


def _nap(mock: Mock) -> float:
    """Until something falls due; changes ring the bell."""
    row = mock.store.one(
        "SELECT min(at) AS at FROM (SELECT min(next_at) AS at FROM notifications WHERE next_at > ?1 "
        "UNION ALL SELECT min(settle_at) FROM refunds WHERE settle_at > ?1)",
        mock.now,
    )
    soonest = row["at"] if row else None
    return LONGEST_NAP if soonest is None else min(max(soonest - mock.now, 0.001), LONGEST_NAP)


def _due(mock: Mock, limit: int) -> list[Row]:
    return mock.store.all(
        "SELECT * FROM notifications WHERE next_at <= ? ORDER BY next_at, rowid LIMIT ?", mock.now, 2 * limit
    )


async def _attempt(mock: Mock, http: aiohttp.ClientSession, row: Row) -> None:
    n = row["tries"] + 1
    accepted = False
    for copy in range(2 if mock.faults.strikes("duplicate_notifications") else 1):
        accepted |= await _send(mock, http, row, n, "duplicate" if copy else "")
    notifications.settle(mock, row["id"], n, accepted=accepted)
    mock.bell.set()


async def _send(mock: Mock, http: aiohttp.ClientSession, row: Row, n: int, note: str) -> bool:
    if mock.faults.strikes("forge_notifications"):
        await _forge(mock, http, row, n)
    if mock.faults.strikes("lose_notifications"):
        notifications.record(mock, row["id"], n, "lost", note)
        return False
    probe = n == 1 and mock.faults.strikes("signtest")  # it comes again with a good signature
    body = notifications.sealed(mock, row)
    key = mock.keys.signing(
        by_public_key=mock.faults.strikes("public_key_share"), rotated=mock.faults.on("rotated_key")
    )
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Mozilla/4.0",
        "Accept": "*/*",
        **signature_headers(mock, key, body, probe=probe),
    }
    result = await _post(http, row["url"], body, headers)
    accepted = result in ACCEPTED
    if probe:
        note = "probe accepted: the merchant does not verify" if accepted else "probe refused"
    if accepted and mock.faults.strikes("lose_answers"):
        result, accepted = f"{result}, answer lost", False
    notifications.record(mock, row["id"], n, result, note)
    return accepted


async def _forge(mock: Mock, http: aiohttp.ClientSession, row: Row, n: int) -> None:
    """Somebody who knows the order's number and address, and neither of the keys. Nothing he hears counts."""
    body, headers = forgery.of(mock, row)
    result = await _post(http, row["url"], body, headers)
    note = "forgery accepted: the merchant does not verify" if result in ACCEPTED else "forgery refused"
    notifications.record(mock, row["id"], n, result, note)


async def _post(http: aiohttp.ClientSession, url: str, body: bytes, headers: dict[str, str]) -> str:
    """The status, or what came instead of one."""
    try:
        async with http.post(url, data=body, headers=headers, allow_redirects=False) as answer:
            await answer.content.read(64_000)
            return str(answer.status)
    except TimeoutError:
        return "timeout"
    except (aiohttp.ClientError, ValueError, OSError) as problem:
        return f"failed: {type(problem).__name__}"
