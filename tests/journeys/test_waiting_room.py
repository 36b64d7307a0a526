"""Waiting: positions that are true after every reconnect, and a doctor who is late."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from standalone.journey import Doctor, Patient, Refused
from tests.journeys.test_money_and_deadlines import refunded
from tests.world import World, on_duty


async def who_waits(
    world: World, doctor: Doctor, slot: dict[str, Any] | None = None
) -> tuple[Patient, dict[str, Any]]:
    """Somebody who waits for this doctor."""
    patient = await world.a_patient()
    visit = await patient.sees_doctor(slot or await patient.free_slot(doctor=doctor.id))
    return patient, visit


@asynccontextmanager
async def listening(patient: Patient, appointment_id: str) -> AsyncIterator[AsyncIterator[dict[str, Any]]]:
    """Snapshots of the waiting room as they come."""
    headers = {"authorization": f"Bearer {patient.api.token}"}
    address = str(patient.api.http.base_url) + f"/api/v1/appointments/{appointment_id}/waiting/events"
    async with (
        httpx.AsyncClient(trust_env=False, timeout=30) as client,
        client.stream("GET", address, headers=headers) as stream,
    ):
        yield _snapshots(stream)


async def _snapshots(stream: httpx.Response) -> AsyncIterator[dict[str, Any]]:
    async for line in stream.aiter_lines():
        if line.startswith("data: "):
            yield json.loads(line.removeprefix("data: "))


async def test_the_place_is_told_at_once_after_each_change_and_after_each_reconnect(world: World) -> None:
    doctor = await world.doctor()
    _, first = await who_waits(world, doctor)
    slot = await world.api().call("GET", f"/slots?practitioner={doctor.id}")
    patient, second = await who_waits(world, doctor, slot[0])
    appointment = second["appointment_id"]
    async with listening(patient, appointment) as seen:
        now = await anext(seen)
        assert (now["ahead"], now["state"]) == (1, "checked-in")
        assert now["low_minutes"] <= now["high_minutes"]

        await doctor.accepts(first["id"])

        later = await anext(seen)
        while later["ahead"]:
            later = await anext(seen)
        assert "医生还在为前一位患者看诊" in later["words"]

    async with listening(patient, appointment) as again:
        snapshot = await anext(again)
        assert (snapshot["ahead"], snapshot["doctor_busy"], snapshot["clock_running"]) == (0, True, False)


async def test_a_late_doctor_gives_the_choice_of_money_or_place(world: World) -> None:
    """practice.md 7, 17."""
    doctor = await world.doctor()
    patient, visit = await who_waits(world, doctor)
    path = f"/appointments/{visit['appointment_id']}"
    with pytest.raises(Refused) as early:
        await patient.api.call("POST", f"{path}/late-choice", {"choice": "refund"})
    assert early.value.code == "not_late"
    await world.moves_on(minutes=21)

    async def offered() -> bool | None:
        return (await patient.api.call("GET", f"{path}/waiting"))["late"] or None

    await world.until(offered, "the offer")
    await patient.api.call("POST", f"{path}/late-choice", {"choice": "refund"})

    booked = await patient.appointment(visit["appointment_id"])
    assert booked["state"] == "cancelled"
    bill = await refunded(world, patient, booked["payment_id"])
    assert bill["refunds"][0]["amount"] == bill["amount"]


async def test_who_keeps_her_place_is_not_sent_away_by_the_clock(world: World) -> None:
    doctor = await world.doctor()
    patient, visit = await who_waits(world, doctor)
    path = f"/appointments/{visit['appointment_id']}"
    await world.moves_on(minutes=21)

    async def offered() -> bool | None:
        return (await patient.api.call("GET", f"{path}/waiting"))["late"] or None

    await world.until(offered, "the offer")
    await patient.api.call("POST", f"{path}/late-choice", {"choice": "keep"})
    await world.moves_on(minutes=30)

    seen = await patient.api.call("GET", f"{path}/waiting")
    assert (seen["state"], seen["place_kept"]) == ("checked-in", True)
    await on_duty(doctor)
    assert (await doctor.accepts(visit["id"]))["state"] == "in-progress"


async def test_the_duty_desk_hands_over_to_a_colleague_if_the_patient_agrees(world: World) -> None:
    """practice.md 7: before a refund, a filed colleague who is at work."""
    desk = await world.staff("duty_desk")
    doctor = await world.doctor()
    patient, visit = await who_waits(world, doctor)
    colleague = await the_colleague(world, desk, visit)

    proposal = await desk.api.call(
        "POST", f"/encounters/{visit['id']}/handovers", {"practitioner_id": colleague.id}
    )
    seen = await patient.api.call("GET", f"/appointments/{visit['appointment_id']}/waiting")
    assert seen["proposal"]["id"] == proposal["id"]
    with pytest.raises(Refused):
        await colleague.accepts(visit["id"])
    await patient.api.call("POST", f"/handovers/{proposal['id']}/agree")

    accepted = await colleague.accepts(visit["id"])
    assert accepted["state"] == "in-progress"
    assert "appointment.moved" in await world.reported(visit["appointment_id"], colleague)


async def the_colleague(world: World, desk: Any, visit: dict[str, Any]) -> Doctor:
    """Somebody else of the same department, on shift, who does not cost less."""
    waiting = await desk.api.call("GET", "/waiting-visits")
    mine = next(one for one in waiting if one["encounter_id"] == visit["id"])
    department = next(
        one["code"]
        for one in await desk.api.call("GET", "/departments")
        if one["name"] == mine["department_name"]
    )
    for _ in range(8):
        found = await world.doctor(department)
        if found.id != mine["practitioner_id"]:
            try:
                probe = await desk.api.call(
                    "POST", f"/encounters/{visit['id']}/handovers", {"practitioner_id": found.id}
                )
            except Refused as refused:
                if refused.code not in ("cheaper", "not_licensed"):
                    raise
                continue
            await desk.api.call("POST", f"/handovers/{probe['id']}/withdraw")
            return found
    raise LookupError("no colleague")
