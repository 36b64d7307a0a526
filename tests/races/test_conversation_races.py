"""Two who speak at the same moment, and one piece of a file that arrives twice."""

from typing import Any

import pytest
from sqlalchemy import select

from backend.chat import service, uploads
from backend.chat.model import ChatMessage, Upload, UploadPart
from backend.context import Context
from backend.encounter.model import Encounter
from foundation.actor import Actor
from foundation.db.guards import without_guard
from foundation.db.unit_of_work import Database, unit_of_work
from tests.builders.visits import Patient, a_patient, accepted
from tests.races.lining_up import STREAM, both, kinds
from tests.small_world import DOCTOR

pytestmark = pytest.mark.anyio

MESSAGES = "LOCK TABLE chat_message IN SHARE ROW EXCLUSIVE MODE"


async def running_visit(db: Database, context: Context) -> tuple[Encounter, Patient]:
    async with unit_of_work(db) as session:
        patient = await a_patient(session)
        return await accepted(session, context, patient), patient


async def says(db: Database, actor: Actor, visit: Encounter, client_id: str) -> int:
    async with unit_of_work(db) as session:
        row = await session.get_one(Encounter, visit.id)
        message = await service.say(session, actor, row, client_id=client_id, kind="text", body="好")
        return message.sequence


async def sequences(db: Database) -> list[int]:
    async with unit_of_work(db) as session:
        return list(await session.scalars(select(ChatMessage.sequence).order_by(ChatMessage.sequence)))


async def race_of_two_speakers(running: Context, lock: str) -> list[Any]:
    db = running.db
    visit, patient = await running_visit(db, running)
    works = [
        says(db, patient.actor, visit, "from-patient"),
        says(db, DOCTOR.actor, visit, "from-doctor"),
    ]
    return await both(db, *works, lock=lock, name=f"chat:{visit.id}")


async def test_two_who_speak_at_once_are_both_heard_one_after_the_other(running: Context) -> None:
    results = await race_of_two_speakers(running, STREAM)

    assert kinds(results) == ["1", "2"]
    assert await sequences(running.db) == [1, 2]


async def test_without_the_line_one_of_them_is_lost(running: Context) -> None:
    """The twin: it must show the damage, or the test above proves nothing."""
    with without_guard("chat_line", allowed=True):
        results = await race_of_two_speakers(running, MESSAGES)

    assert kinds(results) == ["1", "IntegrityError"]


async def race_of_one_piece(running: Context) -> tuple[list[Any], Upload, list[UploadPart]]:
    """The browser gave up waiting and sent the piece again while the first was still being written."""
    db = running.db
    visit, patient = await running_visit(db, running)
    async with unit_of_work(db) as session:
        begun = await uploads.begin(
            session, patient.actor, visit, client_id="upload-1", media_type="image/png", size=100
        )
        upload_id = begun.upload.id
    works = [uploads.receive(running, patient.actor, upload_id, 0, b"x" * 60) for _ in range(2)]
    lock = "SELECT id FROM chat_upload WHERE id = :upload FOR UPDATE"
    results = await both(db, *works, lock=lock, upload=upload_id)
    async with unit_of_work(db) as session:
        parts = (await session.scalars(select(UploadPart).where(UploadPart.size > 0))).all()
        return results, await session.get_one(Upload, upload_id), list(parts)


async def test_a_piece_that_comes_twice_counts_once(running: Context) -> None:
    results, upload, parts = await race_of_one_piece(running)

    assert kinds(results)[0] == "Conflict"
    assert (upload.received, [part.size for part in parts]) == (60, [60])


async def test_without_its_lock_the_second_piece_fails_only_at_the_index(running: Context) -> None:
    """The twin."""
    with without_guard("row_lock", allowed=True):
        results, _, parts = await race_of_one_piece(running)

    assert "IntegrityError" in kinds(results)
    assert len(parts) == 1
