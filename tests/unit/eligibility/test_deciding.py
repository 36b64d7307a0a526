from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.context import Context
from backend.eligibility.model import EligibilityDecision
from backend.eligibility.rules import RULES, Outcome
from backend.eligibility.service import explain, require_usable
from contracts import his
from foundation.db.audit import AuditEvent
from foundation.db.outbox import OutboxEvent
from foundation.db.unit_of_work import unit_of_work
from foundation.errors import Conflict, NotFound
from foundation.ids import new_id
from tests.builders.requests import a_person
from tests.builders.visits import a_patient, eligible
from tests.database import SharedClock, moves_on
from tests.small_world import OTHER, PATIENT
from tests.town import Town

pytestmark = pytest.mark.anyio


def a_visit(
    code: str, clock: SharedClock, days_ago: int = 10, certainty: str = "confirmed"
) -> his.HospitalVisit:
    diagnosis = his.VisitDiagnosis(code, "某病", certainty, 1)
    day = clock.today() - timedelta(days=days_ago)
    return his.HospitalVisit(
        f"V{days_ago}", "ab" * 32, "outpatient", day, "老年科", "顾明远", "finished", [diagnosis]
    )


async def test_a_decision_is_frozen_with_its_evidence_and_can_be_made_again(session: AsyncSession) -> None:
    patient = await a_patient(session)
    row = await eligible(session, patient)
    await session.flush()
    await session.refresh(row)

    assert (row.outcome, row.evidence_code, row.visit_id) == ("eligible", "I10.x00", "V-1")
    assert explain(row).same
    assert (row.rule_version, row.rule_sha256) == (RULES.version, RULES.sha256)
    assert [fact["visit_id"] for fact in row.facts] == [""]  # the hospital's numbers are not kept wholesale
    event = (
        await session.scalars(select(OutboxEvent).where(OutboxEvent.type == "eligibility.decided"))
    ).one()
    assert event.payload["decision_id"] == str(row.id)


async def test_a_refusal_is_kept_and_audited_as_one(session: AsyncSession) -> None:
    patient = await a_patient(session)

    row = await eligible(session, patient, days_ago=40)
    await session.flush()

    assert row.outcome == Outcome.REFUSED
    line = (await session.scalars(select(AuditEvent).where(AuditEvent.action == "eligibility.decide"))).one()
    assert (line.outcome, line.code) == ("refused", "outside_window")


async def test_a_decision_serves_its_person_on_its_day_alone(
    session: AsyncSession, clock: SharedClock
) -> None:
    """practice.md 5: the booking day decides."""
    patient, other = await a_patient(session), await a_patient(session, OTHER)
    row = await eligible(session, patient)
    today = clock.today()

    assert await require_usable(session, patient.person.id, row.id, today) is row
    with pytest.raises(NotFound):
        await require_usable(session, other.person.id, row.id, today)
    with pytest.raises(NotFound):
        await require_usable(session, patient.person.id, new_id(), today)
    with pytest.raises(Conflict) as late:
        await require_usable(session, patient.person.id, row.id, today + timedelta(days=1))
    assert late.value.code == "eligibility_outdated"


async def test_a_refused_decision_books_nothing(session: AsyncSession, clock: SharedClock) -> None:
    """诊疗办法 Art 16: no first visit online."""
    patient = await a_patient(session)
    row = await eligible(session, patient, days_ago=40)

    with pytest.raises(Conflict) as refused:
        await require_usable(session, patient.person.id, row.id, clock.today())
    assert refused.value.code == "not_eligible"


async def asks(api: httpx.AsyncClient, context: Context, code: str = "I10.x00") -> httpx.Response:
    patient, me = await a_person(context)
    body = {"person_id": str(patient.person.id), "diagnosis_code": code}
    return await api.post("/eligibility", json=body, headers=me)


async def decisions(context: Context) -> int:
    async with unit_of_work(context.db) as session:
        return await session.scalar(select(func.count()).select_from(EligibilityDecision)) or 0


async def test_the_hospital_is_asked_through_the_gateway(
    api: httpx.AsyncClient, running: Context, town: Town, clock: SharedClock
) -> None:
    town.gateway.answers["visits"] = his.VisitsReply([a_visit("I10.x00", clock)])

    answer = await asks(api, running)

    assert (answer.status_code, answer.json()["outcome"]) == (201, "eligible")
    assert [operation for operation, _ in town.gateway.received] == ["find-patient", "visits"]
    assert town.gateway.received[0][1]["id_number"] == PATIENT.id_number


@pytest.mark.parametrize(
    "down", [(503, b'{"code": "hospital_unreachable"}'), (504, b"{}"), (502, b"<html>"), (200, b"nonsense")]
)
async def test_an_unreachable_hospital_is_never_a_yes(
    api: httpx.AsyncClient, running: Context, town: Town, down: tuple[int, bytes]
) -> None:
    """Design 2, row 4: HIS unreachable → "try later", never eligible."""
    town.gateway.status, town.gateway.body = down

    answer = await asks(api, running)

    assert answer.status_code == 503
    assert await decisions(running) == 0


async def test_whom_the_hospital_does_not_know_is_refused(
    api: httpx.AsyncClient, running: Context, town: Town
) -> None:
    town.gateway.answers["find-patient"] = his.FindPatientReply(None)

    answer = await asks(api, running)

    assert (answer.status_code, answer.json()["reason"]) == (201, "no_such_diagnosis")


@pytest.mark.parametrize("code", ["I1", "I" * 21, "", "高血压病\u0000"])
async def test_a_code_that_is_none_is_refused_by_its_field(
    api: httpx.AsyncClient, running: Context, code: str
) -> None:
    answer = await asks(api, running, code)

    assert answer.status_code == 422
    assert answer.json()["issues"][0]["field"] == "diagnosis_code"


async def test_what_the_hospital_says_at_length_does_not_break_us(
    api: httpx.AsyncClient, running: Context, town: Town, clock: SharedClock
) -> None:
    town.gateway.answers["visits"] = his.VisitsReply([a_visit("I10.x00x00200000000000000000", clock)])

    answer = await asks(api, running)

    assert answer.status_code == 201, answer.text


async def test_the_list_of_diagnoses_says_what_each_would_be(
    api: httpx.AsyncClient, running: Context, town: Town, clock: SharedClock
) -> None:
    town.gateway.answers["visits"] = his.VisitsReply([
        a_visit("I10.x00", clock, 5), a_visit("K21.000", clock, 50), a_visit("M54.500", clock, 7, "suspected"),
        a_visit("E11.100", clock, 8), a_visit("I10.x00", clock, 200),
    ])  # fmt: skip
    patient, me = await a_person(running)

    answer = await api.get(f"/persons/{patient.person.id}/diagnoses", headers=me)

    assert [(one["code"], one["outcome"]) for one in answer.json()] == [
        ("I10.x00", "eligible"), ("E11.100", "refused"), ("K21.000", "refused"),
    ]  # fmt: skip
    assert await decisions(running) == 0


async def test_the_hospitals_id_is_asked_for_once(
    api: httpx.AsyncClient, running: Context, town: Town, clock: SharedClock
) -> None:
    patient, me = await a_person(running)
    for _ in range(2):
        await api.get(f"/persons/{patient.person.id}/diagnoses", headers=me)
        moves_on(clock, seconds=1)

    asked: list[Any] = [operation for operation, _ in town.gateway.received]
    assert asked == ["find-patient", "visits", "visits"]
