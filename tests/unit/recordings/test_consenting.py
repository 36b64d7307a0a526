"""互联网诊疗监管细则(试行) 第十九条: the process is kept; whether sound and picture are, the patient decides, and it can be proved."""

import httpx
import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.chat.model import ChatMessage
from backend.context import Context
from backend.encounter.model import Encounter
from backend.patient import service as patients
from backend.patient.model import PersonGrant
from backend.video import consenting, rules
from backend.video.model import RecordingConsent
from foundation.actor import Actor
from foundation.db.audit import AuditEvent
from foundation.db.unit_of_work import unit_of_work
from tests.builders.requests import Headers, a_person, staff_session
from tests.builders.visits import Patient, a_patient, accepted, consents, registered
from tests.small_world import DAUGHTER, DOCTOR, OTHER, SCHOOLCHILD

pytestmark = pytest.mark.anyio


async def a_patients_visit(context: Context) -> tuple[Encounter, Headers]:
    patient, headers = await a_person(context)
    async with unit_of_work(context.db) as session:
        return await accepted(session, context, patient), headers


async def decides(
    api: httpx.AsyncClient,
    visit: Encounter,
    headers: Headers,
    decision: str,
    version: str = rules.CONSENT_VERSION,
) -> httpx.Response:
    said = {"decision": decision, "version": version}
    return await api.put(f"/encounters/{visit.id}/recording-consent", json=said, headers=headers)


async def kept(context: Context) -> list[RecordingConsent]:
    async with unit_of_work(context.db) as session:
        return list(await session.scalars(select(RecordingConsent).order_by(RecordingConsent.id)))


async def test_a_yes_is_kept_with_who_gave_it_as_whom_when_and_on_which_text(
    api: httpx.AsyncClient, running: Context
) -> None:
    visit, patient = await a_patients_visit(running)
    shown = (await api.get(f"/encounters/{visit.id}/recording-consent", headers=patient)).json()

    for _ in range(2):
        assert (await decides(api, visit, patient, "given", shown["version"])).status_code == 204

    (row,) = await kept(running)
    assert (row.encounter_id, row.person_id, row.acts_as, row.decision) == (
        visit.id, visit.person_id, "self", "given",
    )  # fmt: skip
    assert (row.text_version, row.text_sha256) == (rules.CONSENT_VERSION, consenting.text_digest())
    assert abs((row.at - running.clock.now()).total_seconds()) < 60
    async with unit_of_work(running.db) as session:
        query = select(AuditEvent).where(AuditEvent.action == "video.recording_given")
        (line,) = await session.scalars(query)
    assert (line.actor_kind, line.actor_id, line.subject_id) == ("account", row.account_id, str(visit.id))
    assert line.detail["text_sha256"] == row.text_sha256


async def test_who_acts_for_the_patient_is_kept_and_shown(api: httpx.AsyncClient, running: Context) -> None:
    visit, patient = await a_patients_visit(running)
    async with unit_of_work(running.db) as session:
        grant = await session.scalar(select(PersonGrant).where(PersonGrant.person_id == visit.person_id))
        assert grant is not None
        grant.kind = "guardian"

    await decides(api, visit, patient, "given")

    assert [row.acts_as for row in await kept(running)] == ["guardian"]
    async with unit_of_work(running.db) as session:
        said = await session.scalars(select(ChatMessage.body).where(ChatMessage.encounter_id == visit.id))
        assert "患者（监护人）已同意视频问诊并录像" in list(said)


async def acting_for(context: Context, kind: str) -> tuple[Encounter, Headers]:
    """A visit of somebody whom her daughter (by code) or mother (by law) acts for, and a session of that account."""
    daughter, headers = await a_person(context, DAUGHTER)
    async with unit_of_work(context.db) as session:
        if kind == "guardian":
            child = await registered(session, daughter.actor, SCHOOLCHILD, "guardian", "母亲")
            await consents(session, daughter.actor, child)
            patient = Patient(daughter.actor, child, SCHOOLCHILD)
        else:
            patient = await a_patient(session)
            code = await patients.make_grant_code(session, patient.actor, patient.person.id)
            await patients.redeem_grant_code(session, daughter.actor, code, "女儿")
        return await accepted(session, context, patient), headers


@pytest.mark.parametrize(("kind", "called"), [("guardian", "监护人"), ("proxy", "代办人")])
async def test_whoever_is_bound_decides_for_the_patient_and_it_is_kept_as_whom(
    api: httpx.AsyncClient, running: Context, kind: str, called: str
) -> None:
    """practice.md 1: consent belongs to the person, the actor is recorded."""
    visit, headers = await acting_for(running, kind)

    for decision in ("given", "withdrawn"):
        assert (await decides(api, visit, headers, decision)).status_code == 204

    rows = await kept(running)
    assert [(row.acts_as, row.person_id, row.decision) for row in rows] == [
        (kind, visit.person_id, "given"), (kind, visit.person_id, "withdrawn"),
    ]  # fmt: skip
    async with unit_of_work(running.db) as session:
        said = list(
            await session.scalars(select(ChatMessage.body).where(ChatMessage.encounter_id == visit.id))
        )
        account = (await session.get_one(PersonGrant, (await grant_of(session, visit, kind)).id)).account_id
    assert {row.account_id for row in rows} == {account}
    assert f"患者（{called}）已同意视频问诊并录像" in said


async def grant_of(session: AsyncSession, visit: Encounter, kind: str) -> PersonGrant:
    query = select(PersonGrant).where(PersonGrant.person_id == visit.person_id, PersonGrant.kind == kind)
    return (await session.scalars(query)).one()


async def test_a_proxy_whose_grant_was_taken_back_decides_nothing(
    api: httpx.AsyncClient, running: Context
) -> None:
    visit, headers = await acting_for(running, "proxy")
    async with unit_of_work(running.db) as session:
        grant = await grant_of(session, visit, "proxy")
        own = await grant_of(session, visit, "self")
        patient = Actor("account", own.account_id, frozenset({"patient"}))
        await patients.revoke_grant(session, patient, visit.person_id, grant.id)

    assert (await decides(api, visit, headers, "given")).status_code == 404
    assert await kept(running) == []


async def test_somebody_elses_account_decides_nothing(api: httpx.AsyncClient, running: Context) -> None:
    visit, _ = await a_patients_visit(running)
    _, stranger = await a_person(running, OTHER)

    assert (await decides(api, visit, stranger, "given")).status_code == 404
    assert await kept(running) == []


async def test_a_no_is_kept_and_there_is_no_video(api: httpx.AsyncClient, running: Context) -> None:
    visit, patient = await a_patients_visit(running)

    await decides(api, visit, patient, "refused")

    assert [row.decision for row in await kept(running)] == ["refused"]
    refused = await api.post(f"/encounters/{visit.id}/room", headers=await staff_session(running, DOCTOR))
    assert refused.json()["code"] == "no_recording_consent"


@pytest.mark.parametrize("word", ["withdrawn", "refused"])
async def test_a_yes_is_taken_back_and_can_be_given_again(
    api: httpx.AsyncClient, running: Context, word: str
) -> None:
    visit, patient = await a_patients_visit(running)

    for decision in ("given", word, word, "given"):
        assert (await decides(api, visit, patient, decision)).status_code == 204

    assert [row.decision for row in await kept(running)] == ["given", "withdrawn", "given"]


async def test_who_read_another_text_is_asked_again(api: httpx.AsyncClient, running: Context) -> None:
    visit, patient = await a_patients_visit(running)

    refused = await decides(api, visit, patient, "given", "2020-01")

    assert (refused.status_code, refused.json()["code"]) == (409, "consent_text_changed")
    assert await kept(running) == []


async def test_the_doctor_cannot_agree_for_her_patient(api: httpx.AsyncClient, running: Context) -> None:
    visit, _ = await a_patients_visit(running)

    refused = await decides(api, visit, await staff_session(running, DOCTOR), "given")

    assert refused.status_code == 403
