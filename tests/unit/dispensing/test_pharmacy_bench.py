"""Prepared, coded, checked, handed over; what stays cold; what came back."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.alarm.model import Alarm
from backend.context import Context
from backend.dispensing import preparing, queries, returning, rules
from backend.dispensing import service as dispensing
from backend.dispensing.model import Dispense
from backend.dispensing.rules import CHECKS
from backend.dispensing.wire import dispense_view, dispensed
from backend.formulary.facts import builtin
from backend.formulary.model import DrugRow
from backend.notification.model import Message
from backend.outside.courier import ParcelEvent
from contracts.events import DispenseCompleted, PrescriptionItem
from foundation.db.intents import Intent
from foundation.db.outbox import OutboxEvent
from foundation.errors import Conflict, Invalid
from tests.builders.visits import a_patient, approved, hands_over, on_shift, ordered, paid_order, prepared
from tests.database import SharedClock, moves_on
from tests.small_world import PHARMACIST

pytestmark = pytest.mark.anyio
ALL = list(CHECKS)
CODE = "81234567890123456789"


async def at_the_bench(session: AsyncSession, context: Context, method: str = "pickup") -> Dispense:
    order = await paid_order(session, context, await a_patient(session), method)
    await on_shift(session, context, PHARMACIST)
    return order


# the four checks


def test_there_are_four_checks_and_ten_comparisons() -> None:
    """处方管理办法 第三十七条."""
    assert len({one.check for one in CHECKS.values()}) == 4
    assert len(CHECKS) == 10


@given(st.sets(st.sampled_from(ALL)))
def test_every_comparison_that_was_not_made_is_named(done: set[str]) -> None:
    assert {one.field for one in rules.check_issues(done)} == set(CHECKS) - done


async def test_nothing_leaves_unchecked(session: AsyncSession, context: Context) -> None:
    order = await prepared(session, context, await at_the_bench(session, context, "courier"))

    with pytest.raises(Invalid) as refused:
        await dispensing.hand_over(session, PHARMACIST.actor, order, ALL[:-1], retail_ban=False)

    assert [one.field for one in refused.value.issues] == ["diagnosis"]
    assert order.state == "preparation"


async def test_nothing_leaves_unprepared(session: AsyncSession, context: Context) -> None:
    order = await at_the_bench(session, context, "courier")

    with pytest.raises(Conflict) as refused:
        await dispensing.hand_over(session, PHARMACIST.actor, order, ALL, retail_ban=False)

    assert refused.value.code == "not_prepared"


async def test_who_prepared_and_who_checked_is_kept(session: AsyncSession, context: Context) -> None:
    order = await hands_over(session, context, await at_the_bench(session, context, "courier"))

    assert (order.prepared_by, order.pharmacist_id, order.checks) == (PHARMACIST.id, PHARMACIST.id, ALL)


async def test_the_supervisor_hears_who_prepared_compared_and_gave_out(
    session: AsyncSession, context: Context, clock: SharedClock
) -> None:
    """Four pharmacists stand on a line that was given out; the one who reviewed it is in the event as ever."""
    order = await on_its_way(session, context)
    done = [ParcelEvent(1, "delivered", clock.now())]
    await dispensing.tracked(session, order.id, "delivered", done)

    query = select(OutboxEvent.payload).where(OutboxEvent.type == DispenseCompleted.TYPE)
    told = msgspec.convert((await session.scalars(query)).one(), DispenseCompleted, strict=False)

    named = [told.pharmacist, told.prepared_by, told.checked_by, told.issued_by]
    assert [who.practitioner_id for who in named if who] == [PHARMACIST.id] * 4
    assert told.prepared_at == order.prepared_at


# trace codes


async def test_a_pack_without_its_code_is_not_prepared(session: AsyncSession, context: Context) -> None:
    order = await at_the_bench(session, context)

    with pytest.raises(Invalid) as refused:
        await preparing.prepare(session, PHARMACIST.actor, order, retail_ban=False)

    assert [one.field for one in refused.value.issues] == ["items.0"]


async def test_unless_it_is_written_why_it_has_none(session: AsyncSession, context: Context) -> None:
    order = await at_the_bench(session, context)

    order = await preparing.prepare(session, PHARMACIST.actor, order, "拆零分装，无追溯码", retail_ban=False)

    assert order.prepared_at is not None


async def test_a_code_is_in_one_order_only(session: AsyncSession, context: Context) -> None:
    patient = await a_patient(session)
    first = await paid_order(session, context, patient)
    await on_shift(session, context, PHARMACIST)
    await preparing.record_codes(session, PHARMACIST.actor, first, 0, [CODE])
    from backend.dispensing.model import TraceCode

    session.add(
        TraceCode(dispense_id=first.id, line=9, drug_code="X", code="9" * 20, recorded_at=first.ordered_at)
    )
    await session.flush()

    with pytest.raises(Conflict) as refused:
        await preparing.record_codes(session, PHARMACIST.actor, first, 0, ["9" * 20])

    assert refused.value.code == "trace_code_used"


async def test_codes_of_an_order_that_ended_may_be_used_again(
    session: AsyncSession, context: Context
) -> None:
    order = await at_the_bench(session, context)
    await preparing.record_codes(session, PHARMACIST.actor, order, 0, [CODE])
    assert await preparing.code_belongs_to(session, CODE)

    await dispensing.decline(session, PHARMACIST.actor, order, "效期不足")

    assert await preparing.code_belongs_to(session, CODE) is None


@pytest.mark.parametrize(
    ("codes", "problem"),
    [([CODE, CODE], "twice"), (["123"], "wrong_format"), ([CODE, "1" * 20, "2" * 20], "too_many")],
)
def test_codes_that_cannot_be_right_are_refused(codes: list[str], problem: str) -> None:
    assert problem in [one.code for one in rules.code_issues(codes, 2)]


def test_codes_are_digits_and_not_what_unicode_calls_digits() -> None:
    assert rules.code_issues(["٣" * 20], 1)


# picking up


async def test_she_gets_her_drugs_with_her_code(session: AsyncSession, context: Context) -> None:
    order = await prepared(session, context, await at_the_bench(session, context))
    assert order.pickup_code

    wrong = "000000" if order.pickup_code != "000000" else "111111"
    with pytest.raises(Invalid):
        await dispensing.hand_over(session, PHARMACIST.actor, order, ALL, pickup_code=wrong, retail_ban=False)
    with pytest.raises(Invalid):
        await dispensing.hand_over(session, PHARMACIST.actor, order, ALL, retail_ban=False)
    order = await dispensing.hand_over(
        session, PHARMACIST.actor, order, ALL, pickup_code=order.pickup_code, retail_ban=False
    )

    assert order.state == "completed"


async def test_who_lost_her_phone_is_recognised_otherwise_and_that_is_written_down(
    session: AsyncSession, context: Context
) -> None:
    order = await prepared(session, context, await at_the_bench(session, context))

    order = await dispensing.hand_over(
        session, PHARMACIST.actor, order, ALL, without_code="核对身份证原件", retail_ban=False
    )

    assert (order.state, order.without_code) == ("completed", "核对身份证原件")


async def test_she_is_told_once_when_it_is_ready(session: AsyncSession, context: Context) -> None:
    order = await prepared(session, context, await at_the_bench(session, context))
    await preparing.prepare(session, PHARMACIST.actor, order, retail_ban=False)

    told = (await session.scalars(select(Message).where(Message.template == "TPL_PICK_UP"))).all()

    assert len(told) == 1


async def test_code_name_and_address_are_for_her_eyes_only(session: AsyncSession, context: Context) -> None:
    pickup = await at_the_bench(session, context)
    sent = Dispense(
        **{name: getattr(pickup, name) for name in ("id", "prescription_id", "stream", "person_id")}
    )
    hers, theirs = dispense_view(pickup, [], own=True), dispense_view(pickup, [])

    assert sent.id == pickup.id
    assert hers.pickup_code == pickup.pickup_code
    assert (theirs.pickup_code, theirs.receiver_name) == ("", "林**")
    assert pickup.receiver.address == ""


async def test_the_pharmacy_sees_no_house_number(session: AsyncSession, context: Context) -> None:
    order = await at_the_bench(session, context, "courier")

    assert dispense_view(order, [], own=True).address.endswith("3室")
    assert "3室" not in dispense_view(order, []).address


# cold chain


def a_line(code: str, name: str) -> PrescriptionItem:
    return PrescriptionItem(code, name, "", "", "", "1", "片", "qd", "", "1", "", 7, 1, "", "", 100, 100)


def test_what_stays_cold_is_picked_up_and_so_is_what_nobody_knows() -> None:
    drugs = builtin()
    insulin, tablet, gone = (
        a_line("YP028", "甘精胰岛素注射液"),
        a_line("YP001", "苯磺酸氨氯地平片"),
        a_line("YP0", "某药"),
    )

    [cold] = rules.cold_issues("courier", [tablet, insulin], drugs)
    [unknown] = rules.cold_issues("courier", [tablet, gone], drugs)

    assert (cold.field, cold.code) == ("method", "cold_chain")
    assert "甘精胰岛素" in cold.message
    assert "氨氯地平" not in cold.message
    assert unknown.code == "storage_unknown"
    assert "某药" in unknown.message
    assert rules.cold_issues("pickup", [insulin, gone], drugs) == []
    assert rules.cold_issues("courier", [tablet], drugs) == []


async def test_a_drug_that_was_withdrawn_still_stays_cold(session: AsyncSession, context: Context) -> None:
    patient = await a_patient(session)
    row = await approved(session, context, patient)
    drug = (await session.scalars(select(DrugRow).where(DrugRow.code == "YP001"))).one()
    drug.facts, drug.valid = {**drug.facts, "cold_chain": True}, False
    await session.flush()

    with pytest.raises(Invalid) as refused:
        await ordered(session, patient, row)

    assert [one.code for one in refused.value.issues] == ["cold_chain"]


async def test_no_courier_for_what_has_to_stay_cold(session: AsyncSession, context: Context) -> None:
    patient = await a_patient(session)
    row = await approved(session, context, patient)
    drug = (await session.scalars(select(DrugRow).where(DrugRow.code == "YP001"))).one()
    drug.facts = {**drug.facts, "cold_chain": True}
    await session.flush()

    with pytest.raises(Invalid) as refused:
        await ordered(session, patient, row)
    order, _ = await ordered(session, patient, row, "pickup")

    assert [one.code for one in refused.value.issues] == ["cold_chain"]
    assert order.method == "pickup"


# the parcel


async def on_its_way(session: AsyncSession, context: Context) -> Dispense:
    order = await hands_over(session, context, await at_the_bench(session, context, "courier"))
    await dispensing.shipped(session, order.id, "SF01")
    return order


async def alarms(session: AsyncSession) -> list[str]:
    return list(
        await session.scalars(select(Alarm.kind).where(Alarm.closed_at.is_(None)).order_by(Alarm.kind))
    )


async def test_a_word_we_do_not_know_is_never_delivered_and_rings(
    session: AsyncSession, context: Context, clock: SharedClock
) -> None:
    order = await on_its_way(session, context)

    order = await dispensing.tracked(
        session, order.id, "SIGNED_OK", [ParcelEvent(1, "SIGNED_OK", clock.now())]
    )

    assert order.state == "in-progress"
    assert "状态未知" in dispense_view(order, []).parcel_label
    assert await alarms(session) == ["parcel_unknown"]
    await dispensing.tracked(session, order.id, "in_transit", [ParcelEvent(2, "in_transit", clock.now())])
    assert await alarms(session) == []


async def test_a_parcel_is_asked_about_though_nobody_calls_back(
    session: AsyncSession, context: Context, clock: SharedClock
) -> None:
    order = await on_its_way(session, context)
    query = select(Intent.due_at).where(Intent.kind == dispensing.TRACK, Intent.done_at.is_(None))
    first = (await session.scalars(query)).one()
    assert first > clock.now()

    moves_on(clock, hours=7)
    await dispensing.tracked(session, order.id, "in_transit", [])

    assert (await session.scalars(query)).one() > first


async def test_a_parcel_that_does_not_move_for_days_rings(
    session: AsyncSession, context: Context, clock: SharedClock
) -> None:
    order = await on_its_way(session, context)
    seen = [ParcelEvent(1, "collected", clock.now())]
    moves_on(clock, hours=49)

    await dispensing.tracked(session, order.id, "collected", seen)

    assert await alarms(session) == ["parcel_silent"]


async def test_the_way_only_grows(session: AsyncSession, context: Context, clock: SharedClock) -> None:
    from backend.dispensing import queries

    order = await on_its_way(session, context)
    await dispensing.tracked(
        session, order.id, "collected", [ParcelEvent(1, "collected", clock.now(), "嘉定")]
    )

    await dispensing.tracked(
        session, order.id, "in_transit", [ParcelEvent(1, "in_transit", clock.now(), "改写")]
    )

    assert [(one.status, one.place) for one in await queries.way(session, order.id)] == [
        ("collected", "嘉定")
    ]


# what came back


async def test_what_is_back_goes_into_quarantine_before_anybody_judges(
    session: AsyncSession, context: Context
) -> None:
    order = await on_its_way(session, context)
    await dispensing.tracked(session, order.id, "returned", [])

    with pytest.raises(Conflict) as refused:
        await returning.judge(session, PHARMACIST.actor, order, "delivery", "destroyed", "包装破损")
    assert refused.value.code == "not_quarantined"
    await returning.quarantine(session, PHARMACIST.actor, order)
    order = await returning.judge(session, PHARMACIST.actor, order, "delivery", "destroyed", "包装破损")

    assert (order.return_cause, order.disposal) == ("delivery", "destroyed")


async def test_a_lost_parcel_cannot_be_put_into_quarantine_and_is_judged_all_the_same(
    session: AsyncSession, context: Context
) -> None:
    order = await on_its_way(session, context)
    await dispensing.tracked(session, order.id, "cancelled", [])

    order = await returning.judge(
        session, PHARMACIST.actor, order, "delivery", "not_back", "快递公司确认遗失"
    )

    assert order.disposal == "not_back"


@given(
    st.sampled_from(["returned", "cancelled", "delivered"]), st.booleans(), st.booleans(),
    st.sampled_from([*rules.DISPOSALS, "shelf"]),
)  # fmt: skip
def test_drugs_never_come_back_onto_the_shelf(
    status: str, completed: bool, quarantined: bool, disposal: str
) -> None:
    issues: list[Any] = rules.back_issues(
        status=status, completed=completed, quarantined=quarantined, disposal=disposal
    )
    if disposal == "shelf" or (disposal == "not_back" and quarantined):
        assert issues


# a parcel's own last word


async def test_a_delivered_parcel_is_asked_about_no_more(
    session: AsyncSession, context: Context, clock: SharedClock
) -> None:
    order = await on_its_way(session, context)

    order = await dispensing.tracked(
        session, order.id, "delivered", [ParcelEvent(1, "delivered", clock.now())]
    )

    assert order.state == "completed"
    assert await alarms(session) == []


# the record of the hand-over, which the signed sheet points to


async def test_the_record_fills_what_the_signed_sheet_leaves_open(
    session: AsyncSession, context: Context
) -> None:
    order = await at_the_bench(session, context)
    before = dispensed(order, *await queries.facts_of(session, order))
    order = await hands_over(session, context, order)

    record = dispensed(order, *await queries.facts_of(session, order))

    assert (before.prepared_by, before.checked_by, before.checks) == ("", "", [])
    assert (record.prepared_by, record.checked_by) == (PHARMACIST.name, PHARMACIST.name)
    assert len(record.checks) == 10
    assert record.paid_as == "自费"
    assert dispensed(order, {PHARMACIST.id: "药师"}, {"wechat_cash": 1, "ins_gov": 2}).paid_as == "医保"
