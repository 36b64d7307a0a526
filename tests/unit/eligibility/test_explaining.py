"""A decision made again from what was kept, under the rule that made it."""

import dataclasses

import httpx
import msgspec
import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from backend.commands import _explain as run_explain
from backend.commands import eligibility as command
from backend.context import Context
from backend.eligibility.explaining import explain, lines
from backend.eligibility.model import EligibilityDecision
from backend.eligibility.rules import Fact, decide
from backend.eligibility.service import require_standing
from backend.encounter import service as visiting
from backend.encounter.queries import as_follow_up
from backend.prescription import service as prescribing
from foundation.db.unit_of_work import unit_of_work
from foundation.errors import Conflict
from foundation.ids import new_id
from tests.builders.requests import a_person, staff_session
from tests.builders.visits import a_patient, drafted, eligible, on_shift, pays, requested
from tests.database import SharedClock, moves_on
from tests.small_world import CLERK, DOCTOR, PHARMACIST

pytestmark = pytest.mark.anyio


async def test_what_was_decided_comes_out_the_same_and_says_how(session: AsyncSession) -> None:
    row = await eligible(session, await a_patient(session), "K21.000", found="K21.900")

    found = explain(row)

    told = lines(row, found)
    assert found.same
    assert told[-1] == "复算结果与当时一致"
    assert any("三位类目相同" in one for one in told)


async def test_evidence_that_was_touched_does_not_carry_the_decision(session: AsyncSession) -> None:
    row = await eligible(session, await a_patient(session))
    row.facts = [one | {"certainty": "suspected"} for one in row.facts]

    found = explain(row)

    assert not found.same
    assert "复算：不能线上复诊" in found.remarks[0]


async def test_another_rule_file_under_the_same_name_is_seen(session: AsyncSession) -> None:
    row = await eligible(session, await a_patient(session))
    row.rule_sha256 = "00" * 32

    assert not explain(row).same


async def test_a_decision_of_the_first_version_is_made_again_under_that(session: AsyncSession) -> None:
    """Rows from before had no hash, no kinds of visits, and the hospital's visit number among the facts."""
    row = await eligible(session, await a_patient(session), "I10.x00", found="I11.900")
    assert row.outcome == "doctor_decides"
    row.rule_version, row.rule_sha256, row.outcome, row.reason = "2026-1", "", "refused", "no_such_diagnosis"
    row.evidence_day, row.level, row.considered = None, "", 0
    kept = ("visit_id", "resource_hash", "day", "code", "certainty", "status", "source")
    row.facts = [{key: one[key] for key in kept} for one in row.facts]

    assert explain(row).same
    row.rule_version = "1999-1"
    assert not explain(row).same


async def test_a_visit_begun_in_time_is_prescribed_for_after_the_window_closed(
    session: AsyncSession, context: Context, clock: SharedClock
) -> None:
    """facts: re-check at prescribing, but do not fail a consultation begun in time."""
    patient = await a_patient(session)
    decision = await eligible(session, patient, days_ago=31)  # 20 October: the last day is today, 20 November
    booked = await requested(session, patient, decision=decision)
    await pays(session, context, booked)
    visit = as_follow_up(await visiting.check_in(session, patient.actor, booked))
    await on_shift(session, context, DOCTOR)
    await visiting.accept(session, DOCTOR.actor, visit, follow_up_confirmed=True, guardian_present=False)
    row = await drafted(session, visit)
    moves_on(clock, hours=16)
    await on_shift(session, context, DOCTOR)
    tomorrow = decide("I10.x00", msgspec.convert(decision.facts, list[Fact]), clock.today())

    assert tomorrow.reason == "outside_window"
    wanted = await prescribing.want_signature(session, DOCTOR.actor, row, [])
    assert wanted.digest == row.digest


async def test_a_decision_that_does_not_stand_carries_no_prescription(session: AsyncSession) -> None:
    row = await eligible(session, await a_patient(session))
    await session.flush()
    await require_standing(session, row.id)

    row.facts = []
    await session.flush()

    with pytest.raises(Conflict) as refused:
        await require_standing(session, row.id)
    assert refused.value.code == "eligibility_broken"


async def test_the_desk_sees_how_a_decision_came_about_and_others_do_not(
    api: httpx.AsyncClient, running: Context
) -> None:
    patient, me = await a_person(running)
    async with unit_of_work(running.db) as session:
        row: EligibilityDecision = await eligible(session, patient)
    path = f"/eligibility/{row.id}/explanation"

    seen = await api.get(path, headers=await staff_session(running, CLERK))

    assert (seen.status_code, seen.json()["same"]) == (200, True)
    assert seen.json()["steps"]
    assert (await api.get(path, headers=me)).status_code == 403
    assert (await api.get(path, headers=await staff_session(running, PHARMACIST))).status_code == 403


def test_the_rules_that_ship_are_in_order(capsys: pytest.CaptureFixture[str]) -> None:
    assert command(["check"]) == 0
    assert "2026-2 in force from 2026-11-01" in capsys.readouterr().out


async def test_the_command_prints_the_steps_and_ends_with_what_came_out(
    running: Context, capsys: pytest.CaptureFixture[str]
) -> None:
    patient, _ = await a_person(running)
    async with unit_of_work(running.db) as session:
        good: EligibilityDecision = await eligible(session, patient)
        bad: EligibilityDecision = await eligible(session, patient, "K21.000")
        bad.facts = []

    url = running.db.engine.url.render_as_string(hide_password=False)
    settings = dataclasses.replace(running.settings, database_url=url)
    ended = [await run_explain(settings, one) for one in (good.id, bad.id, new_id())]

    assert ended == [0, 1, 2]
    told = capsys.readouterr()
    assert "六位编码相同" in told.out
    assert "复算结果与当时不一致" in told.out
    assert "no such decision" in told.err
