"""Somebody without a phone comes to the counter; her daughter pays from afar."""

from typing import Any

import pytest

from standalone.journey import Patient, Refused, Staff
from tests.world import World


async def helped(world: World, clerk: Staff) -> tuple[dict[str, Any], dict[str, Any]]:
    """Her entry in the world, and the case: card checked, paper signed."""
    person = world.person()
    body = {
        "name": person["name"],
        "id_number": person["id_number"],
        "authority": "in_person",
        "note": "无手机",
    }
    case = await clerk.api.call("POST", "/counter/cases", body)
    text = await clerk.api.call("GET", "/documents/informed_consent")
    paper = {"version": text["version"], "content_hash": text["content_hash"], "signed": True}
    case = await clerk.api.call("POST", f"/counter/cases/{case['id']}/consent", paper)
    assert case["consented"]
    return person, case


async def test_an_old_woman_without_a_phone_gets_a_place_and_her_daughter_pays(world: World) -> None:
    """N14: from the card on the counter to the waiting room; eligibility through the gateway as for everybody."""
    clerk, doctor, daughter = await world.staff("clerk"), await world.doctor(), await world.a_patient()
    person, case = await helped(world, clerk)
    path = f"/counter/cases/{case['id']}"
    known = await clerk.api.call("GET", f"{path}/diagnoses")
    assert person["asks_for"] in {one["code"] for one in known}
    decision = await clerk.api.call("POST", f"{path}/eligibility", {"diagnosis_code": person["asks_for"]})
    slot = await daughter.free_slot(doctor=doctor.id)
    body = {"slot_id": slot["id"], "eligibility_id": decision["id"], "complaint": "头晕", "mode": "text"}

    booked = await clerk.api.call("POST", f"{path}/appointments", body)

    assert (booked["state"], booked["channel"]) == ("pending", "staff-assisted")
    assert booked["pay_url"].endswith(f"/pay/{booked['pay_code']}")
    await paid_by(daughter, booked["pay_code"])

    async def look() -> dict[str, Any] | None:
        found = await clerk.api.call("GET", f"{path}/appointments")
        return found[0] if found[0]["state"] == "booked" else None

    paid = await world.until(look, "the money")
    assert (paid["pay_code"], paid["payment_state"]) == ("", "confirmed")
    with pytest.raises(Refused) as unseen:
        await daughter.appointment(booked["appointment_id"])
    assert unseen.value.status == 404

    waiting = await clerk.api.call("POST", f"{path}/appointments/{booked['appointment_id']}/check-in")
    assert waiting["state"] == "checked-in"
    before = await doctor.api.call("GET", "/doctor/encounters")
    visit = next(one for one in before if one["appointment_id"] == booked["appointment_id"])
    accepted = await doctor.accepts(visit["id"])
    assert accepted["state"] == "in-progress"
    assert "encounter.started" in await world.reported(booked["appointment_id"], doctor)


async def paid_by(payer: Patient, code: str) -> None:
    """The code is looked up, taken, and paid in her WeChat."""
    seen = await payer.api.call("GET", f"/pay-codes/{code.lower()}")
    assert seen["open"]
    assert "*" in seen["person_name"]
    taken = await payer.api.call("POST", f"/pay-codes/{code}/take")
    await payer.pays(taken["payment_id"])


async def test_who_is_not_on_the_card_is_not_helped(world: World) -> None:
    clerk, person = await world.staff("clerk"), world.person()
    body = {"name": "赵不符", "id_number": person["id_number"]}

    with pytest.raises(Refused) as refused:
        await clerk.api.call("POST", "/counter/cases", body)

    assert (refused.value.status, refused.value.fields) == (422, ["name"])


async def test_a_caller_is_called_back(world: World) -> None:
    clerk, person = await world.staff("clerk"), world.person()
    body = {"name": person["name"], "id_number": person["id_number"], "authority": "phone"}

    with pytest.raises(Refused) as refused:
        await clerk.api.call("POST", "/counter/cases", body)

    assert refused.value.fields == ["callback_phone"]
