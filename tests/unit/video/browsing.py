"""Chromium in a consultation: windows that enter a room, and what is measured in them."""

import asyncio
import time
from collections.abc import Coroutine, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID, uuid4

from playwright.sync_api import Browser, Page
from redis.asyncio import Redis
from sqlalchemy import select

from backend.video import nodes
from backend.video.model import Recording
from foundation.clock import Clock
from foundation.db.base import Base, bind_hospital
from foundation.db.columns import bind_keyring
from foundation.db.unit_of_work import connect
from standalone.stores import StoreUrls
from tests.unit.video.conftest import KEYRING, TABLES
from tests.unit.video.process import HOSPITAL_ID, ticket
from tools import chromium

CHROMIUM = Path(chromium.find() or "chromium")
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream", "--autoplay-policy=no-user-gesture-required", "--allow-loopback-in-peer-connection",
]  # fmt: skip
VOICE_PACKET = 0.02
"""Seconds that one packet of Opus lasts, as browsers send it."""
T = TypeVar("T")


def apart(work: Coroutine[Any, Any, T]) -> T:
    """Run in a loop of another thread: Playwright keeps one running in this."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


def make_tables(url: str) -> None:
    async def make() -> None:
        bind_keyring(KEYRING)
        bind_hospital(HOSPITAL_ID)
        db = connect(url, Clock())
        async with db.engine.begin() as connection:
            await connection.run_sync(lambda sync: Base.metadata.create_all(sync, tables=TABLES))
        await db.engine.dispose()

    apart(make())


def recordings(url: str, encounter: UUID) -> list[Recording]:
    async def read() -> list[Recording]:
        db = connect(url, Clock())
        async with db.sessions() as session:
            query = (
                select(Recording)
                .where(Recording.encounter_id == encounter)
                .order_by(Recording.role, Recording.segment)
            )
            rows = list(await session.scalars(query))
        await db.engine.dispose()
        return rows

    return apart(read())


def stats(page: Page) -> dict[str, Any]:
    found: dict[str, Any] = page.evaluate("client.stats()")
    return found


def voice_sent(page: Page) -> float:
    """Seconds of voice that she has sent in her present connection; a starved fake microphone sends less than it lasts."""
    packets = page.evaluate(
        """async () => {
            for (const entry of (await client._attempt.peer.getStats()).values())
                if (entry.type === "outbound-rtp" && entry.kind === "audio") return entry.packetsSent;
        }"""
    )
    return float(packets * VOICE_PACKET)


def frames_sent(page: Page) -> int:
    """Pictures that she has sent in her present connection."""
    return int(stats(page)["framesSent"])


def states(page: Page) -> list[str]:
    return [told["state"] for told in page.evaluate("states")]


def flowing(page: Page, sender: Page, seconds: float, deadline: float = 30) -> None:
    """Media really arrives: deltas, because "connected" and "ontrack" prove nothing. One good window within the deadline
    is enough, and frames are held against those that were sent: on a busy machine the fake camera itself stumbles."""
    until = time.monotonic() + deadline
    while problem := _window(page, sender, seconds):
        assert time.monotonic() < until, problem


def _window(page: Page, sender: Page, seconds: float) -> str:
    """What is missing over one window; empty when nothing is."""
    before, sent, began = stats(page), stats(sender)["framesSent"], time.monotonic()
    page.wait_for_timeout(seconds * 1000)
    after, sent, lasted = stats(page), stats(sender)["framesSent"] - sent, time.monotonic() - began
    names = ("framesDecoded", "audioEnergy", "audioSeconds", "audioSamples", "audioConcealed")
    moved = {name: after[name] - before[name] for name in names}
    good = {
        "frames": moved["framesDecoded"] >= 0.8 * sent > 3 * lasted,
        "keyframe": after["keyFramesDecoded"] >= 1,
        "size": after["frameWidth"] > 0,
        "codec": after["codec"] == "video/VP8",
        "sound": moved["audioEnergy"] > 0,
        "sound without pauses": moved["audioSeconds"] > 0.8 * lasted,
        "sound not made up": moved["audioConcealed"] < 0.05 * moved["audioSamples"],
    }
    missing = [name for name, is_good in good.items() if not is_good]
    return f"{missing} in {lasted:.1f} s: {moved}, {sent} frames sent" if missing else ""


def wait_for(page: Page, condition: str, seconds: float = 40) -> None:
    """Poll from here: Playwright's own polling evaluates strings in the page, which the page's policy forbids."""
    deadline = time.monotonic() + seconds
    while not page.evaluate(condition):
        assert time.monotonic() < deadline, (condition, page.evaluate("window.states"))
        page.wait_for_timeout(100)


def wait_for_frames(page: Page, more_than: int) -> None:
    wait_for(page, f"(async () => ((await client.stats())?.framesDecoded ?? 0) > {more_than})()")


def enter(
    chromium: Browser, front: str, stores: StoreUrls, encounter: UUID, addresses: Sequence[str]
) -> tuple[Page, Page]:
    """Patient and doctor, each in a window of her own, on their way into the room."""
    patient, doctor = (
        enters(chromium, role, front, stores, encounter, addresses) for role in ("patient", "doctor")
    )
    return patient, doctor


def enters(
    chromium: Browser, role: str, front: str, stores: StoreUrls, encounter: UUID, addresses: Sequence[str],
    relays: Sequence[Mapping[str, Any]] = (), *, listens: bool = False,
) -> Page:  # fmt: skip
    """One of them; the API's part is played here. With `relays` she goes through nothing else."""
    page = chromium.new_context(permissions=["camera", "microphone"]).new_page()
    person = uuid4()

    def entry() -> dict[str, Any]:
        address = apart(where(stores, encounter, addresses))
        text = ticket(stores, encounter, person, role, node=address)
        url = f"{address.replace('http', 'ws')}/rooms/{encounter}"
        return {"url": url, "ticket": text, "iceServers": list(relays)}

    page.expose_function("nextEntry", entry)
    page.goto(front)
    wait_for(page, "window.ready === true")
    assert page.evaluate("how => start(...how)", [bool(relays), listens])
    return page


async def where(stores: StoreUrls, encounter: UUID, addresses: Sequence[str]) -> str:
    """The node of the room, as the API asks for it."""
    async with Redis.from_url(stores.redis) as redis:
        return await nodes.address_of(redis, encounter, addresses)
