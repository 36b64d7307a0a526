"""A day of the feed, from the visit to the closed day on both sides: a system of its own, for its clock moves by days."""

from collections.abc import AsyncIterator
from datetime import date, datetime, timedelta
from html import unescape
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from tests.world import World, running_world

SHANGHAI = ZoneInfo("Asia/Shanghai")
NEEDED = {"api", "worker", "gateway-a", "his", "supervision", "wechat", "identity", "ca", "adapter"}
DISPUTE = "pushMedicalDispute"
WHY = {"reason": "省平台字典待更新"}


@pytest.fixture(scope="module")
async def hospital(worker: int) -> AsyncIterator[World]:
    """No video, no couriers: the feed alone."""
    async with running_world(worker, NEEDED) as world:
        yield world


async def a_day_passes(world: World) -> date:
    """To ten in the morning of the next day; returns the day that is over."""
    now = world.clock.now().astimezone(SHANGHAI)
    there = (now + timedelta(days=1)).replace(hour=10, minute=0, second=0)
    await world.moves_on(seconds=(there - now).total_seconds())
    return now.date()


async def desk(world: World, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
    """A person of the quality department at the supervision desk."""
    quality = await world.staff("quality")
    return await quality.api.call(method, f"/supervision{path}", body)


async def platform(world: World, method: str, path: str, body: Any = None) -> Any:
    """The platform's controls."""
    async with httpx.AsyncClient(trust_env=False) as client:
        address = world.system.health_url("supervision") + path
        answer = await client.request(method, address, json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def a_visit(world: World) -> str:
    """Somebody booked, paid, was seen."""
    patient, doctor = await world.a_patient(), await world.doctor()
    visit = await patient.sees_doctor(await patient.free_slot(doctor=doctor.id))
    await doctor.accepts(visit["id"])
    await doctor.writes_record(visit["id"])
    await doctor.finishes(visit["id"])
    await world.reported(visit["appointment_id"], doctor)
    return str(visit["appointment_id"])


async def compared(world: World, day: date) -> dict[str, Any]:
    """The day once the backend has told what it sent and no record is on its way any more; the worker tells every two minutes."""
    busy = {"sender_silent", "open", "not_arrived", "later", "sender_differs", "unsealed"}

    async def look() -> dict[str, Any] | None:
        answer = await (await world.staff("quality")).api.raw(
            "POST", f"/supervision/days/{day}/reconcile", WHY
        )
        if answer.status_code != 200:
            return None
        found: dict[str, Any] = answer.json()
        return None if busy & {one["kind"] for one in found["differences"]} else found

    for _ in range(6):
        try:
            return await world.until(look, "the day to be compared", 15)
        except TimeoutError:
            await world.moves_on(minutes=3)
    raise AssertionError(await desk(world, "GET", f"/days/{day}"))


async def settled_by_people(world: World, day: date) -> None:
    """What no machine can settle: records that cannot go are carried over, a platform's page is read."""
    waiting = await desk(world, "GET", f"/records?show=waiting&day={day}")
    for record in waiting["records"]:
        await desk(world, "POST", f"/records/{record['id']}/carry-over", WHY)
    for line in (await desk(world, "GET", f"/days/{day}"))["lines"]:
        if line["by_hand"] and line["accepted"]:
            entered = {"profile": line["profile"], "method": line["method"], "count": line["accepted"]}
            await desk(world, "POST", f"/days/{day}/counts", entered)


async def test_a_day_closes_on_both_sides_and_can_be_proved(hospital: World) -> None:
    world = hospital
    await a_visit(world)
    day = await a_day_passes(world)

    open_day = await compared(world, day)
    await settled_by_people(world, day)
    closed = await compared(world, day)

    assert open_day["state"] == "differing"
    assert {one["kind"] for one in open_day["differences"]} <= {"uncounted", "for_people"}
    assert (closed["state"], closed["differences"]) == ("closed", [])
    [theirs] = [
        one for one in (await platform(world, "GET", "/_test/days"))["days"] if one["day"] == str(day)
    ]
    assert theirs["agreed"] is True
    assert theirs["ours"]["events"] == closed["events"] > 5
    bundle = await desk(world, "GET", f"/days/{day}/bundle")
    assert len(bundle["events"]) == closed["events"]
    assert datetime.fromisoformat(closed["closed_at"]).tzinfo is not None


async def test_a_hole_at_the_platform_is_named_replayed_and_the_day_closes(hospital: World) -> None:
    world = hospital
    await a_visit(world)
    day = await a_day_passes(world)
    records = await platform(world, "GET", "/_test/records?method=uploadRealName&limit=1000")
    lost = max(records["records"], key=lambda one: str(one["occurred_at"]))["event_id"]
    await platform(world, "POST", "/_test/forget", {"event_id": lost})

    await compared(world, day)
    await settled_by_people(world, day)
    closed = await compared(world, day)

    assert closed["state"] == "closed"
    [repair] = closed["repairs"]
    assert (repair["count"], len(repair["numbers"])) == (1, 1)
    again = await platform(world, "GET", f"/_test/records?event_id={lost}")
    assert len(again["records"]) == 1


async def at_the_console(world: World, path: str) -> str:
    """A page of the city's console, as a supervisor sees it."""
    address = world.places.supervision
    async with httpx.AsyncClient(
        base_url=address, headers={"origin": address}, trust_env=False, timeout=20, follow_redirects=True
    ) as client:
        person = world.demo["supervisor"]
        await client.post("/login", data={"login": person["login"], "password": person["password"]})
        return unescape((await client.get(path)).text)


async def signed_in(world: World, day: date) -> dict[str, Any] | None:
    """The day's word about adverse events, once it is no longer due."""
    answer = await (await world.staff("quality")).api.raw("GET", f"/supervision/days/{day}")
    found: list[dict[str, Any]] = answer.json()["sign_ins"] if answer.status_code == 200 else []
    return next((one for one in found if one["method"] == DISPUTE and one["state"] != "due"), None)


async def test_an_adverse_event_reaches_the_supervisors_and_is_the_days_sign_in(hospital: World) -> None:
    world = hospital
    visit = await a_visit(world)
    clerk, quality = await world.staff("clerk"), await world.staff("quality")
    told = {
        "happened_at": f"{world.clock.now() - timedelta(minutes=5):%Y-%m-%dT%H:%M+00:00}", "damage": "severe",
        "description": "服药后喉头水肿，送急诊", "cause": "药品过敏，待查", "measures": "停药抢救", "improvements": "加强过敏史询问",
    }  # fmt: skip

    reported = await clerk.api.call(
        "POST", "/adverse-events", {"kind": "drug", "visit_number": visit, **told}
    )
    one = f"/adverse-events/{reported['event']['id']}"
    later = {**told, "description": "经抢救已脱险", "damage": "moderate", "seen": 1}
    await clerk.api.call("POST", f"{one}/supplement", later)
    seen = {"kind": "drug", "grade": "2", "note": "已组织讨论并整改", "seen": 2}
    accepted = await quality.api.call("POST", f"{one}/accept", seen)
    day = await a_day_passes(world)
    await compared(world, day)

    numbers = {report["number"] for report in accepted["reports"]}
    records = (await platform(world, "GET", f"/_test/records?method={DISPUTE}&limit=1000"))["records"]
    assert accepted["event"]["state"] == "accepted"
    assert sorted(one["business_no"] for one in records) == sorted(numbers)
    await world.system.kill("adapter")  # one that starts looks at once which days are to be signed in
    await world.system.start("adapter")
    signed = await world.until(lambda: signed_in(world, day), "the day's sign-in", 90)
    assert (signed["state"], signed["records"]) == ("closed", 2)
    listed = await at_the_console(world, "/complaints")
    assert "服药后喉头水肿" in listed
    assert f"【对不良事件 {reported['event']['number']} 的补充报告】" in listed


async def test_the_desk_shows_certificates_neighbours_and_the_platforms_clock(hospital: World) -> None:
    found = await desk(hospital, "GET", "/connections")

    reached = {one["what"]: one["reachable"] for one in found["neighbours"]}
    assert reached["上报适配器"]
    assert reached["前置机 1"]
    assert not reached["前置机 2"]
    assert abs(found["skew_seconds"]) < 10
    assert all(one["days_left"] > 0 for one in found["certificates"] if not one["problem"])
