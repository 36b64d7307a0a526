"""Two Chromium windows in one consultation, through the real process: the only proof that browsers agree with us."""

import contextlib
import time
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from playwright.sync_api import Browser

from backend.video.janus_engine.process import INSTALL, program
from backend.video.model import Recording
from foundation.object_store import FolderStore
from standalone.stores import StoreUrls
from tests.unit.video import page as served_page
from tests.unit.video.browsing import (
    VOICE_PACKET,
    apart,
    enter,
    enters,
    flowing,
    frames_sent,
    make_tables,
    recordings,
    states,
    voice_sent,
    wait_for,
    wait_for_frames,
    where,
)
from tests.unit.video.conftest import KEYRING, decoded
from tests.unit.video.process import environment, free_port, media_process

pytestmark = pytest.mark.browser
LOST_SECONDS = 1.0
"""A power cut may cost so much of a recording (issue 4)."""


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
        assert states(patient)[0:2] == ["asking", "connecting"]
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
            wait_for_frames(page, 80)
        first = apart(where(stores, encounter, addresses))

        voice, frames = (
            {role: count(page) for role, page in (("patient", patient), ("doctor", doctor))}
            for count in (voice_sent, frames_sent)
        )
        processes[first].kill()
        killed, killed_at = time.monotonic(), datetime.now(UTC)
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
        kept = apart(decoded(FolderStore(objects, KEYRING), row.object_key))
        assert kept.frames["video"] > 10
        if row.close_reason == "crashed":
            lived = (killed_at - row.started_at).total_seconds()
            assert lived > 3
            assert kept.ends["video"] > 2
            assert kept.frames["audio"] * VOICE_PACKET > voice[row.role] - LOST_SECONDS, row.role
            assert kept.frames["video"] > frames[row.role] * (1 - LOST_SECONDS / lived), row.role


def test_who_has_neither_camera_nor_microphone_sees_and_hears_and_is_announced(
    stores: StoreUrls, chromium: Browser, tmp_path: Path, engine: dict[str, str]
) -> None:
    """She writes what she has to say; the doctor is told, and what is recorded is the doctor."""
    make_tables(stores.database)
    encounter, port = uuid4(), free_port()
    with (
        served_page.served() as front,
        media_process(environment(stores, tmp_path / "objects", port, front) | engine, tmp_path / "log"),
    ):
        address = [f"http://127.0.0.1:{port}"]
        patient = enters(chromium, "patient", front, stores, encounter, address, listens=True)
        doctor = enters(chromium, "doctor", front, stores, encounter, address)
        wait_for_frames(patient, 5)

        flowing(patient, doctor, 3)
        for page in (patient, doctor):
            wait_for(page, "states.some(told => told.state === 'recording_on')")
        wait_for(doctor, "states.some(told => told.state === 'peer_listens' && told.text.includes('文字'))")
        patient.wait_for_timeout(12_000)  # longer than silence is borne from somebody who talks
        flowing(patient, doctor, 1)
        for page in (patient, doctor):
            since = states(page)[states(page).index("connected") + 1 :]
            lost = {"connected", "peer_left", "peer_media_lost", "reconnecting", "recording_failed"}
            assert not lost & set(since), states(page)
        assert patient.evaluate("(async () => (await client.stats()).framesSent)()") == 0
        for page in (patient, doctor):
            page.evaluate("client.close()")
            page.context.close()

    assert [(row.role, row.close_reason) for row in recordings(stores.database, encounter)] == [
        ("doctor", "bye")
    ]


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
