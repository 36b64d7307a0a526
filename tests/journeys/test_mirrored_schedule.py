"""Slots of the hospital's own system: read through the gateway, sold while fresh, taken there when they are sold here."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import httpx
import pytest

from foundation.tls import client_context
from standalone.certificates import ensure
from standalone.journey import Patient, Refused
from standalone.journey.people import Staff
from standalone.processes import BY_NAME
from tests.world import World

DEPARTMENT = "1300"
FRESH = 30


async def slots(patient: Patient) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = await patient.api.call("GET", f"/slots?department={DEPARTMENT}")
    return [one for one in found if one["capacity"] == 1]


async def test_the_hospitals_places_are_sold_while_fresh_and_a_stale_schedule_flags_itself(
    world: World,
) -> None:
    patient, manager = await world.a_patient(DEPARTMENT), await world.staff("schedule_manager")
    body = {"department_code": DEPARTMENT, "source": "his"}
    source = await manager.api.call("PUT", "/timetable/sources", body)
    try:

        async def mirrored() -> list[dict[str, Any]] | None:
            return [one for one in await slots(patient) if one["on_sale"]] or None

        found = await world.until(mirrored, "the hospital's slots")
        decision = await patient.asks()
        assert (await patient.books(found[0], decision))["starts_at"] == found[0]["starts_at"]

        await world.faults("his", down=True)
        await world.moves_on(minutes=FRESH + 6)
        manager = await world.staff("schedule_manager")  # half an hour idle ended the session
        left = await slots(patient)
        assert left
        assert {one["why"] for one in left if one["why"] != "not_released"} == {"slot_stale"}
        with pytest.raises(Refused) as refused:
            await patient.books([one for one in left if one["why"] == "slot_stale"][-1], decision)
        assert refused.value.code == "slot_stale"
        (row,) = [
            one for one in await manager.api.call("GET", "/timetable/sources") if one["id"] == source["id"]
        ]
        assert row["stale"]

        await world.faults("his")
        await manager.api.call("POST", f"/timetable/sources/{source['id']}/read")
        await world.until(mirrored, "fresh slots")
    finally:
        await world.faults("his")
        await manager.api.call("PUT", "/timetable/sources", body | {"source": "own"})
    assert await patient.times(DEPARTMENT) != []


@asynccontextmanager
async def mirrored(world: World) -> AsyncIterator[tuple[Staff, dict[str, Any]]]:
    """The department's slots come from the hospital for a while."""
    manager = await world.staff("schedule_manager")
    body = {"department_code": DEPARTMENT, "source": "his"}
    source = await manager.api.call("PUT", "/timetable/sources", body)
    try:
        yield manager, source
    finally:
        await manager.api.call("PUT", "/timetable/sources", body | {"source": "own"})


async def on_sale(world: World, patient: Patient, slot_id: str = "") -> dict[str, Any]:
    """A place of the hospital's that can be had, once there is one."""

    async def look() -> dict[str, Any] | None:
        found = [one for one in await slots(patient) if one["on_sale"] and slot_id in ("", one["id"])]
        return found[-1] if found else None

    return await world.until(look, "a place of the hospital's on sale")


def hospital(world: World) -> httpx.AsyncClient:
    """Its own system, as a gateway sees it."""
    zone = ensure(world.system.folder).hospital
    trust = client_context(zone["gateway-a"].certificate, zone["gateway-a"].key, zone.root)
    base = BY_NAME["his"].url(world.system.port_base)
    return httpx.AsyncClient(base_url=base, verify=trust, trust_env=False, timeout=20)


async def at_the_hospital(world: World, slot: dict[str, Any]) -> dict[str, Any]:
    """The hospital's own Slot of a place: of this doctor, at this time."""
    starts_at = datetime.fromisoformat(slot["starts_at"])
    async with hospital(world) as his:
        found = (await his.get("/Slot", params={"start": slot["starts_at"], "_count": "200"})).json()
        for entry in found["entry"]:
            one: dict[str, Any] = entry["resource"]
            plan = (await his.get(f"/{one['schedule']['reference']}")).json()
            names = [actor.get("display") for actor in plan["actor"]]
            if datetime.fromisoformat(one["start"]) == starts_at and slot["practitioner_name"] in names:
                return one
    raise LookupError(f"no place of {slot['practitioner_name']} at {slot['starts_at']}")


async def until_there(world: World, place: dict[str, Any], status: str) -> None:
    async def look() -> bool | None:
        return (await his.get(f"/Slot/{place['id']}")).json()["status"] == status or None

    async with hospital(world) as his:
        await world.until(look, f"{status} at the hospital")


async def test_a_sold_place_is_busy_at_the_hospital_and_free_again_when_it_is_cancelled(world: World) -> None:
    patient = await world.a_patient(DEPARTMENT)
    async with mirrored(world) as (manager, source):
        slot = await on_sale(world, patient)
        place = await at_the_hospital(world, slot)
        held = await patient.books(slot, await patient.asks())
        assert place["status"] == "free"

        await patient.pays(held["payment_id"])

        await until_there(world, place, "busy")
        assert (await read_again(world, manager, source))["problem"] == ""

        await patient.api.call("POST", f"/appointments/{held['id']}/cancel")
        await until_there(world, place, "free")
        await written(world, held["id"], "cancellation")
        await read_again(world, manager, source)
        await on_sale(world, patient, slot["id"])


async def test_a_place_taken_at_the_window_meanwhile_is_told_at_both_desks(world: World) -> None:
    patient = await world.a_patient(DEPARTMENT)
    async with mirrored(world) as (manager, source):
        slot = await on_sale(world, patient)
        held = await patient.books(slot, await patient.asks())
        await at_the_window(world, await at_the_hospital(world, slot))

        await patient.pays(held["payment_id"])

        assert (await written(world, held["id"], "registration"))["refused_code"] == "place_taken"
        row = await read_again(world, manager, source)
        assert "院内已被占用，请为患者改约或退费" in row["problem"]
        assert (await patient.appointment(held["id"]))["state"] == "booked"
        await patient.api.call("POST", f"/appointments/{held['id']}/cancel")


async def read_again(world: World, manager: Staff, source: dict[str, Any]) -> dict[str, Any]:
    """How the mirror fares after one more reading."""

    async def row() -> dict[str, Any]:
        found = await manager.api.call("GET", "/timetable/sources")
        (one,) = [one for one in found if one["id"] == source["id"]]
        return dict(one)

    async def look() -> dict[str, Any] | None:
        now = await row()
        return now if now["read_at"] != before["read_at"] else None

    before = await row()
    await manager.api.call("POST", f"/timetable/sources/{source['id']}/read")
    return await world.until(look, "a reading")


async def written(world: World, appointment_id: str, step: str) -> dict[str, Any]:
    """A step of the write-back, once the hospital has answered it."""
    clerk = await world.staff("clerk")

    async def look() -> dict[str, Any] | None:
        found = await clerk.api.call("GET", f"/appointments/{appointment_id}/write-backs")
        answered = [
            dict(one)
            for one in found
            if one["step"] == step and (one["acknowledged_at"] or one["refused_code"])
        ]
        return answered[0] if answered else None

    return await world.until(look, f"the hospital's answer to {step}")


async def at_the_window(world: World, place: dict[str, Any]) -> None:
    """Somebody who stands there gets it."""
    async with httpx.AsyncClient(trust_env=False) as client:
        address = f"{world.system.health_url('his')}/_test/resources"
        reply = await client.put(address, json={**place, "status": "busy"})
    assert reply.status_code == 200, reply.text
