"""A room ends with what allowed it: the visit, its time, the consent, the permission to look in."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from backend.alarm.service import open_alarm
from backend.context import Context
from backend.encounter import service as visiting
from backend.encounter.model import Encounter
from backend.live import Live
from backend.policy import Policy, bind_policy
from backend.shift import service as shifts
from backend.video import consenting, looking_in, nodes, rules
from backend.video.engine import RecordingFailed, Role, RoomPolicy, Segment, SegmentClosed, SegmentOpened
from backend.video.following import EVERY, Following
from backend.video.journal import Journal
from backend.video.rooms import Rooms, Seat
from foundation.actor import Actor
from foundation.db.unit_of_work import unit_of_work
from tests.builders.requests import staff_session
from tests.builders.visits import Patient
from tests.database import SharedClock, moves_on
from tests.small_world import DOCTOR, QUALITY
from tests.unit.recordings.made import a_visit
from tests.unit.recordings.still import StillEngine

pytestmark = pytest.mark.anyio
WHY = "本周质控抽查"
WARNING = timedelta(minutes=10)


class House:
    """A media process without media, and a running visit."""

    def __init__(self, context: Context, patient: Patient, visit: Encounter) -> None:
        self.context, self.patient, self.visit = context, patient, visit
        self.room = str(visit.id)
        self.journal = Journal(context.db)
        self.rooms = Rooms(
            self._engine,
            context.db,
            self.journal,
            node="n",
            policy=RoomPolicy(),
            max_rooms=5,
            max_seconds=7200,
        )
        self.following = Following(context.redis, context.db, self.rooms, WARNING)

    def _engine(self, tell: Any) -> StillEngine:
        self.engine = StillEngine(tell)
        return self.engine

    async def enter(self, role: Role, watches: Role | None = None, **more: Any) -> Seat:
        """Seated."""
        who = {Role.PATIENT: self.patient.actor, Role.DOCTOR: DOCTOR.actor, Role.SUPERVISOR: QUALITY.actor}[
            role
        ]
        seat = Seat(str(who.id), role, who, watches, **more)
        await self.rooms.enter(self.room, seat, "offer")
        return seat

    async def both(self) -> tuple[Seat, Seat]:
        """In the call."""
        return await self.enter(Role.PATIENT), await self.enter(Role.DOCTOR)


def heard(seat: Seat, *kinds: str) -> list[dict[str, Any]]:
    """What was said until now, of these kinds; `{}` stands for the end of the socket."""
    found = []
    while not seat.outbox.empty():
        message = seat.outbox.get_nowait() or {}
        if not kinds or message.get("type", "end") in kinds:
            found.append(message)
    return found


def codes(seat: Seat) -> list[str]:
    """Of the errors, and `end` when the socket was closed."""
    return [message.get("code", "end") for message in heard(seat, "error", "end")]


@pytest.fixture
async def house(running: Context) -> AsyncIterator[House]:
    await nodes.heartbeat(running.redis, running.settings.media_urls[0], [], 25)
    async with unit_of_work(running.db) as session:
        patient, visit = await a_visit(session, running)
    made = House(running, patient, visit)
    yield made
    await made.following.stop()
    await made.rooms.close()
    await made.journal.close()


async def refers(house: House) -> None:
    async with unit_of_work(house.context.db) as session:
        row = await session.get_one(Encounter, house.visit.id)
        await visiting.refer_offline(session, DOCTOR.actor, row, reason="需要到医院检查")


async def test_the_end_of_the_visit_ends_the_video(house: House) -> None:
    patient, doctor = await house.both()
    await house.following.look()
    assert (house.engine.closed, codes(patient)) == ([], [])

    await refers(house)
    await house.following.look()

    assert house.engine.closed == [(house.room, "closed")]
    assert (codes(patient), codes(doctor), house.rooms.ids) == (["closed", "end"], ["closed", "end"], [])


async def test_the_end_is_heard_of_at_once(house: House) -> None:
    """Not only by asking every few seconds."""
    await house.both()
    house.following.start()
    await asyncio.sleep(0.5)  # the first look has told it what to listen to

    await refers(house)
    await Live(house.context.redis).announce({house.visit.stream})

    async with asyncio.timeout(EVERY / 2):
        while not house.engine.closed:
            await asyncio.sleep(0.02)


async def test_the_time_of_the_visit_ends_the_video_after_a_warning(
    house: House, api: httpx.AsyncClient, clock: SharedClock
) -> None:
    patient, _ = await house.both()
    await house.following.look()
    assert heard(patient, "time") == []

    moves_on(clock, minutes=55)
    await house.following.look()
    await house.following.look()
    assert heard(patient, "time") == [{"type": "time", "minutes": 5}]
    assert {"type": "time", "minutes": 5} in heard(await house.enter(Role.PATIENT))

    moves_on(clock, minutes=6)
    await house.following.look()
    assert house.engine.closed == [(house.room, "time_over")]


async def test_who_comes_after_the_time_is_refused_until_it_is_prolonged(
    house: House, api: httpx.AsyncClient, clock: SharedClock
) -> None:
    for minutes in (25, 25, 11):
        moves_on(clock, minutes=minutes)
        async with unit_of_work(house.context.db) as session:
            await shifts.current(session, DOCTOR.actor.id or UUID(int=0))
    headers = await staff_session(house.context, DOCTOR)
    refused = await api.post(f"/encounters/{house.visit.id}/room", headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (409, "time_over")

    async with unit_of_work(house.context.db) as session:
        await visiting.extend(session, DOCTOR.actor, await session.get_one(Encounter, house.visit.id))

    assert (await api.post(f"/encounters/{house.visit.id}/room", headers=headers)).status_code == 201


async def test_a_prolonged_visit_takes_the_warning_back(house: House, clock: SharedClock) -> None:
    patient, _ = await house.both()
    moves_on(clock, minutes=58)
    await house.following.look()
    async with unit_of_work(house.context.db) as session:
        await visiting.extend(session, DOCTOR.actor, await session.get_one(Encounter, house.visit.id))
    await house.following.look()

    assert [message["minutes"] for message in heard(patient, "time")] == [2, None]


async def test_taking_the_consent_back_ends_the_video(house: House) -> None:
    patient, _ = await house.both()
    async with unit_of_work(house.context.db) as session:
        row = await session.get_one(Encounter, house.visit.id)
        await consenting.decide(
            session, house.patient.actor, row, rules.Decision.WITHDRAWN, rules.CONSENT_VERSION
        )

    await house.following.look()

    assert codes(patient) == ["no_consent", "end"]


async def looks_in(house: House, actor: Actor = QUALITY.actor) -> UUID:
    async with unit_of_work(house.context.db) as session:
        return (await looking_in.open_look_in(session, house.context, actor, house.visit.id, WHY)).id


async def test_a_look_in_that_is_ended_takes_the_seats_and_the_banner_away(house: House) -> None:
    look = await looks_in(house)
    patient, _ = await house.both()
    seats = [await house.enter(Role.SUPERVISOR, party, shown=True) for party in (Role.PATIENT, Role.DOCTOR)]
    await house.following.look()
    assert house.engine.kicked == []

    async with unit_of_work(house.context.db) as session:
        row = await looking_in.own_look_in(session, QUALITY.actor, look)
        await looking_in.end_look_in(session, QUALITY.actor, row)
    await house.following.look()

    assert sorted(house.engine.kicked) == sorted(seat.key for seat in seats)
    assert [codes(seat) for seat in seats] == [["time_over", "end"]] * 2
    assert [message["watching"] for message in heard(patient, "watched")] == [True, False]


async def test_a_supervisor_does_not_outstay_the_visit(house: House) -> None:
    await looks_in(house)
    alone = await house.enter(Role.SUPERVISOR, Role.PATIENT, shown=True)
    await refers(house)

    await house.following.look()

    assert (codes(alone), house.rooms.ids) == (["closed", "end"], [])


@pytest.mark.parametrize("in_call", [True, False])
async def test_a_doctor_in_a_call_is_at_work_and_one_without_is_not(
    house: House, clock: SharedClock, in_call: bool
) -> None:
    await house.enter(Role.DOCTOR)
    if in_call:
        await house.enter(Role.PATIENT)

    for _ in range(2):
        moves_on(clock, minutes=20)
        await house.following.look()

    async with unit_of_work(house.context.db) as session:
        assert await shifts.runs(session, DOCTOR.actor.id or UUID(int=0)) is in_call


def segment(house: House, seat: Seat, number: int = 1) -> Segment:
    now, made = house.context.clock.now(), UUID(int=int(UUID(seat.participant_id)) ^ number)
    key = f"recordings/{house.room}/{seat.role}-{number:03d}-{made}.mkv"
    return Segment(str(made), house.room, seat.participant_id, seat.role, number, key, now)


async def test_the_parties_see_whether_they_are_recorded(house: House) -> None:
    patient, doctor = await house.both()
    of_patient, of_doctor = segment(house, patient), segment(house, doctor)

    house.engine.tell(SegmentOpened(house.room, of_patient))
    assert heard(patient, "recording") == []  # the doctor is not recorded yet
    house.engine.tell(SegmentOpened(house.room, of_doctor))
    house.engine.tell(SegmentClosed(house.room, of_patient))
    house.engine.tell(
        RecordingFailed(house.room, patient.participant_id, "OSError: [Errno 28] No space left")
    )
    house.engine.tell(SegmentOpened(house.room, segment(house, patient, 2)))

    assert [message["state"] for message in heard(patient, "recording")] == ["on", "off", "failed", "on"]


async def test_a_recording_that_fails_rings(house: House) -> None:
    patient, _ = await house.both()

    house.engine.tell(
        RecordingFailed(house.room, patient.participant_id, "OSError: [Errno 28] No space left")
    )
    await house.journal.close()

    async with unit_of_work(house.context.db) as session:
        alarm = await open_alarm(session, "recording_failed", house.visit.id)
    assert alarm is not None
    assert "No space left" in alarm.detail


async def test_somebody_who_never_reads_still_gets_the_end(house: House) -> None:
    patient, _ = await house.both()
    for _ in range(500):
        patient.say({"type": "peer"})

    patient.end("closed")
    patient.say({"type": "peer"})

    assert [message.get("code", message.get("type")) for message in heard(patient)[-2:]] == ["closed", None]


async def test_a_pause_stands_still_only_as_long_as_pauses_may(house: House) -> None:
    """VISIT_PAUSE_MINUTES of the media process: beyond it the clock runs on, warned and over, though the visit is on hold."""
    patient, _ = await house.both()
    async with unit_of_work(house.context.db) as session:
        row = await session.get_one(Encounter, house.visit.id)
        await visiting.hold(session, DOCTOR.actor, row)
        assert row.talk_until is not None
        left = row.talk_until - house.context.clock.now()
    bind_policy(Policy(visit_pause_minutes=5))
    try:
        moves_on(house.context.clock, minutes=4)  # it stands still
        await house.following.look()
        assert heard(patient, "time") == []
        moves_on(house.context.clock, seconds=left.total_seconds() - 60)
        await house.following.look()
        assert [message["minutes"] for message in heard(patient, "time")] == [2]
        moves_on(house.context.clock, minutes=3)
        await house.following.look()
        assert codes(patient) == ["time_over", "end"]
    finally:
        bind_policy(Policy())
