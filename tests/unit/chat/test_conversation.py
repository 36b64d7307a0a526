"""What is said in a visit: in order, exactly once, known by whom, read up to where."""

import asyncio

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from backend.chat.model import ChatMessage
from backend.chat.service import notice
from foundation.db.unit_of_work import unit_of_work
from tests.builders.requests import staff_session
from tests.builders.visits import on_shift
from tests.database import moves_on
from tests.small_world import DOCTOR, SECOND_DOCTOR
from tests.unit.chat.conftest import Room
from tests.unit.chat.talking import Browser

pytestmark = pytest.mark.anyio

ACTIONS = st.sampled_from(["say", "say", "say", "cut", "connect", "cut while saying", "say twice"])
SCHEDULE = st.lists(st.tuples(st.sampled_from(["patient", "doctor"]), ACTIONS), min_size=1, max_size=14)


async def said(room: Room) -> int:
    async with unit_of_work(room.context.db) as session:
        query = select(func.count()).where(ChatMessage.encounter_id == room.visit.id)
        return await session.scalar(query) or 0


async def acts(browser: Browser, action: str, number: int) -> None:
    match action:
        case "say":
            await browser.says(f"{number}")
        case "say twice":
            one = browser.writes(f"{number}")
            await browser.send(one)
            await browser.send(one)
        case "cut":
            await browser.cut()
        case "connect":
            if browser.socket is None:
                await browser.connect()
        case "cut while saying":
            await browser.says(f"{number}")
            await browser.cut()


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(schedule=SCHEDULE)
async def test_whatever_breaks_everything_arrives_once_in_the_same_order_on_both_sides(
    room: Room, schedule: list[tuple[str, str]]
) -> None:
    before = await said(room)
    sides = {"patient": Browser(room, room.as_patient), "doctor": Browser(room, room.as_doctor)}
    for browser in sides.values():
        await browser.connect()
        await browser.until(before)
    wrote: dict[str, list[str]] = {"patient": [], "doctor": []}

    for number, (side, action) in enumerate(schedule):
        if "say" in action:
            wrote[side].append(f"{number}")
        await acts(sides[side], action, number)
    for browser in sides.values():
        await browser.cut()
        await browser.connect()

    total = before + sum(map(len, wrote.values()))
    for browser in sides.values():
        await browser.until(total)
    patient, doctor = sides["patient"], sides["doctor"]
    assert patient.seen == doctor.seen
    assert await said(room) == total
    for side in sides:
        mine = [one["body"] for one in patient.seen[before:] if one["sender"] == side]
        assert sorted(mine, key=int) == mine == wrote[side]
    for browser in sides.values():
        await browser.cut()


async def test_somebody_who_was_away_gets_what_she_missed_page_after_page_at_once(room: Room) -> None:
    async with unit_of_work(room.context.db) as session:
        for number in range(450):
            await notice(session, room.visit, f"第 {number} 条", key=f"key-{number}")
    patient = Browser(room, room.as_patient)

    await patient.connect()

    await patient.until(450)
    assert patient.texts == [f"第 {number} 条" for number in range(450)]
    await patient.cut()


async def test_a_message_says_who_wrote_it_and_a_programs_message_names_the_program(room: Room) -> None:
    for headers, words in ((room.as_patient, "头晕"), (room.as_doctor, "多久了")):
        body = {"type": "say", "client_id": f"client-{words}", "body": words}
        assert (await room.api.post(f"{room.path}/messages", json=body, headers=headers)).status_code == 201
    async with unit_of_work(room.context.db) as session:
        await notice(session, room.visit, "医生已接诊", key="started")

    found = (await room.api.get(f"{room.path}/messages", headers=room.as_patient)).json()

    assert [(one["sender"], one["machine"], one["kind"]) for one in found] == [
        ("patient", "", "text"), ("doctor", "", "text"), ("system", "platform", "notice"),
    ]  # fmt: skip


async def test_examinations_that_the_doctor_advises_are_a_card(room: Room) -> None:
    body = {"client_id": "card-0001", "items": ["血常规", "心电图"], "note": "空腹"}

    answers = [
        await room.api.post(f"{room.path}/examinations", json=body, headers=room.as_doctor) for _ in range(2)
    ]

    assert answers[0].json()["card"] == {
        "card": "examination", "items": ["血常规", "心电图"], "note": "空腹",
    }  # fmt: skip
    assert answers[0].json() == answers[1].json()
    assert answers[0].json()["body"] == "建议检查：血常规、心电图"


async def test_a_patient_hands_out_no_cards(room: Room) -> None:
    body = {"client_id": "card-0001", "items": ["血常规"]}

    answer = await room.api.post(f"{room.path}/examinations", json=body, headers=room.as_patient)

    assert answer.status_code == 403


async def test_each_side_sees_how_far_the_other_has_read(room: Room) -> None:
    patient, doctor = Browser(room, room.as_patient), Browser(room, room.as_doctor)
    await patient.connect()
    await doctor.connect()
    await patient.says("一")
    await patient.says("二")
    await doctor.until(2)
    assert doctor.socket is not None

    await doctor.socket.send('{"type": "read", "sequence": 1}')
    await doctor.socket.send('{"type": "read", "sequence": 2}')

    await patient.hears("mark", side="doctor", sequence=2)
    await patient.cut()
    await doctor.cut()


async def test_a_read_mark_never_goes_back_nor_beyond_what_was_said(room: Room) -> None:
    for number in range(3):
        body = {"type": "say", "client_id": f"client-{number}", "body": "好"}
        await room.api.post(f"{room.path}/messages", json=body, headers=room.as_patient)

    async def marks(sequence: int) -> int:
        answer = await room.api.put(f"{room.path}/marks", json={"sequence": sequence}, headers=room.as_doctor)
        return int(answer.json()["sequence"])

    assert [await marks(2), await marks(1), await marks(99), await marks(0)] == [2, 2, 3, 3]
    found = await room.api.get(f"{room.path}/marks", headers=room.as_patient)
    assert found.json() == [{"type": "mark", "side": "doctor", "sequence": 3}]


async def test_typing_is_told_to_the_other_side_and_kept_nowhere(room: Room) -> None:
    patient, doctor = Browser(room, room.as_patient), Browser(room, room.as_doctor)
    await patient.connect()
    await doctor.connect()
    assert patient.socket is not None

    async with asyncio.timeout(10):
        while not any(one["type"] == "typing" for one in doctor.other):
            await patient.socket.send('{"type": "typing"}')
            await asyncio.sleep(0.1)

    assert {"type": "typing", "side": "patient"} in doctor.other
    assert all(one["type"] != "typing" for one in patient.other)
    assert await said(room) == 0
    await patient.cut()
    await doctor.cut()


async def test_a_message_that_is_refused_is_named(room: Room) -> None:
    patient = Browser(room, room.as_patient)
    await patient.connect()
    assert patient.socket is not None

    await patient.socket.send('{"type": "say", "client_id": "client-1", "kind": "text", "body": "  "}')

    problem = await patient.hears("problem", client_id="client-1")
    assert problem["issues"][0]["code"] == "empty"
    await patient.socket.send("\x00 no json")
    assert (await patient.hears("problem", client_id=""))["status"] == 422
    await patient.cut()


async def test_a_doctor_reads_and_writes_only_within_her_shift(room: Room) -> None:
    """监管细则 2022: authenticated before receiving patients; practice.md 8: four hours, thirty minutes of idleness."""
    moves_on(room.context.clock, minutes=31)
    body = {"type": "say", "client_id": "client-1", "body": "好"}
    as_doctor = await staff_session(room.context, DOCTOR)
    for call in (
        room.api.get(f"{room.path}/messages", headers=as_doctor),
        room.api.post(f"{room.path}/messages", json=body, headers=as_doctor),
        room.api.post(f"{room.path}/tickets", json={"purpose": "chat"}, headers=as_doctor),
    ):
        answer = await call
        assert (answer.status_code, answer.json()["code"]) == (403, "no_shift")


async def test_a_doctor_whose_shift_ran_out_is_sent_out_of_the_conversation(room: Room) -> None:
    doctor = Browser(room, room.as_doctor)
    await doctor.connect()
    moves_on(room.context.clock, minutes=31)

    await doctor.says("还在吗")

    assert (await doctor.hears("problem"))["code"] == "no_shift"
    assert doctor.socket is not None
    await doctor.socket.wait_closed()
    assert doctor.socket.close_code == 4403
    assert await said(room) == 0


async def test_the_conversation_of_others_is_not_there(room: Room) -> None:
    async with unit_of_work(room.context.db) as session:
        await on_shift(session, room.context, SECOND_DOCTOR)

    answer = await room.api.get(
        f"{room.path}/messages", headers=await staff_session(room.context, SECOND_DOCTOR)
    )

    assert answer.status_code == 404


async def test_the_patient_who_has_waited_longest_for_an_answer_is_first(room: Room) -> None:
    body = {"type": "say", "client_id": "client-1", "body": "请问"}
    await room.api.post(f"{room.path}/messages", json=body, headers=room.as_patient)

    (waiting,) = (await room.api.get("/doctor/conversations", headers=room.as_doctor)).json()

    assert (waiting["encounter_id"], waiting["unread"]) == (str(room.visit.id), 1)
    assert waiting["unanswered_since"] is not None
    answer = {"type": "say", "client_id": "client-2", "body": "您好"}
    await room.api.post(f"{room.path}/messages", json=answer, headers=room.as_doctor)
    await room.api.put(f"{room.path}/marks", json={"sequence": 2}, headers=room.as_doctor)
    (answered,) = (await room.api.get("/doctor/conversations", headers=room.as_doctor)).json()
    assert (answered["unread"], answered["unanswered_since"]) == (0, None)
