"""A supervisor of the city looks in on a live consultation: console, gateway, backend, media process; doctor and patient see it."""

from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import httpx
import pytest
import websockets

from tests.world import World

WHY = {"authority": "沪卫监〔2026〕12号", "reason": "日常监督检查"}
OFFER = '{"type":"offer","sdp":"v=0"}'


@pytest.fixture
async def console(world: World) -> AsyncIterator[httpx.AsyncClient]:
    """Signed in at the city's console."""
    address = world.places.supervision
    async with httpx.AsyncClient(
        base_url=address, headers={"origin": address}, trust_env=False, timeout=20
    ) as client:
        person = world.demo["supervisor"]
        await client.post("/login", data={"login": person["login"], "password": person["password"]})
        yield client


async def a_video_visit(world: World) -> tuple[Any, Any, dict[str, Any]]:
    """Running, the patient agreed to be recorded, the city has heard that it began."""
    patient, doctor = await world.a_patient(), await world.doctor()
    visit = await patient.sees_doctor(await patient.free_slot(doctor=doctor.id))
    await doctor.reads_history(visit["id"])
    await doctor.accepts(visit["id"])
    await patient.api.call("POST", f"/encounters/{visit['id']}/recording-consent")
    await doctor.says(visit["id"], "您好，最近血压怎么样？")
    await world.reported(visit["appointment_id"], doctor)
    return patient, doctor, visit


async def told(somebody: Any, visit: dict[str, Any]) -> list[str]:
    """What programs said in the conversation, as this side reads it."""
    messages = await somebody.api.call("GET", f"/encounters/{visit['id']}/messages")
    return [one["body"] for one in messages if one["sender"] == "system"]


async def said_by_the_room(world: World, way: dict[str, Any]) -> str:
    """The first word of the media process to somebody with this ticket and no camera."""
    address = f"{way['url']}?ticket={way['ticket']}"
    origin = websockets.Origin(world.places.supervision)
    async with websockets.connect(address, origin=origin, proxy=None) as socket:
        with suppress(websockets.ConnectionClosed):  # who is not let in may hear it before she has asked
            await socket.send(OFFER)
        return str(await socket.recv())


@pytest.mark.parametrize("gone", ["", "gateway-a"])
async def test_a_look_in_is_asked_through_a_gateway_and_both_sides_see_it(
    world: World, console: httpx.AsyncClient, gone: str
) -> None:
    patient, doctor, visit = await a_video_visit(world)
    page = await console.get(f"/visits/{visit['appointment_id']}")
    if gone:
        await world.system.kill(gone)
    try:
        opened = await console.post(f"/visits/{visit['appointment_id']}/look-in", data=WHY)
    finally:
        if gone:
            await world.system.start(gone)
    look = opened.headers["location"].split("?")[0]
    ways = [(await console.post(f"{look}/tickets/{party}")).json() for party in ("patient", "doctor")]
    words = [await said_by_the_room(world, way) for way in ways]
    again = await said_by_the_room(world, ways[0])
    await console.post(f"{look}/end")
    late = await console.post(f"{look}/tickets/patient")

    assert "旁看视频" in page.text
    assert opened.status_code == 303
    assert all("bad_offer" in word for word in words), words
    assert "ticket_invalid" in again
    assert late.status_code == 410
    for side in (patient, doctor):
        assert (await told(side, visit))[-2:] == ["监管人员正在查看本次视频问诊", "监管人员已结束查看"]
    quality = await world.staff("quality")
    lines = await quality.api.call("GET", f"/audit-events?subject_id={visit['id']}")
    actions = [line["action"] for line in lines if line["actor_kind"] == "platform"]
    assert {"video.look_in_opened", "video.look_in_ticket", "video.look_in_ended"} <= set(actions)


async def test_a_conversation_is_read_on_demand_and_both_sides_see_that_it_was(
    world: World, console: httpx.AsyncClient
) -> None:
    patient, doctor, visit = await a_video_visit(world)

    page = await console.post(f"/visits/{visit['appointment_id']}/chat", data=WHY)

    assert "您好，最近血压怎么样？" in page.text
    for side in (patient, doctor):
        assert "监管人员查阅了本次问诊的文字记录" in await told(side, visit)


@pytest.mark.parametrize("missing", ["authority", "reason"])
@pytest.mark.parametrize("what", ["look-in", "chat"])
async def test_without_order_or_reason_a_supervisor_sees_nothing(
    world: World, console: httpx.AsyncClient, missing: str, what: str
) -> None:
    patient, _, visit = await a_video_visit(world)

    answer = await console.post(f"/visits/{visit['appointment_id']}/{what}", data=WHY | {missing: ""})

    assert answer.status_code == 422
    assert not any("监管人员" in one for one in await told(patient, visit))
