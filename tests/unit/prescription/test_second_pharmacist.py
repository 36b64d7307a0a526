"""What needed a reason is looked at by two people before it holds (practice.md 12)."""

import msgspec
import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.context import Context
from backend.dispensing import service as dispensing
from backend.escalation.model import Escalation
from backend.escalation.rules import PHARMACY, Kind
from backend.notification.model import Message
from backend.policy import Policy, SecondPharmacist, bind_policy
from backend.prescription import reviewing
from backend.prescription.model import PrescriptionRow, Review
from backend.prescription.rules import POINTS, SecondEyes, point_issues, second_eyes
from backend.prescription.signing import digest_of
from backend.review.draft import Category, Finding, Severity
from backend.shift import on_call
from foundation.db.outbox import OutboxEvent
from foundation.errors import AppError, Forbidden, IllegalMove, Invalid
from tests.builders.visits import HOME, a_patient, accepted, approves, drafted, on_shift, signs
from tests.database import SharedClock, moves_on
from tests.small_world import DUTY_DESK, PHARMACIST, SECOND_PHARMACIST

pytestmark = pytest.mark.anyio
FINDING = Finding(
    rule="A-1",
    version="1",
    category=Category.APPROPRIATENESS,
    severity=Severity.REASON,
    item=0,
    message="超过七日，请说明理由",
    source="处方管理办法",
)


async def one_with_a_reason(session: AsyncSession, context: Context) -> PrescriptionRow:
    """Signed by the doctor; the engine had asked for a reason."""
    patient = await a_patient(session)
    visit = await accepted(session, context, patient)
    row = await signs(session, context, await drafted(session, visit))
    row.findings = [FINDING]
    await session.flush()
    return row


async def test_another_pharmacist_confirms_before_it_holds(session: AsyncSession, context: Context) -> None:
    row = await one_with_a_reason(session, context)
    await on_shift(session, context, SECOND_PHARMACIST)

    row = await approves(session, context, row, PHARMACIST)
    assert (row.state, row.pharmacist_id, row.reviewed_at) == ("checking", PHARMACIST.id, None)
    row = await approves(session, context, row, SECOND_PHARMACIST)

    assert (row.state, row.pharmacist_id, row.confirmed_by) == (
        "approved",
        PHARMACIST.id,
        SECOND_PHARMACIST.id,
    )
    words = (await session.scalars(select(Review).order_by(Review.id))).all()
    assert [(one.pharmacist_id, one.second) for one in words] == [
        (PHARMACIST.id, False),
        (SECOND_PHARMACIST.id, True),
    ]
    sent = await session.scalars(select(OutboxEvent).where(OutboxEvent.type == "prescription.approved"))
    assert len(sent.all()) == 1


async def test_what_waits_for_the_second_cannot_be_ordered(session: AsyncSession, context: Context) -> None:
    row = await one_with_a_reason(session, context)
    await on_shift(session, context, SECOND_PHARMACIST)
    row = await approves(session, context, row, PHARMACIST)
    patient = await a_patient(session)

    with pytest.raises(IllegalMove):
        await dispensing.order(session, patient.actor, row, "pickup", HOME, retail_ban=False)


async def test_nobody_is_her_own_second(session: AsyncSession, context: Context) -> None:
    row = await one_with_a_reason(session, context)
    await on_shift(session, context, SECOND_PHARMACIST)
    row = await approves(session, context, row, PHARMACIST)

    with pytest.raises(Forbidden) as refused:
        await reviewing.want_approval(session, PHARMACIST.actor, row)

    assert refused.value.code == "same_pharmacist"


async def test_the_second_may_return_it(session: AsyncSession, context: Context) -> None:
    row = await one_with_a_reason(session, context)
    await on_shift(session, context, SECOND_PHARMACIST)
    row = await approves(session, context, row, PHARMACIST)

    row = await reviewing.return_to_doctor(
        session,
        SECOND_PHARMACIST.actor,
        row,
        category="appropriateness",
        item=0,
        reason="理由不充分",
        point="A3",
    )

    assert row.state == "returned"
    last = (await session.scalars(select(Review).order_by(Review.id.desc()).limit(1))).one()
    assert (last.second, last.point, last.approved) == (True, "A3", False)


async def test_at_night_the_doctors_signed_reason_is_the_second_pair_of_eyes(
    session: AsyncSession, context: Context
) -> None:
    row = await approves(session, context, await one_with_a_reason(session, context), PHARMACIST)

    assert (row.state, row.second_eyes, row.confirmed_by) == ("approved", SecondEyes.DOCTOR, None)


async def test_a_hospital_may_want_another_pharmacist_always(session: AsyncSession, context: Context) -> None:
    row = await one_with_a_reason(session, context)
    bind_policy(Policy(second_pharmacist=SecondPharmacist.ALWAYS))
    try:
        row = await approves(session, context, row, PHARMACIST)
    finally:
        bind_policy(Policy())

    assert row.state == "checking"


async def test_what_needed_no_reason_needs_one_pharmacist(session: AsyncSession, context: Context) -> None:
    patient = await a_patient(session)
    visit = await accepted(session, context, patient)
    row = await signs(session, context, await drafted(session, visit))
    await on_shift(session, context, SECOND_PHARMACIST)

    row = await approves(session, context, row, PHARMACIST)

    assert (row.state, row.second_eyes) == ("approved", SecondEyes.NOT_NEEDED)


async def test_a_reason_that_was_written_is_read_by_two(session: AsyncSession, context: Context) -> None:
    """The engine is content once a reason stands there; the second pair of eyes reads it all the same."""
    visit = await accepted(session, context, await a_patient(session))
    row = await drafted(session, visit)
    row.content = msgspec.structs.replace(row.content, reason="患者外出一个月")
    row.digest = digest_of(row.content)
    row = await signs(session, context, row)
    await on_shift(session, context, SECOND_PHARMACIST)

    row = await approves(session, context, row, PHARMACIST)

    assert row.state == "checking"


@pytest.mark.parametrize("mode", SecondPharmacist)
@pytest.mark.parametrize("others", [0, 1])
def test_without_a_reason_nobody_else_is_asked(mode: SecondPharmacist, others: int) -> None:
    assert second_eyes(needed=False, mode=mode, others_on_duty=others) is SecondEyes.NOT_NEEDED


@pytest.mark.parametrize(
    ("mode", "others", "expected"),
    [
        (SecondPharmacist.ALWAYS, 0, SecondEyes.PHARMACIST),
        (SecondPharmacist.ON_DUTY, 0, SecondEyes.DOCTOR),
        (SecondPharmacist.ON_DUTY, 1, SecondEyes.PHARMACIST),
        (SecondPharmacist.NEVER, 5, SecondEyes.DOCTOR),
    ],
)
def test_who_looks_too(mode: SecondPharmacist, others: int, expected: SecondEyes) -> None:
    assert second_eyes(needed=True, mode=mode, others_on_duty=others) is expected


def test_the_points_are_those_of_the_norm() -> None:
    """医疗机构处方审核规范: legality 3, form 12, appropriateness 9."""
    counts = {part: sum(one.category is part for one in POINTS.values()) for part in Category}

    assert list(counts.values()) == [3, 12, 9]


def test_a_point_of_another_part_is_refused() -> None:
    assert point_issues("form", "A3")
    assert point_issues("form", "F99")
    assert not point_issues("form", "F4")
    assert not point_issues("form", "")


async def test_a_slip_in_the_point_returns_nothing(session: AsyncSession, context: Context) -> None:
    row = await one_with_a_reason(session, context)
    await on_shift(session, context, PHARMACIST)

    with pytest.raises(Invalid):
        await reviewing.return_to_doctor(
            session, PHARMACIST.actor, row, category="form", item=None, reason="见要点", point="A3"
        )

    assert row.state == "in-review"


# waiting too long


async def told(session: AsyncSession) -> list[tuple[object, str]]:
    query = select(Message).where(Message.template.in_(["TPL_REVIEW_WAITING", "TPL_RX_WAITS", "TPL_DUTY"]))
    return [(one.recipient_id, one.template) for one in await session.scalars(query.order_by(Message.id))]


async def open_ones(session: AsyncSession) -> list[Kind]:
    query = select(Escalation).where(Escalation.practitioner_id == PHARMACY, Escalation.state != "closed")
    return [one.kind for one in await session.scalars(query)]


async def climbs(session: AsyncSession) -> None:
    from backend.escalation import service

    await service.climb(session, PHARMACY)


async def test_a_prescription_that_lies_too_long_is_told_louder_and_louder(
    session: AsyncSession, context: Context, clock: SharedClock
) -> None:
    await on_shift(session, context, PHARMACIST)
    row = await one_with_a_reason(session, context)
    await climbs(session)
    assert await told(session) == []

    moves_on(clock, minutes=10)
    await climbs(session)
    assert await told(session) == [(PHARMACIST.id, "TPL_REVIEW_WAITING")]
    moves_on(clock, minutes=15)
    await climbs(session)

    assert (DUTY_DESK.id, "TPL_DUTY") in await told(session)
    await approves(session, context, row, PHARMACIST)
    assert await open_ones(session) == []


async def test_when_nobody_is_at_work_who_is_on_call_and_the_patient_are_told_at_once(
    session: AsyncSession, context: Context, clock: SharedClock
) -> None:
    """practice.md 12."""
    patient = await a_patient(session)
    now = clock.now()
    await on_call.plan(session, DUTY_DESK.actor, SECOND_PHARMACIST.id, now, now.replace(hour=23))
    visit = await accepted(session, context, patient)

    await signs(session, context, await drafted(session, visit))
    await climbs(session)

    assert await told(session) == [
        (patient.account, "TPL_RX_WAITS"),
        (SECOND_PHARMACIST.id, "TPL_REVIEW_WAITING"),
    ]


async def test_a_pharmacist_who_looks_makes_it_quiet(
    session: AsyncSession, context: Context, clock: SharedClock
) -> None:
    from backend.escalation import service

    await on_shift(session, context, PHARMACIST)
    row = await one_with_a_reason(session, context)
    moves_on(clock, minutes=11)

    await service.see(session, PHARMACIST.actor, Kind.REVIEW, row.id)
    await climbs(session)

    assert await told(session) == []


async def test_one_pharmacist_is_on_call_once_at_a_time(session: AsyncSession, clock: SharedClock) -> None:
    now = clock.now()
    await on_call.plan(session, DUTY_DESK.actor, PHARMACIST.id, now, now.replace(hour=20))

    with pytest.raises(AppError) as refused:
        await on_call.plan(session, DUTY_DESK.actor, PHARMACIST.id, now, now.replace(hour=22))

    assert refused.value.code == "already_on_call"
