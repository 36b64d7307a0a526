"""What a doctor has beside the prescription editor: one look, reported once; less of it when the hospital is silent."""

from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from backend.context import Context
from backend.encounter.model import FollowUp
from backend.prescription.model import PrescriptionRow
from backend.record import service as records
from contracts import his
from foundation.db.outbox import OutboxEvent
from foundation.db.unit_of_work import unit_of_work
from tests.builders.requests import staff_session
from tests.builders.visits import a_patient, accepted, signed, signs_record, writes
from tests.small_world import DOCTOR, PHARMACIST, SECOND_DOCTOR
from tests.town import Town

pytestmark = pytest.mark.anyio


@pytest.fixture
async def row(running: Context) -> PrescriptionRow:
    """Amlodipine for seven days, signed in a visit that runs."""
    async with unit_of_work(running.db) as session:
        return await signed(session, running, await accepted(session, running, await a_patient(session)))


async def looks(running: Context, api: httpx.AsyncClient, row: PrescriptionRow) -> dict[str, Any]:
    answer = await api.get(
        f"/encounters/{row.encounter_id}/beside", headers=await staff_session(running, DOCTOR)
    )
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def views(running: Context) -> int:
    """How many looks were reported."""
    async with unit_of_work(running.db) as session:
        query = select(func.count()).select_from(OutboxEvent).where(OutboxEvent.type == "record.viewed")
        return await session.scalar(query) or 0


async def test_history_and_what_is_still_taken_are_one_reported_look(
    running: Context, api: httpx.AsyncClient, row: PrescriptionRow, town: Town
) -> None:
    day = running.clock.today() - timedelta(days=10)
    given = his.HistoryMedication("盐酸二甲双胍片", "YP022", "", day, 28, "0" * 64)
    over = his.HistoryMedication("氯雷他定片", "YP999", "", day, 5, "0" * 64)
    town.gateway.answers["history"] = his.HistoryReply([], [], [given, over], [])
    before = await views(running)

    found = await looks(running, api, row)

    assert [(one["name"], one["days_left"]) for one in found["taking"]] == [
        ("盐酸二甲双胍片", 18), ("苯磺酸氨氯地平片", 7),
    ]  # fmt: skip
    assert [one["same_visit"] for one in found["taking"]] == [False, True]
    assert len(found["history"]["medications"]) == 2
    assert found["why_not"] == ""
    assert await views(running) == before + 1


async def test_a_silent_hospital_takes_our_own_drugs_not_away_and_nothing_is_reported(
    running: Context, api: httpx.AsyncClient, row: PrescriptionRow, town: Town
) -> None:
    town.gateway.refuses(503, "down")
    before = await views(running)

    found = await looks(running, api, row)

    assert found["history"] is None
    assert "请向患者核实" in found["why_not"]
    assert [one["name"] for one in found["taking"]] == ["苯磺酸氨氯地平片"]
    assert await views(running) == before


async def test_after_the_visit_the_hospitals_records_stay_closed(
    running: Context, api: httpx.AsyncClient, row: PrescriptionRow
) -> None:
    async with unit_of_work(running.db) as session:
        visit = await session.get_one(FollowUp, row.encounter_id)
        await writes(session, visit)
        await signs_record(session, running, visit)
        await records.finish(session, DOCTOR.actor, visit)
    before = await views(running)

    found = await looks(running, api, row)

    assert (found["history"], found["why_not"]) == (None, "问诊已结束，不能再查阅院内病历")
    assert await views(running) == before


@pytest.mark.parametrize("who", [SECOND_DOCTOR, PHARMACIST])
async def test_nobody_else_looks(
    running: Context, api: httpx.AsyncClient, row: PrescriptionRow, who: Any
) -> None:
    answer = await api.get(
        f"/encounters/{row.encounter_id}/beside", headers=await staff_session(running, who)
    )

    assert answer.status_code in (403, 404)
