"""How long doctor and patient may talk (practice.md 8): the limit, pauses, prolonging. 60 minutes, pauses of 30 in all, 4 times 15 more."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.chat.service import say
from backend.context import Context
from backend.encounter import queries, service
from backend.encounter.model import Encounter
from backend.encounter.rules import TalkTime
from backend.policy import policy
from foundation.db.intents import Intent
from foundation.errors import Conflict
from tests.builders.visits import Patient, a_patient, accepted
from tests.database import MORNING, SharedClock, moves_on
from tests.small_world import DOCTOR

pytestmark = pytest.mark.anyio

UNTIL, MOST = 60, 30


def minutes(count: int) -> timedelta:
    return timedelta(minutes=count)


def talk(held: int | None = None, paused: int = 0) -> TalkTime:
    """Accepted in the `MORNING`; on hold since minute `held`, after earlier pauses."""
    held_at = None if held is None else MORNING + minutes(held)
    return TalkTime(MORNING + minutes(UNTIL), held_at, minutes(paused), minutes(MOST))


@pytest.mark.parametrize(
    ("held", "paused", "now", "ends", "over", "still"),
    [
        (None, 0, 0, 60, False, False),
        (None, 0, 59, 60, False, False),
        (None, 0, 60, 60, True, False),
        (20, 0, 30, 70, False, True),
        (20, 0, 49, 89, False, True),
        (20, 0, 50, 90, False, False),
        (20, 0, 89, 90, False, False),
        (20, 0, 90, 90, True, False),
        (59, 0, 88, 89, False, True),
        (20, 20, 29, 69, False, True),
        (20, 20, 30, 70, False, False),
        (20, 20, 70, 70, True, False),
        (20, 30, 40, 60, False, False),
        (20, 30, 60, 60, True, False),
        (20, 45, 60, 60, True, False),
        (60, 0, 61, 60, True, False),
        (75, 0, 80, 60, True, False),
    ],
)  # fmt: skip
def test_a_pause_stops_the_clock_within_its_cap_and_never_after_the_end(
    held: int | None, paused: int, now: int, ends: int, *, over: bool, still: bool
) -> None:
    time, moment = talk(held, paused), MORNING + minutes(now)

    assert time.ends(moment) == MORNING + minutes(ends)
    assert time.over(moment) is over
    assert time.still(moment) is still


@settings(deadline=None)
@given(some.lists(some.tuples(some.integers(0, 40), some.integers(0, 90)), max_size=8))
def test_however_often_the_doctor_pauses_the_talk_ends_at_limit_and_cap(turns: list[tuple[int, int]]) -> None:
    time, now = talk(), MORNING
    for talked, held in turns:
        began = now + minutes(talked)
        paused = TalkTime(time.until, began, time.paused, time.most)
        now = began + minutes(held)
        pause = paused.pausing(now)
        time = TalkTime(time.until + pause, None, time.paused + pause, time.most)

    assert MORNING + minutes(UNTIL) <= time.until <= MORNING + minutes(UNTIL + MOST)
    assert time.paused <= time.most


@pytest.fixture
async def visit(session: AsyncSession, context: Context) -> Encounter:
    """It was accepted just now."""
    return await accepted(session, context, await a_patient(session))


def left(visit: Encounter, clock: SharedClock) -> int:
    """Minutes, as they are shown."""
    time = queries.talk_time(visit)
    assert time is not None
    return round((time.ends(clock.now()) - clock.now()).total_seconds() / 60)


async def speaks(session: AsyncSession, visit: Encounter, key: str) -> str:
    """The doctor tries to; the code of the refusal."""
    try:
        await say(session, DOCTOR.actor, visit, client_id=f"message-{key}", kind="text", body="好")
    except Conflict as refused:
        return refused.code
    return ""


async def due(session: AsyncSession, kind: str, clock: SharedClock) -> int:
    """In how many minutes a job is woken."""
    query = select(Intent.due_at).where(Intent.kind == kind, Intent.done_at.is_(None))
    at = (await session.scalars(query)).one()
    return round((at - clock.now()).total_seconds() / 60)


async def test_a_pause_gives_the_time_back_that_it_took(
    session: AsyncSession, visit: Encounter, clock: SharedClock
) -> None:
    moves_on(clock, minutes=20)
    await service.hold(session, DOCTOR.actor, visit)
    moves_on(clock, minutes=12)
    assert left(visit, clock) == 40

    await service.resume(session, DOCTOR.actor, visit)

    assert left(visit, clock) == 40
    assert visit.paused_seconds == pytest.approx(12 * 60, abs=2)
    assert await due(session, service.TIME_WARNING, clock) == 30
    assert await due(session, service.TIME_OVER, clock) == 40


async def test_pauses_of_a_visit_count_together(
    session: AsyncSession, visit: Encounter, clock: SharedClock
) -> None:
    for _ in range(3):
        await service.hold(session, DOCTOR.actor, visit)
        moves_on(clock, minutes=15)
        await service.resume(session, DOCTOR.actor, visit)

    assert left(visit, clock) == 60 + 30 - 45


async def test_on_hold_they_may_talk_until_the_cap_and_the_rest_of_the_time_are_used_up(
    session: AsyncSession, visit: Encounter, clock: SharedClock
) -> None:
    moves_on(clock, minutes=50)
    await service.hold(session, DOCTOR.actor, visit)
    assert await due(session, service.TIME_OVER, clock) == 40
    moves_on(clock, minutes=39)
    assert await speaks(session, visit, "before") == ""

    moves_on(clock, minutes=2)

    assert await speaks(session, visit, "after") == "time_over"
    await service.resume(session, DOCTOR.actor, visit)
    assert await speaks(session, visit, "resumed") == "time_over"


async def test_a_hold_after_the_end_gives_no_word_more(
    session: AsyncSession, visit: Encounter, clock: SharedClock
) -> None:
    moves_on(clock, minutes=61)
    assert await speaks(session, visit, "over") == "time_over"

    await service.hold(session, DOCTOR.actor, visit)

    assert await speaks(session, visit, "held") == "time_over"
    moves_on(clock, minutes=5)
    await service.resume(session, DOCTOR.actor, visit)
    assert await speaks(session, visit, "resumed") == "time_over"
    assert visit.paused_seconds == 0


@pytest.mark.parametrize("held", [False, True])
async def test_prolonging_goes_on_from_the_end_or_from_now(
    session: AsyncSession, visit: Encounter, clock: SharedClock, *, held: bool
) -> None:
    """Early it adds to what is left; late the whole of it is left."""
    await service.extend(session, DOCTOR.actor, visit)
    assert left(visit, clock) == 75
    moves_on(clock, minutes=100)
    if held:
        await service.hold(session, DOCTOR.actor, visit)
    assert await speaks(session, visit, "over") == "time_over"

    await service.extend(session, DOCTOR.actor, visit)

    assert left(visit, clock) == 15
    assert await speaks(session, visit, "extended") == ""
    assert await due(session, service.TIME_OVER, clock) == (45 if held else 15)


async def test_prolonging_has_an_end_too(session: AsyncSession, visit: Encounter, clock: SharedClock) -> None:
    for _ in range(policy().visit_extensions):
        await service.extend(session, DOCTOR.actor, visit)
    most = left(visit, clock)

    with pytest.raises(Conflict) as refused:
        await service.extend(session, DOCTOR.actor, visit)

    assert refused.value.code == "extended_enough"
    assert left(visit, clock) == most == 120


async def test_a_visit_that_ended_is_not_prolonged(session: AsyncSession, visit: Encounter) -> None:
    await service.refer_offline(session, DOCTOR.actor, visit, reason="请到急诊")

    with pytest.raises(Conflict) as refused:
        await service.extend(session, DOCTOR.actor, visit)

    assert refused.value.code == "encounter_not_running"


async def test_a_patient_who_writes_after_the_end_is_refused_like_the_doctor(
    session: AsyncSession, context: Context, clock: SharedClock
) -> None:
    patient: Patient = await a_patient(session)
    visit = await accepted(session, context, patient)
    moves_on(clock, minutes=61)

    with pytest.raises(Conflict) as refused:
        await say(session, patient.actor, visit, client_id="message-1", kind="text", body="还有一个问题")

    assert (refused.value.code, refused.value.detail) == ("time_over", "本次问诊时间已到，医生可以延长")
