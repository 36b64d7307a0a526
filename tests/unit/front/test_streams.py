"""A live stream is passed on as it comes, to whom the backend lets listen."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.responses import StreamingResponse

from tests.unit.front.backend import Backend
from tests.unit.front.browsing import TOKEN, log_in

pytestmark = pytest.mark.anyio

VISIT = "/visits/01a20299-6b59-70b5-a644-2e8871b9add7/events"
EVENTS = "GET /appointments/01a20299-6b59-70b5-a644-2e8871b9add7/events"


async def test_events_reach_the_browser_byte_for_byte(browser: httpx.AsyncClient, backend: Backend) -> None:
    async def lines() -> AsyncIterator[bytes]:
        yield b'event: visit\ndata: {"ahead": 2}\n\n'
        await asyncio.sleep(0)
        yield b": heartbeat\n\n"

    backend.answers[EVENTS] = StreamingResponse(lines(), media_type="text/event-stream")
    log_in(browser)

    answer = await browser.get(VISIT)

    assert answer.headers["content-type"].startswith("text/event-stream")
    assert (answer.headers["cache-control"], answer.headers["x-accel-buffering"]) == ("no-store", "no")
    assert answer.content == b'retry: 2000\n\nevent: visit\ndata: {"ahead": 2}\n\n: heartbeat\n\n'
    assert backend.last(EVENTS).headers["authorization"] == f"Bearer {TOKEN}"


async def test_who_may_not_listen_is_told_before_the_first_byte(
    browser: httpx.AsyncClient, backend: Backend
) -> None:
    log_in(browser)

    assert (await browser.get(VISIT)).status_code == 404


async def test_a_file_keeps_the_kind_that_the_backend_says(
    browser: httpx.AsyncClient, backend: Backend
) -> None:
    file = "/attachments/01a20299-6b59-70b5-a644-2e8871b9add7"

    async def parts() -> AsyncIterator[bytes]:
        yield b"\x89PNG"
        yield b"rest"

    backend.answers[f"GET {file}"] = StreamingResponse(parts(), media_type="image/png")
    log_in(browser)

    answer = await browser.get(file)

    assert (answer.content, answer.headers["content-type"]) == (b"\x89PNGrest", "image/png")
    assert answer.headers["cache-control"] == "private, no-store"
