"""What a patient uploads where the hospital has no record: hers, encrypted, for the doctor of that visit, gone when not needed."""

from datetime import timedelta
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from sqlalchemy import func, select

from backend.context import Context
from backend.eligibility.explaining import explain
from backend.eligibility.model import EligibilityDecision
from backend.encounter import service as visiting
from backend.encounter.model import FollowUp, FollowUpJudgement
from backend.papers import service
from backend.papers.model import PatientPaper
from backend.payment.model import Refund
from backend.payment.rules import RefundReason
from foundation.db.audit import AuditEvent
from foundation.db.outbox import OutboxEvent
from foundation.db.unit_of_work import unit_of_work
from foundation.errors import Conflict
from foundation.object_store import NotThere
from tests.builders.requests import Headers, a_person, staff_session
from tests.builders.visits import Patient, on_shift, pays, requested, visit_of
from tests.database import SharedClock
from tests.small_world import DOCTOR, OTHER, SECOND_DOCTOR
from tests.town import Town
from tests.unit.chat.material import jpeg

pytestmark = pytest.mark.anyio

CODE = "K21.000"


async def uploads(
    api: httpx.AsyncClient, patient: Patient, me: Headers, clock: SharedClock, *, days_ago: int = 5,
    kind: str = "discharge_summary", data: bytes | None = None, media_type: str = "image/jpeg",
) -> httpx.Response:  # fmt: skip
    day = clock.today() - timedelta(days=days_ago)
    return await api.post(
        f"/persons/{patient.person.id}/papers?kind={kind}&dated={day}", content=jpeg() if data is None else data,
        headers=me | {"content-type": media_type},
    )  # fmt: skip


async def asks(api: httpx.AsyncClient, patient: Patient, me: Headers, *ids: str) -> httpx.Response:
    body = {"person_id": str(patient.person.id), "diagnosis_code": CODE, "paper_ids": list(ids)}
    return await api.post("/eligibility/with-papers", json=body, headers=me)


async def judged_by_papers(
    api: httpx.AsyncClient, context: Context, clock: SharedClock
) -> tuple[Patient, Headers, FollowUp, str]:
    """A visit that rests on a paper, waiting for `DOCTOR`, who is on shift."""
    patient, me = await a_person(context)
    paper = (await uploads(api, patient, me, clock)).json()["id"]
    decision = (await asks(api, patient, me, paper)).json()
    async with unit_of_work(context.db) as session:
        row = await session.get_one(EligibilityDecision, UUID(decision["id"]))
        booked = await requested(session, patient, decision=row)
        await pays(session, context, booked)
        visit = await visit_of(session, booked)
        await visiting.check_in(session, patient.actor, booked)
        await on_shift(session, context, DOCTOR)
    return patient, me, visit, paper


async def test_a_paper_makes_an_unknown_disease_the_doctors_matter(
    api: httpx.AsyncClient, running: Context, clock: SharedClock
) -> None:
    """practice.md 4: an uploaded discharge summary: paid, judged before acceptance."""
    patient, me = await a_person(running)
    paper = (await uploads(api, patient, me, clock)).json()

    answer = await asks(api, patient, me, paper["id"])

    assert (answer.status_code, answer.json()["outcome"], answer.json()["reason"]) == (
        201,
        "doctor_decides",
        "papers",
    )
    async with unit_of_work(running.db) as session:
        row = await session.get_one(EligibilityDecision, UUID(answer.json()["id"]))
        kept = await session.get_one(PatientPaper, UUID(paper["id"]))
        assert explain(row).same
        assert [one["sha256"] for one in row.papers] == [kept.sha256]
        assert kept.decision_id == row.id
    assert (await api.get(f"/persons/{patient.person.id}/papers", headers=me)).json() == []


async def test_the_hospital_is_asked_all_the_same(
    api: httpx.AsyncClient, running: Context, town: Town, clock: SharedClock
) -> None:
    patient, me = await a_person(running)
    paper = (await uploads(api, patient, me, clock)).json()
    town.gateway.refuses(503, "hospital_unreachable")

    answer = await asks(api, patient, me, paper["id"])

    assert answer.status_code == 503


async def test_a_paper_older_than_the_window_helps_nobody(
    api: httpx.AsyncClient, running: Context, clock: SharedClock
) -> None:
    patient, me = await a_person(running)
    paper = (await uploads(api, patient, me, clock, days_ago=45)).json()

    answer = await asks(api, patient, me, paper["id"])

    assert answer.json()["outcome"] == "refused"
    (waiting,) = (await api.get(f"/persons/{patient.person.id}/papers", headers=me)).json()
    assert waiting["id"] == paper["id"]


async def test_what_is_no_picture_of_a_paper_is_refused_with_every_reason(
    api: httpx.AsyncClient, running: Context, clock: SharedClock
) -> None:
    patient, me = await a_person(running)

    several = await uploads(
        api, patient, me, clock, days_ago=-1, kind="selfie", media_type="application/pdf", data=b"%"
    )
    disguised = await uploads(api, patient, me, clock, data=b"<script>")

    assert {one["field"] for one in several.json()["issues"]} == {"kind", "dated", "media_type"}
    assert disguised.status_code == 422
    for _ in range(6):
        assert (await uploads(api, patient, me, clock)).status_code == 201
    assert (await uploads(api, patient, me, clock)).json()["issues"][0]["field"] == "papers"


async def test_papers_are_encrypted_where_they_lie(
    api: httpx.AsyncClient, running: Context, clock: SharedClock
) -> None:
    patient, me = await a_person(running)
    data = jpeg(camera=b"SecretCamera")
    paper = (await uploads(api, patient, me, clock, data=data)).json()

    shown = await api.get(f"/papers/{paper['id']}", headers=me)

    assert shown.headers["content-type"] == "image/jpeg"
    assert shown.content.startswith(b"\xff\xd8")
    assert b"SecretCamera" not in shown.content
    files = [one for one in Path(running.settings.object_folder).rglob("*") if one.is_file()]
    assert files
    assert not any(shown.content[20:60] in one.read_bytes() for one in files)


async def test_somebody_elses_paper_is_not_there(
    api: httpx.AsyncClient, running: Context, clock: SharedClock
) -> None:
    patient, me = await a_person(running)
    stranger, they = await a_person(running, OTHER)
    paper = (await uploads(api, patient, me, clock)).json()["id"]

    assert (await api.get(f"/papers/{paper}", headers=they)).status_code == 404
    assert (await api.delete(f"/papers/{paper}", headers=they)).status_code == 404
    assert (await asks(api, stranger, they, paper)).status_code == 404
    assert (await uploads(api, patient, they, clock)).status_code == 404


async def test_she_takes_back_what_no_decision_rests_on(
    api: httpx.AsyncClient, running: Context, clock: SharedClock
) -> None:
    patient, me = await a_person(running)
    first, second = [(await uploads(api, patient, me, clock)).json()["id"] for _ in range(2)]
    await asks(api, patient, me, second)

    assert (await api.delete(f"/papers/{first}", headers=me)).status_code == 204
    kept = await api.delete(f"/papers/{second}", headers=me)

    assert kept.json()["code"] == "paper_in_use"
    async with unit_of_work(running.db) as session:
        assert await session.scalar(select(func.count()).select_from(PatientPaper)) == 1


async def test_what_nobody_took_up_is_gone_after_a_day(
    api: httpx.AsyncClient, running: Context, clock: SharedClock
) -> None:
    patient, me = await a_person(running)
    idle, used = [UUID((await uploads(api, patient, me, clock)).json()["id"]) for _ in range(2)]
    await asks(api, patient, me, str(used))
    async with unit_of_work(running.db) as session:
        key = (await session.get_one(PatientPaper, idle)).object_key

    for one in (idle, used, idle):
        await service.discard(running, one)

    async with unit_of_work(running.db) as session:
        assert [one.id for one in await session.scalars(select(PatientPaper))] == [used]
    with pytest.raises(NotThere):
        _ = [part async for part in running.objects.read(key)]


async def test_the_doctor_of_the_visit_sees_the_paper_before_she_accepts_and_each_look_is_written_down(
    api: httpx.AsyncClient, running: Context, clock: SharedClock
) -> None:
    _, me, visit, paper = await judged_by_papers(api, running, clock)
    as_doctor = await staff_session(running, DOCTOR)
    as_other = await staff_session(running, SECOND_DOCTOR)
    path = f"/encounters/{visit.id}"

    basis = (await api.get(f"{path}/basis", headers=as_doctor)).json()
    shown = await api.get(f"{path}/papers/{paper}", headers=as_doctor)

    assert (basis["reason"], [one["id"] for one in basis["papers"]]) == ("papers", [paper])
    assert shown.status_code == 200
    async with unit_of_work(running.db) as session:
        query = select(func.count()).select_from(AuditEvent).where(AuditEvent.action == "papers.view")
        assert await session.scalar(query) == 1
        await on_shift(session, running, SECOND_DOCTOR)
    assert (await api.get(f"{path}/papers/{paper}", headers=as_other)).status_code == 404
    assert (await api.get(f"{path}/basis", headers=as_other)).status_code == 404
    assert (await api.get(f"{path}/basis", headers=me)).status_code == 403


async def test_the_doctor_says_why_it_is_a_follow_up_and_that_is_kept_and_told(
    api: httpx.AsyncClient, running: Context, clock: SharedClock
) -> None:
    """诊疗办法 Art 16: her confirmation, with who and why."""
    _, _, visit, _ = await judged_by_papers(api, running, clock)
    as_doctor = await staff_session(running, DOCTOR)
    path, words = f"/encounters/{visit.id}/accept", "出院小结示反流性食管炎，病情平稳"

    silent = await api.post(path, json={"follow_up_confirmed": True}, headers=as_doctor)
    accepted = await api.post(path, json={"follow_up_confirmed": True, "basis": words}, headers=as_doctor)

    assert silent.json()["issues"][0]["field"] == "basis"
    assert accepted.json()["state"] == "in-progress"
    async with unit_of_work(running.db) as session:
        kept = (await session.scalars(select(FollowUpJudgement))).one()
        assert (kept.encounter_id, kept.practitioner_id, kept.is_follow_up, kept.reason) == (
            visit.id, DOCTOR.id, True, words,
        )  # fmt: skip
        event = (
            await session.scalars(select(OutboxEvent).where(OutboxEvent.type == "encounter.started"))
        ).one()
        assert event.payload["basis"] == words
        assert event.payload["visit"]["eligibility_id"]


async def test_no_means_all_her_money_back(
    api: httpx.AsyncClient, running: Context, clock: SharedClock
) -> None:
    _, _, visit, _ = await judged_by_papers(api, running, clock)
    as_doctor = await staff_session(running, DOCTOR)
    body = {"reason": "材料姓名与患者不符", "not_a_follow_up": True}

    await api.post(f"/encounters/{visit.id}/decline", json=body, headers=as_doctor)

    async with unit_of_work(running.db) as session:
        refund = (await session.scalars(select(Refund))).one()
        assert (refund.reason, refund.amount) == (RefundReason.NOT_A_FOLLOW_UP, 5000)
        kept = (await session.scalars(select(FollowUpJudgement))).one()
        assert (kept.is_follow_up, kept.reason) == (False, body["reason"])
        event = (
            await session.scalars(select(OutboxEvent).where(OutboxEvent.type == "encounter.declined"))
        ).one()
        assert event.payload["not_a_follow_up"] is True


async def test_two_decisions_do_not_share_a_paper(
    api: httpx.AsyncClient, running: Context, clock: SharedClock
) -> None:
    patient, me = await a_person(running)
    paper = (await uploads(api, patient, me, clock)).json()["id"]
    first = (await asks(api, patient, me, paper)).json()

    again = await asks(api, patient, me, paper)

    assert again.status_code == 404
    async with unit_of_work(running.db) as session:
        row = await session.get_one(EligibilityDecision, UUID(first["id"]))
        with pytest.raises(Conflict):
            await service.take_up(session, row, [UUID(paper)])
