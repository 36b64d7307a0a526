"""The end of the time to talk as both sides hear it: warned, told that it is over, and what is still accepted then."""

from typing import Any

import pytest

from backend.chat.tasks import end, go_on, warn
from backend.encounter import queries, service
from backend.encounter.model import Encounter
from foundation.db.intents import Work
from foundation.db.unit_of_work import unit_of_work
from tests.builders.requests import staff_session
from tests.builders.visits import on_shift
from tests.database import moves_on
from tests.small_world import DOCTOR
from tests.unit.chat.conftest import Room
from tests.unit.chat.material import jpeg

pytestmark = pytest.mark.anyio


async def told(room: Room) -> list[str]:
    """Titles of the notices, as the patient sees them."""
    found = (await room.api.get(f"{room.path}/messages", headers=room.as_patient)).json()
    return [one["card"]["title"] for one in found if one["kind"] == "notice_card"]


async def wakes(room: Room) -> None:
    """Both jobs, twice, as a sweep may."""
    for job in (warn, end, warn, end):
        await job(Work(room.context, room.visit.id))


async def does(room: Room, verb: Any) -> None:
    async with unit_of_work(room.context.db) as session:
        await verb(session, DOCTOR.actor, await session.get_one(Encounter, room.visit.id))


async def back_at_work(room: Room) -> dict[str, str]:
    """The doctor after more than half an hour: a fresh shift."""
    async with unit_of_work(room.context.db) as session:
        await on_shift(session, room.context, DOCTOR)
    return await staff_session(room.context, DOCTOR)


async def test_both_are_warned_once_and_told_once_that_it_is_over(room: Room) -> None:
    await wakes(room)
    assert await told(room) == []

    moves_on(room.context.clock, minutes=50)
    await wakes(room)
    assert await told(room) == ["本次问诊还剩 10 分钟"]

    moves_on(room.context.clock, minutes=10)
    await wakes(room)
    assert await told(room) == ["本次问诊还剩 10 分钟", "本次问诊时间已到"]


async def test_a_talk_that_was_prolonged_is_warned_again(room: Room) -> None:
    moves_on(room.context.clock, minutes=60)
    await wakes(room)
    await does(room, service.extend)
    await wakes(room)
    assert await told(room) == ["本次问诊时间已到"]

    moves_on(room.context.clock, minutes=6)
    await wakes(room)

    assert await told(room) == ["本次问诊时间已到", "本次问诊还剩 9 分钟"]


async def test_both_hear_that_the_doctor_prolonged_it_once_each_time(room: Room) -> None:
    for _ in range(2):
        await does(room, service.extend)
        await go_on(Work(room.context, room.visit.id))
        await go_on(Work(room.context, room.visit.id))

    assert await told(room) == ["医生延长了问诊时间"] * 2


async def test_a_pause_is_heard_of_when_its_cap_and_the_time_run_out(room: Room) -> None:
    moves_on(room.context.clock, minutes=40)
    await does(room, service.hold)
    moves_on(room.context.clock, minutes=21)
    await wakes(room)
    assert await told(room) == []

    moves_on(room.context.clock, minutes=20)
    await wakes(room)
    moves_on(room.context.clock, minutes=10)
    await wakes(room)

    assert await told(room) == ["本次问诊还剩 9 分钟", "本次问诊时间已到"]


async def test_a_visit_that_ended_is_not_warned(room: Room) -> None:
    async with unit_of_work(room.context.db) as session:
        visit = await session.get_one(Encounter, room.visit.id)
        await service.refer_offline(session, DOCTOR.actor, visit, reason="请到急诊")
    moves_on(room.context.clock, minutes=61)

    await wakes(room)

    assert await told(room) == []


async def test_after_the_end_no_side_sends_text_files_or_cards_until_the_doctor_prolongs_it(
    room: Room,
) -> None:
    data = jpeg()
    begun = {"client_id": "upload-0001", "media_type": "image/jpeg", "size": len(data)}
    upload = (await room.api.post(f"{room.path}/uploads", json=begun, headers=room.as_patient)).json()
    moves_on(room.context.clock, minutes=61)
    as_doctor = await back_at_work(room)
    piece = {**room.as_patient, "content-type": "application/offset+octet-stream", "upload-offset": "0"}
    text = {"type": "say", "client_id": "client-1", "body": "好"}
    card = {"client_id": "client-2", "items": ["血常规"]}

    async def answers() -> list[int]:
        return [
            (await room.api.post(f"{room.path}/messages", json=text, headers=room.as_patient)).status_code,
            (await room.api.patch(f"/uploads/{upload['id']}", content=data, headers=piece)).status_code,
            (await room.api.post(f"{room.path}/examinations", json=card, headers=as_doctor)).status_code,
        ]  # fmt: skip

    assert await answers() == [409, 409, 409]
    refused = (await room.api.post(f"{room.path}/messages", json=text, headers=room.as_patient)).json()
    assert (refused["code"], refused["detail"]) == ("time_over", "本次问诊时间已到，医生可以延长")

    shown = (await room.api.post(f"{room.path}/extend", headers=as_doctor)).json()

    assert shown["extensions_left"] == 3
    assert await answers() == [201, 200, 201]


async def test_both_sides_see_how_much_is_left_and_that_a_pause_holds_it(room: Room) -> None:
    moves_on(room.context.clock, minutes=20)
    await does(room, service.hold)
    moves_on(room.context.clock, minutes=5)

    shown = (await room.api.get(room.path, headers=room.as_patient)).json()

    assert (shown["state"], shown["clock_stands"]) == ("on-hold", True)
    async with unit_of_work(room.context.db) as session:
        time = queries.talk_time(await session.get_one(Encounter, room.visit.id))
    assert time is not None
    assert round((time.ends(room.context.clock.now()) - room.context.clock.now()).total_seconds() / 60) == 40
