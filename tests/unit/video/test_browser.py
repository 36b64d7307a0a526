"""Two Chromium windows in one consultation, through the real process: the only proof that browsers agree with us."""

import asyncio
import contextlib
import time
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID, uuid4

import pytest
from playwright.sync_api import Browser, Page, sync_playwright
from redis.asyncio import Redis
from sqlalchemy import select

from backend.video import nodes
from backend.video.janus_engine.process import INSTALL, program
from backend.video.model import Recording
from foundation.clock import Clock
from foundation.db.base import Base, bind_hospital
from foundation.db.columns import bind_keyring
from foundation.db.unit_of_work import connect
from foundation.object_store import FolderStore
from standalone.stores import StoreUrls
from tests.unit.video import page as served_page
from tests.unit.video.conftest import KEYRING, TABLES, decoded
from tests.unit.video.process import HOSPITAL_ID, environment, free_port, media_process, ticket

pytestmark = pytest.mark.browser
CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream", "--autoplay-policy=no-user-gesture-required", "--allow-loopback-in-peer-connection",
]  # fmt: skip
T = TypeVar("T")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        pytest.skip("no Chromium here")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


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


def wait_for(page: Page, condition: str, seconds: float = 15) -> None:
    """Poll from here: Playwright's own polling evaluates strings in the page, which the page's policy forbids."""
    deadline = time.monotonic() + seconds
    while not page.evaluate(condition):
        assert time.monotonic() < deadline, (condition, page.evaluate("window.states"))
        page.wait_for_timeout(100)


def wait_for_frames(page: Page, more_than: int) -> None:
    wait_for(page, f"(async () => ((await client.stats())?.framesDecoded ?? 0) > {more_than})()")


def enter(
    chromium: Browser, front: str, stores: StoreUrls, encounter: UUID, addresses: list[str]
) -> tuple[Page, Page]:
    """Patient and doctor, each in a window of her own, on their way into the room; the API's part is played here."""
    pages: list[Page] = []
    for role in ("patient", "doctor"):
        page = chromium.new_context(permissions=["camera", "microphone"]).new_page()
        person = uuid4()

        def entry(role: str = role, person: UUID = person) -> dict[str, Any]:
            address = apart(where(stores, encounter, addresses))
            text = ticket(stores, encounter, person, role, node=address)
            return {"url": f"{address.replace('http', 'ws')}/rooms/{encounter}", "ticket": text}

        page.expose_function("nextEntry", entry)
        page.goto(front)
        wait_for(page, "window.ready === true")
        assert page.evaluate("start()")
        pages.append(page)
    return pages[0], pages[1]


async def where(stores: StoreUrls, encounter: UUID, addresses: list[str]) -> str:
    """The node of the room, as the API asks for it."""
    async with Redis.from_url(stores.redis) as redis:
        return await nodes.address_of(redis, encounter, addresses)


@pytest.fixture(params=["aiortc", "janus"])
def engine(request: pytest.FixtureRequest) -> dict[str, str]:
    """Both audio-video systems, by setting: the browser must not notice."""
    if request.param == "janus" and not program():
        pytest.skip(f"no Janus here: {INSTALL}")
    # Janus listens on no loopback address
    return {"VIDEO_ENGINE": request.param, "MEDIA_BIND": "127.0.0.1" if request.param == "aiortc" else ""}


def test_a_consultation_in_two_browsers(
    stores: StoreUrls, chromium: Browser, tmp_path: Path, engine: dict[str, str]
) -> None:
    make_tables(stores.database)
    encounter, objects, port = uuid4(), tmp_path / "objects", free_port()
    with (
        served_page.served() as front,
        media_process(environment(stores, objects, port, front) | engine, tmp_path / "log") as process,
    ):
        patient, doctor = enter(chromium, front, stores, encounter, [f"http://127.0.0.1:{port}"])
        pages = {"patient": patient, "doctor": doctor}

        for page in pages.values():
            wait_for_frames(page, 5)
        flowing(patient, doctor, 3)
        flowing(doctor, patient, 1)

        assert patient.evaluate("client.toggleMic()") is False
        assert patient.evaluate("client.toggleMic()") is True
        patient.evaluate("client._attempt.socket.close()")  # as a network that went away would
        wait_for(patient, "states.filter(told => told.state === 'connected').length === 2")
        wait_for_frames(patient, 5)
        flowing(doctor, patient, 1)

        patient.evaluate("client.close()")
        wait_for(doctor, "states.at(-1).state === 'peer_left'")
        process.terminate()  # with the doctor still in the room
        assert process.wait(15) == 0
        assert states(patient)[0:3] == ["asking", "connecting", "connected"]
        assert states(patient)[-1] == "closed"
        assert "reconnecting" in states(patient)
        assert states(doctor)[-1] == "reconnecting"
        for page in pages.values():
            page.context.close()

    check_recordings(recordings(stores.database, encounter), FolderStore(objects, KEYRING))


def test_a_call_goes_on_elsewhere_when_its_node_is_killed(
    stores: StoreUrls, chromium: Browser, tmp_path: Path, engine: dict[str, str]
) -> None:
    """Two audio-video systems (互联网医院基本标准 四(二)): both sides are back within ten seconds, the recording too."""
    make_tables(stores.database)
    encounter, objects, ports = uuid4(), tmp_path / "objects", [free_port(), free_port()]
    addresses = [f"http://127.0.0.1:{port}" for port in ports]
    with contextlib.ExitStack() as running:
        front = running.enter_context(served_page.served())
        processes = {
            address: running.enter_context(
                media_process(environment(stores, objects, port, front) | engine, tmp_path / f"log-{port}")
            )
            for address, port in zip(addresses, ports, strict=True)
        }
        patient, doctor = enter(chromium, front, stores, encounter, addresses)
        for page in (patient, doctor):
            wait_for_frames(page, 20)
        first = apart(where(stores, encounter, addresses))

        processes[first].kill()
        killed = time.monotonic()
        for page in (patient, doctor):
            wait_for(page, "states.filter(told => told.state === 'connected').length === 2", 10)
        for page in (patient, doctor):
            wait_for_frames(page, 5)
        assert time.monotonic() - killed < 10
        flowing(patient, doctor, 1)
        flowing(doctor, patient, 1)
        assert apart(where(stores, encounter, addresses)) != first
        for page in (doctor, patient):
            page.evaluate("client.close()")
            page.context.close()
        port = int(first.rsplit(":", 1)[1])
        with media_process(environment(stores, objects, port, front) | engine, tmp_path / "again"):
            pass  # its next life completes what it was writing

    rows = recordings(stores.database, encounter)
    assert [(row.role, row.segment, row.close_reason) for row in rows] == [
        ("doctor", 1, "crashed"), ("doctor", 2, "bye"), ("patient", 1, "crashed"), ("patient", 2, "bye"),
    ]  # fmt: skip
    for row in rows:
        assert apart(decoded(FolderStore(objects, KEYRING), row.object_key)).frames["video"] > 10


def check_recordings(rows: list[Recording], store: FolderStore) -> None:
    """Every segment plays, both tracks end together, and the manifest says the truth."""
    assert [(row.role, row.segment, row.close_reason) for row in rows] == [
        ("doctor", 1, "shutdown"), ("patient", 1, "disconnected"), ("patient", 2, "bye"),
    ]  # fmt: skip
    for row in rows:
        info, played = apart(store.info(row.object_key)), apart(decoded(store, row.object_key))
        assert (info.size, info.sha256, info.complete) == (row.bytes, row.sha256, True)
        assert played.frames["video"] == row.video_frames > 0
        assert played.sizes  # Chromium makes the picture smaller when the machine is busy
        assert abs(played.ends["video"] - played.ends["audio"]) < 0.5
