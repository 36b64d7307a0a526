"""From the second pharmacist's word to the drug in her hands, and back again when it could not be delivered."""

from typing import Any

import pytest

from standalone.journey import Patient, Pharmacist
from standalone.journey.people import AMLODIPINE, CHECKS
from standalone.journey.visiting import Refused
from tests.world import World

pytestmark = pytest.mark.anyio


async def a_prescription(world: World, reason: str = "患者外出，备足药量") -> tuple[Patient, str]:
    """Signed, with a reason."""
    patient, doctor = await world.a_patient(), await world.doctor()
    visit = await patient.sees_doctor(await patient.free_slot(doctor=doctor.id))
    await doctor.accepts(visit["id"])
    return patient, await doctor.prescribes(visit["id"], [AMLODIPINE], reason=reason, allergies="无")


async def paid(world: World, method: str) -> tuple[Patient, str, Pharmacist]:
    patient, prescription = await a_prescription(world)
    await world.passes(prescription)
    ordered = await patient.orders(prescription, method)
    await patient.pays(ordered["payment_id"])
    return patient, prescription, await world.pharmacist()


async def test_a_written_reason_is_read_by_two_before_anybody_pays(world: World) -> None:
    first, second = await world.pharmacist(), await world.pharmacist("second_pharmacist")
    patient, prescription = await a_prescription(world)

    assert (await first.approves(prescription))["state"] == "checking"
    with pytest.raises(Refused) as early:
        await patient.orders(prescription)
    with pytest.raises(Refused) as alone:
        await first.approves(prescription)
    done = await second.approves(prescription)

    assert (early.value.status, alone.value.code) == (409, "same_pharmacist")
    assert (done["state"], done["confirmed"], done["second_eyes"]) == ("approved", True, "pharmacist")


async def test_who_picks_up_shows_her_code_and_the_pharmacy_never_sees_it_before(world: World) -> None:
    patient, prescription, pharmacist = await paid(world, "pickup")
    await patient.phone.allow(["TPL_PICK_UP"])
    hers = await patient.dispense(prescription)
    theirs = await pharmacist.api.call("GET", f"/prescriptions/{prescription}/dispense")
    assert hers["pickup_code"]
    assert theirs["pickup_code"] == ""

    await pharmacist.prepares(prescription)
    with pytest.raises(Refused) as wrong:
        body = dict.fromkeys(CHECKS, True) | {"pickup_code": "x"}
        await pharmacist.api.call("POST", f"/dispenses/{hers['id']}/hand-over", body)
    done = await pharmacist.hands_over(prescription, pickup_code=hers["pickup_code"])

    assert wrong.value.status == 422
    assert done["state"] == "completed"
    assert await patient.phone.message("TPL_PICK_UP", prescription)


async def test_a_parcel_whose_callbacks_are_all_lost_arrives_all_the_same(world: World) -> None:
    patient, prescription, pharmacist = await paid(world, "courier")
    await pharmacist.hands_over(prescription)

    async def shipped() -> dict[str, Any] | None:
        found = await patient.dispense(prescription)
        return found if found["waybill"] else None

    parcel = await world.until(shipped, "a waybill")
    await world.faults("courier", lose_callbacks=True)
    try:
        await world.courier().delivers(parcel["waybill"])
        await world.moves_on(hours=6, minutes=1)
        await patient.logs_in()

        assert (await patient.dispense(prescription, "completed"))["parcel_label"] == "已签收"
    finally:
        await world.faults("courier")


async def test_what_came_back_is_kept_apart_judged_and_paid_back_by_its_cause(world: World) -> None:
    patient, prescription, pharmacist = await paid(world, "courier")
    order = await pharmacist.hands_over(prescription)

    async def shipped() -> dict[str, Any] | None:
        found = await patient.dispense(prescription)
        return found if found["waybill"] else None

    parcel = await world.until(shipped, "a waybill")
    for status in ("collected", "returned"):
        await world.courier().reports(parcel["waybill"], status)
    await patient.dispense(prescription, "stopped")
    words = {"cause": "delivery", "note": "地址无人，外包装完好", "disposal": "destroyed"}

    with pytest.raises(Refused) as early:
        await pharmacist.api.call("POST", f"/dispenses/{order['id']}/return", words)
    await pharmacist.api.call("POST", f"/dispenses/{order['id']}/quarantine")
    judged = await pharmacist.api.call("POST", f"/dispenses/{order['id']}/return", words)

    assert early.value.code == "not_quarantined"
    assert (judged["return_cause"], bool(judged["quarantined_at"])) == ("delivery", True)
