import asyncio
import io
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
import pytest
from sqlalchemy import text

import backend.models  # noqa: F401 - foreign keys lead to any of them
from backend.alarm.model import Alarm
from backend.encounter.model import Encounter
from backend.shift.model import Shift
from backend.video.aiortc_engine import AiortcEngine
from backend.video.aiortc_engine.connection import Network
from backend.video.engine import EngineEvent
from backend.video.model import LookIn, Recording, RecordingConsent
from backend.video.seating import Patience
from foundation.clock import Clock
from foundation.crypto import Keyring
from foundation.db.audit import AuditEvent
from foundation.db.base import Base, bind_hospital
from foundation.db.columns import bind_keyring
from foundation.db.unit_of_work import Database, connect
from foundation.logs import configure
from foundation.object_store import FolderStore
from standalone.stores import StoreOptions, StoreUrls
from tests.temporary import stores_in_memory
from tests.unit.video.process import HOSPITAL_ID, free_port

if TYPE_CHECKING:
    from playwright.sync_api import Browser


def with_what_they_refer_to(*models: Any) -> list[Any]:
    """Their tables and those that foreign keys lead to, in order of making."""
    wanted, waiting = set(), [model.__table__ for model in models]
    while waiting:
        table = waiting.pop()
        if table not in wanted:
            wanted.add(table)
            waiting += [key.column.table for key in table.foreign_keys]
    return [table for table in Base.metadata.sorted_tables if table in wanted]


TABLES: Any = with_what_they_refer_to(
    Recording, AuditEvent, Encounter, LookIn, Shift, Alarm, RecordingConsent
)
"""What the media process reads and writes."""
KEYRING = Keyring({"t1": b"k" * 32}, "t1", b"i" * 32)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session", autouse=True)
def plain_logs() -> None:
    """Log lines as in production: the pretty ones of a terminal take seconds for one traceback."""
    configure("test", "INFO")


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "objects", KEYRING)


@pytest.fixture
def events() -> list[EngineEvent]:
    return []


@pytest.fixture
def patience() -> Patience:
    """As in production: a busy machine is late by seconds. Tests of what happens when it ends are `hasty`."""
    return Patience()


@pytest.fixture
async def engine(
    store: FolderStore, events: list[EngineEvent], patience: Patience, anyio_backend: str
) -> AsyncIterator[AiortcEngine]:
    made = AiortcEngine(store, Clock(), events.append, Network(bind=("127.0.0.1",)), patience)
    yield made
    await made.close()


@pytest.fixture(scope="session")
def stores() -> Iterator[StoreUrls]:
    options = StoreOptions(postgres_port=free_port(), valkey_port=free_port())
    with stores_in_memory(options) as urls:
        yield urls


@pytest.fixture
async def db(stores: StoreUrls, anyio_backend: str) -> AsyncIterator[Database]:
    bind_keyring(KEYRING)
    bind_hospital(HOSPITAL_ID)
    database = connect(stores.database, Clock(), pool=4, application="test")
    async with database.engine.begin() as connection:
        await connection.run_sync(lambda sync: Base.metadata.create_all(sync, tables=TABLES))
        await connection.execute(text("TRUNCATE recording, audit_event, alarm"))
    yield database
    await database.engine.dispose()


@pytest.fixture(scope="module")
def chromium() -> Iterator["Browser"]:
    """One Chromium. Not for longer than a module: Playwright keeps a loop running in this thread."""
    from playwright.sync_api import sync_playwright

    from tests.unit.video.browsing import CHROMIUM, FLAGS

    if not CHROMIUM.exists():
        pytest.skip("no Chromium here")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


class Decoded:
    """What a player makes of a recording: decoded frames and the last time of each kind, in seconds."""

    def __init__(self, content: bytes) -> None:
        self.frames = {"audio": 0, "video": 0}
        self.ends = {"audio": 0.0, "video": 0.0}
        self.sizes: set[tuple[int, int]] = set()
        container: Any = av.open(io.BytesIO(content))
        with container:
            self.kinds = [stream.type for stream in container.streams]
            for packet in container.demux():
                kind = packet.stream.type
                if packet.pts is not None:
                    assert packet.time_base is not None
                    self.ends[kind] = max(self.ends[kind], float(packet.pts * packet.time_base))
                for frame in packet.decode():
                    self.frames[kind] += 1
                    if isinstance(frame, av.VideoFrame):
                        self.sizes.add((frame.width, frame.height))


async def content_of(store: FolderStore, key: str) -> bytes:
    return b"".join([piece async for piece in store.read(key)])


async def decoded(store: FolderStore, key: str) -> Decoded:
    return await asyncio.to_thread(Decoded, await content_of(store, key))
