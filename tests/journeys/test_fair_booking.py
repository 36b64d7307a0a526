"""Booking that is the same for everybody: the draw, rates, pauses, and the published report."""

import asyncio
from datetime import datetime
from typing import Any

import pytest

from standalone.journey import Doctor, Patient, Refused
from tests.world import World


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


async def next_release(world: World, doctor: Doctor) -> list[dict[str, Any]]:
    """The doctor's slots of the first day that is not released yet."""
    found = [
        one
        for one in await world.api().call("GET", f"/slots?practitioner={doctor.id}")
        if one["why"] == "not_released"
    ]
    first = min(one["released_at"] for one in found)
    return [one for one in found if one["released_at"] == first]


async def released(world: World, slot: dict[str, Any]) -> None:
    """The clock moves to the second before the release; then it is waited for."""
    left = (at(slot["released_at"]) - world.clock.now()).total_seconds()
    await world.moves_on(seconds=max(left - 1.5, 0))

    async def look() -> bool | None:
        found = await world.api().call("GET", f"/slots?practitioner={slot['practitioner_id']}")
        return next((one["on_sale"] for one in found if one["id"] == slot["id"]), False) or None

    await world.until(look, "the release")


def wish(patient: Patient, decision: dict[str, Any], slot: dict[str, Any]) -> dict[str, Any]:
    return {"person_id": patient.person_id, "slot_ids": [slot["id"]], "eligibility_id": decision["id"]}


async def result(world: World, patient: Patient, ticket: str) -> dict[str, Any]:
    """The ticket's end."""

    async def look() -> dict[str, Any] | None:
        found: dict[str, Any] = await patient.api.call("GET", f"/booking-tickets/{ticket}")
        return found if found["state"] not in ("queued", "drawing") else None

    return await world.until(look, "the draw")


async def test_at_release_lots_are_drawn_and_speed_brings_nothing(world: World) -> None:
    """N7: fewer places than persons, one of whom presses twenty times; the usual way is closed meanwhile."""
    doctor, manager = await world.doctor(), await world.staff("schedule_manager")
    slot = (await next_release(world, doctor))[0]
    await manager.api.call("PUT", f"/slots/{slot['id']}/places", {"capacity": 3})
    crowd = [await world.a_patient() for _ in range(4)]
    await world.moves_on(seconds=max((at(slot["released_at"]) - world.clock.now()).total_seconds() - 30, 0))
    decisions = [await patient.asks() for patient in crowd]
    await released(world, slot)
    places = next(
        one["remaining"]
        for one in await world.api().call("GET", f"/slots?practitioner={doctor.id}")
        if one["id"] == slot["id"]
    )
    assert 1 <= places < 4

    pressed = [(crowd[0], decisions[0])] * 20 + list(zip(crowd[1:], decisions[1:], strict=True))
    answers = await asyncio.gather(
        *(one.api.call("POST", "/booking-tickets", wish(one, decision, slot)) for one, decision in pressed)
    )
    with pytest.raises(Refused) as refused:
        await crowd[1].books(slot, decisions[1])

    assert refused.value.code == "draw_open"
    assert {one["state"] for one in answers} == {"queued"}
    assert len({one["id"] for one in answers}) == 4
    tickets = [answers[0]["id"], *(one["id"] for one in answers[20:])]
    ends = [await result(world, one, ticket) for one, ticket in zip(crowd, tickets, strict=True)]
    assert sorted(one["state"] for one in ends) == ["lost"] * (4 - places) + ["won"] * places
    winner = next(place for place, one in enumerate(ends) if one["state"] == "won")
    held = await crowd[winner].appointment(ends[winner]["appointment_id"])
    assert (held["state"], held["person_id"]) == ("pending", crowd[winner].person_id)
    await crowd[winner].pays(held["payment_id"])
    report = await world.api().call("GET", "/fairness")
    assert report["rules"]["draw_seconds"] == 3


async def test_somebody_who_asks_too_often_is_slowed_down_and_told_for_how_long(world: World) -> None:
    patient = await world.a_patient()
    body = {"person_id": patient.person_id, "diagnosis_code": "Z99.999"}

    answers = [await patient.api.raw("POST", "/eligibility", body) for _ in range(40)]

    refused = [one for one in answers if one.status_code == 429]
    assert 1 <= len(refused) <= 10
    problem = refused[0].json()
    assert problem["code"] == "too_often"
    assert f"请 {refused[0].headers['retry-after']} 秒后再试" in problem["detail"]
    other = await world.a_patient()
    assert (await other.api.raw("GET", "/persons")).status_code == 200


async def missed(world: World, patient: Patient, doctor: Doctor) -> None:
    """A paid visit to which nobody comes."""
    slot = await patient.free_slot(doctor=doctor.id)
    held = await patient.books(slot, await patient.asks())
    await patient.pays(held["payment_id"])
    left = (at(slot["ends_at"]) - world.clock.now()).total_seconds()
    await world.moves_on(seconds=left + 1)

    async def look() -> bool | None:
        return (await patient.appointment(held["id"]))["state"] == "noshow" or None

    await world.until(look, "the no-show")


async def test_three_no_shows_pause_booking_until_staff_lift_the_pause(world: World) -> None:
    """NX03; and appeal: staff lift it, with a reason."""
    patient = await world.a_patient()
    for _ in range(3):
        await missed(world, patient, await world.doctor())

    async def look() -> dict[str, Any] | None:
        found = await patient.api.call("GET", f"/persons/{patient.person_id}/booking-standing")
        return found if found["paused_until"] else None

    await world.until(look, "the pause")
    doctor = await world.doctor()
    slot = await patient.free_slot(doctor=doctor.id)
    with pytest.raises(Refused) as refused:
        await patient.books(slot, await patient.asks())
    assert refused.value.code == "booking_paused"

    clerk = await world.staff("clerk")
    pauses = await clerk.api.call("GET", "/booking-pauses")
    pause = next(one for one in pauses if one["person_id"] == patient.person_id)
    await clerk.api.call("POST", f"/booking-pauses/{pause['id']}/lift", {"reason": "住院未能就诊，已核对"})

    slot = await patient.free_slot(doctor=doctor.id)
    held = await patient.books(slot, await patient.asks())
    assert held["state"] == "pending"


async def test_anybody_reads_who_got_the_places(world: World) -> None:
    patient, doctor = await world.a_patient(), await world.doctor()
    held = await patient.books(await patient.free_slot(doctor=doctor.id), await patient.asks())
    await patient.pays(held["payment_id"])
    await world.moves_on(minutes=11)

    report = await world.api().call("GET", "/fairness")

    assert report["figures"]["places"] >= 1
    assert sum(one["count"] for one in report["figures"]["by_channel"]) == report["figures"]["places"]
