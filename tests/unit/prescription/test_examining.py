"""What is gathered for the engine: from the hospital, from our own prescriptions, and from what the doctor states."""

from datetime import date, timedelta
from typing import Any

import msgspec
import pytest

from backend.context import Context
from backend.encounter.model import FollowUp
from backend.prescription.examining import examine
from backend.prescription.model import PrescriptionRow
from backend.prescription.rules import stated_issues
from backend.prescription.signing import PrescriptionContent, digest_of
from backend.prescription.wire import WritePrescription
from backend.review.draft import Answer, Draft, Finding, Item, Liver, Stated, StatedTest
from contracts import his
from contracts.events import Diagnosis
from foundation.canonical import canonical
from foundation.db.unit_of_work import unit_of_work
from foundation.errors import Conflict, Invalid
from tests.builders.visits import AMLODIPINE, HYPERTENSION, a_patient, accepted, drafted, signed, signs
from tests.town import Town

pytestmark = pytest.mark.anyio

TODAY = date(2026, 11, 20)
HASH = "0" * 64
LATER = {"kind", "stated", "stated_at", "renews"}
"""What a content says only when there is something to say."""


@pytest.fixture
async def visit(running: Context) -> FollowUp:
    async with unit_of_work(running.db) as session:
        return await accepted(session, running, await a_patient(session))


async def names(context: Context, visit: FollowUp, **more: Any) -> set[str]:
    """Rules of the findings about a line of amlodipine."""
    return {one.rule for one in await looked_at(context, visit, **more)}


async def looked_at(
    context: Context, visit: FollowUp, *items: Item, but: Any = None, **more: Any
) -> list[Finding]:
    draft = Draft(list(items) or [AMLODIPINE], [Diagnosis(HYPERTENSION, "")], "有理由", **more)
    return await examine(context, visit, draft, but=but)


def history(town: Town, clock_day: date, code: str, ago: int, days: int) -> None:
    """The hospital gave this drug so many days ago for so many days."""
    given = his.HistoryMedication("某药", code, "", clock_day - timedelta(days=ago), days, HASH)
    town.gateway.answers["history"] = his.HistoryReply([], [], [given], [])


@pytest.mark.parametrize(
    ("ago", "days", "rule"),
    [
        (0, 28, "fit.still_taking"),
        (20, 28, "fit.still_taking"),
        (21, 28, "fit.still_taking_info"),
        (28, 28, None),
    ],
)
async def test_what_the_hospital_gave_counts_while_it_lasts(
    running: Context, visit: FollowUp, town: Town, ago: int, days: int, rule: str | None
) -> None:
    history(town, running.clock.today(), "YP001", ago, days)

    found = await names(running, visit)

    assert found & {"fit.still_taking", "fit.still_taking_info"} == ({rule} if rule else set())


async def test_a_hospital_that_gives_no_answer_is_said(running: Context, visit: FollowUp, town: Town) -> None:
    town.gateway.refuses(503, "down")

    assert "fit.taking_unknown" in await names(running, visit)


async def test_our_own_signed_prescription_of_this_visit_is_a_duplicate_but_not_itself(
    running: Context, visit: FollowUp
) -> None:
    async with unit_of_work(running.db) as session:
        row = await signed(session, running, await session.get_one(FollowUp, visit.id))
    other = await names(running, visit)
    itself = {one.rule for one in await looked_at(running, visit, but=row.id)}

    assert "fit.duplicate_visit" in other
    assert "fit.duplicate_visit" not in itself


async def test_a_draft_counts_when_it_is_signed_and_not_before(running: Context, visit: FollowUp) -> None:
    async with unit_of_work(running.db) as session:
        await drafted(session, await session.get_one(FollowUp, visit.id))

    assert "fit.duplicate_visit" not in await names(running, visit)


async def test_of_two_drafts_signed_at_the_same_moment_one_is_refused(
    running: Context, visit: FollowUp
) -> None:
    """Both were examined before either was signed."""
    async with unit_of_work(running.db) as session:
        mine = await session.get_one(FollowUp, visit.id)
        one, other = await drafted(session, mine), await drafted(session, mine)
    async with unit_of_work(running.db) as session:
        await signs(session, running, await session.get_one(PrescriptionRow, one.id))

    with pytest.raises(Conflict) as refused:
        async with unit_of_work(running.db) as session:
            await signs(session, running, await session.get_one(PrescriptionRow, other.id))

    assert refused.value.code == "same_drug_signed"


async def test_what_the_doctor_states_reaches_the_rules(running: Context, visit: FollowUp) -> None:
    metformin = Item("YP022", "500", "qd", "1", 7, 1)

    found = await looked_at(running, visit, metformin, stated=Stated(egfr=20))

    assert "fit.renal_avoid" in {one.rule for one in found}


async def test_a_drug_bought_elsewhere_meets_the_prescription(running: Context, visit: FollowUp) -> None:
    assert "fit.interaction_taking" in await names(running, visit, stated=Stated(taking=["YP087", "YP096"]))


@pytest.mark.parametrize(("ago", "rule"), [(3, False), (4, True)])
async def test_a_skin_test_is_not_older_than_three_days(
    running: Context, visit: FollowUp, ago: int, rule: bool
) -> None:
    tested = StatedTest("penicillin", True, running.clock.today() - timedelta(days=ago))
    found = await looked_at(
        running, visit, Item("YP080", "500", "qd", "1", 7, 1), stated=Stated(skin_tests=[tested])
    )

    assert ("fit.skin_test" in {one.rule for one in found}) is rule


async def test_what_cannot_be_is_refused_by_its_field(running: Context, visit: FollowUp) -> None:
    stated = Stated(taking=["nothing"], weight_kg="999")

    with pytest.raises(Invalid) as refused:
        await looked_at(running, visit, stated=stated)

    assert {issue.field for issue in refused.value.issues} == {"patient.taking.0", "patient.weight_kg"}


@pytest.mark.parametrize(
    ("stated", "sex", "fields"),
    [
        (Stated(pregnancy=Answer.YES, lactation=Answer.YES), "male", ["patient.pregnancy", "patient.lactation"]),
        (Stated(pregnancy=Answer.YES), "female", []),
        (Stated(pregnancy=Answer.NO), "male", []),
        (Stated(weight_kg="300"), "male", []),
        (Stated(weight_kg="300.1"), "male", ["patient.weight_kg"]),
        (Stated(weight_kg="0"), "male", ["patient.weight_kg"]),
        (Stated(skin_tests=[StatedTest("x", True, TODAY)]), "male", []),
        (Stated(skin_tests=[StatedTest("x", True, TODAY + timedelta(days=1))]), "male", ["patient.skin_tests.0.tested_on"]),
    ],
)  # fmt: skip
def test_stated_facts_are_checked(stated: Stated, sex: str, fields: list[str]) -> None:
    assert [issue.field for issue in stated_issues(stated, sex, TODAY, set())] == fields


@pytest.mark.parametrize(
    "patient",
    [{"egfr": 0}, {"egfr": 999}, {"liver": "D"}, {"pregnancy": "maybe"}, {"weight_kg": "heavy"}, {"skin_tests": [{"group": "x"}]},
     {"kidney": 3}],
)  # fmt: skip
def test_the_request_refuses_what_is_no_fact(patient: dict[str, Any]) -> None:
    body = {"items": [], "diagnosis_codes": [], "patient": patient}

    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(body, WritePrescription)


def test_the_request_carries_the_facts() -> None:
    tested = {"group": "penicillin", "negative": True, "tested_on": "2026-11-19"}
    patient = {
        "pregnancy": "no",
        "egfr": 55,
        "liver": "A",
        "weight_kg": "62.5",
        "taking": ["YP001"],
        "skin_tests": [tested],
    }
    body = {"items": [], "diagnosis_codes": [], "kind": "emergency", "patient": patient}

    draft = msgspec.convert(body, WritePrescription).draft([])

    assert draft.kind == "emergency"
    assert draft.stated == Stated(
        Answer.NO,
        Answer.UNKNOWN,
        55,
        Liver.A,
        "62.5",
        ["YP001"],
        [StatedTest("penicillin", True, date(2026, 11, 19))],
    )


async def test_what_was_signed_before_facts_could_be_stated_still_holds(
    running: Context, visit: FollowUp
) -> None:
    """The bytes of a prescription without such facts are the bytes of before."""
    async with unit_of_work(running.db) as session:
        row = await drafted(session, await session.get_one(FollowUp, visit.id))
    async with unit_of_work(running.db) as session:
        again = await session.get_one(PrescriptionRow, row.id)

    fields = msgspec.json.decode(canonical(again.content))
    assert not LATER & set(fields)
    assert digest_of(again.content) == again.digest
    assert set(fields) == set(PrescriptionContent.__struct_fields__) - LATER
