"""The process itself: what it says when it cannot start, and what is left of a call when it is killed."""

from pathlib import Path
from uuid import uuid4

import aiohttp
import pytest
from sqlalchemy import select

from backend.media import main
from backend.video.model import Recording
from foundation.db.unit_of_work import Database
from foundation.object_store import FolderStore
from standalone.stores import StoreUrls
from tests.unit.video.conftest import KEYRING, decoded
from tests.unit.video.peers import Peer, until
from tests.unit.video.process import environment, free_port, media_process, ticket

FRONT = "http://front.example"
SENT_SECONDS = 4.0
LOST_SECONDS = 1.0
"""A power cut may cost so much of a recording (issue 4)."""


@pytest.mark.parametrize(
    ("name", "value"),
    [("REDIS_URL", ""), ("HOSPITAL_ID", "x"), ("FIELD_KEYS", "t1:zz"), ("FIELD_KEYS", "t1"), ("FIELD_KEY_CURRENT", "t2"), ("VIDEO_CODEC", "AV1"), ("PORT", "many"), ("VIDEO_ENGINE", "kurento"), ("VISIT_PAUSE_MINUTES", "-1")],
)  # fmt: skip
def test_a_wrong_setting_is_named_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, value: str
) -> None:
    urls = StoreUrls("postgresql+asyncpg://127.0.0.1:1/none", "", "redis://127.0.0.1:1")
    for key, text in {**environment(urls, tmp_path, free_port(), FRONT), name: value}.items():
        monkeypatch.setenv(key, text)

    try:
        status: object = main()
    except SystemExit as ended:
        status = ended.code

    said = capsys.readouterr().err
    assert status == 2
    assert said.count("\n") == 1
    assert name in said
    assert "zz" not in said


def test_a_machine_without_janus_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    urls = StoreUrls("postgresql+asyncpg://127.0.0.1:1/none", "", "redis://127.0.0.1:1")
    settings = environment(urls, tmp_path, free_port(), FRONT)
    for key, text in {**settings, "VIDEO_ENGINE": "janus", "PATH": str(tmp_path)}.items():
        monkeypatch.setenv(key, text)

    assert main() == 2

    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "VIDEO_ENGINE" in said
    assert "apt-get install" in said


@pytest.mark.anyio
async def test_a_killed_process_loses_at_most_its_last_second_and_its_next_life_finds_the_rest(
    stores: StoreUrls, db: Database, tmp_path: Path
) -> None:
    port, encounter, peer = free_port(), uuid4(), Peer()
    settings = environment(stores, tmp_path / "objects", port, FRONT)
    with media_process(settings, tmp_path / "log") as process:
        async with aiohttp.ClientSession() as session:
            address = f"http://127.0.0.1:{port}/rooms/{encounter}?ticket={ticket(stores, encounter, uuid4(), 'patient')}"
            socket = await session.ws_connect(address, headers={"Origin": FRONT})
            await socket.send_json({"type": "offer", "sdp": await peer.offer()})
            await peer.accept((await socket.receive_json(timeout=10))["sdp"])
            await until(lambda: peer.tracks["video"].played > SENT_SECONDS, 15, "some seconds of video")
            process.kill()
            process.wait()
            played = peer.tracks["video"].played
            await socket.close()
    await peer.close()

    with media_process(settings, tmp_path / "log"):
        async with db.sessions() as reading:
            (row,) = list(await reading.scalars(select(Recording)))

    assert (row.close_reason, row.complete, row.role) == ("crashed", False, "patient")
    kept = await decoded(FolderStore(tmp_path / "objects", KEYRING), row.object_key)
    assert kept.ends["video"] > played - LOST_SECONDS
    assert kept.frames["video"] > 30 * (played - LOST_SECONDS) * 0.9
