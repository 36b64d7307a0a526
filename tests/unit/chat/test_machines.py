"""What a program says is labelled, and it can sign nothing (监管细则 2022): by type, in the database, and when it is tried."""

import typing

import pytest
from sqlalchemy import update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from backend.chat.authors import Program
from backend.chat.cards import NoticeCard
from backend.chat.model import ChatMessage
from backend.chat.service import after, notice, post_card, say
from backend.context import Context
from backend.encounter import service as visiting
from backend.prescription import reviewing
from backend.prescription import service as prescribing
from backend.record import service as records
from backend.signature import service as signatures
from backend.signature.model import Signature
from foundation.actor import SYSTEM, Actor
from foundation.errors import Forbidden
from foundation.ids import new_id
from tests.builders.visits import a_patient, accepted

pytestmark = pytest.mark.anyio

ACTS = [
    signatures.want, signatures.keep, records.write, records.want_signature, records.signed, records.finish,
    prescribing.write, prescribing.want_signature, prescribing.signed, reviewing.want_approval, reviewing.approved,
    reviewing.return_to_doctor, visiting.accept, visiting.confirm_diagnoses, say,
]  # fmt: skip


@pytest.mark.parametrize("act", ACTS, ids=lambda act: f"{act.__module__}.{act.__name__}")
async def test_what_signs_writes_or_decides_takes_an_actor_which_a_machine_is_not(act: object) -> None:
    """mypy refuses a `Program` there; at run time it has nothing of what an actor is asked for."""
    assert typing.get_type_hints(act)["actor"] is Actor
    assert not issubclass(Program, Actor)


async def test_the_system_itself_has_no_shift_to_sign_in(session: AsyncSession) -> None:
    with pytest.raises(Forbidden):
        await signatures.want(session, SYSTEM, "medical_record", new_id(), "author", NoticeCard("内容"))


async def test_a_signature_without_a_person_cannot_be_stored(session: AsyncSession) -> None:
    column = Signature.__table__.c.signer_id

    assert not column.nullable


async def test_messages_and_cards_of_programs_name_the_program_and_nobody(
    session: AsyncSession, context: Context
) -> None:
    visit = await accepted(session, context, await a_patient(session))
    await notice(session, visit, "医生已接诊", key="one")
    await post_card(session, visit, NoticeCard("请注意", urgent=True), key="two", by=Program("reminder"))

    found = await after(session, visit.id, 0)

    assert [(one.sender, one.sender_id, one.machine) for one in found] == [
        ("system", None, "platform"), ("system", None, "reminder"),
    ]  # fmt: skip
    assert not visit.advice_given


@pytest.mark.parametrize("wrong", [{"sender_id": new_id()}, {"machine": ""}, {"sender": "doctor"}])
async def test_the_database_keeps_people_and_programs_apart(
    session: AsyncSession, context: Context, wrong: dict[str, object]
) -> None:
    visit = await accepted(session, context, await a_patient(session))
    await notice(session, visit, "医生已接诊", key="one")

    with pytest.raises(IntegrityError):
        await session.execute(update(ChatMessage).values(**wrong))
