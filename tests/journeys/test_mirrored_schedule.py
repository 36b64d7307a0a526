"""Slots of the hospital's own system: read through the gateway, sold while fresh, and not a minute longer."""

from typing import Any

import pytest

from standalone.journey import Patient, Refused
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
