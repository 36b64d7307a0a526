"""Paying by insurance, choosing not to, and everything back: from the phone to the receipts, with the e-bill behind it."""

from typing import Any

import pytest

from standalone.journey import Doctor, Patient, Refused
from tests.world import World


async def held(world: World, *, pays_cash: bool = False) -> tuple[Patient, Doctor, dict[str, Any]]:
    """A place some time from now, with its open bill."""
    patient, doctor = await world.a_patient(pays_cash=pays_cash), await world.doctor()
    slots = await patient.times(doctor=doctor.id)
    return patient, doctor, await patient.books(slots[-1], await patient.asks())


async def bill(patient: Patient, payment_id: str) -> dict[str, Any]:
    found: dict[str, Any] = await patient.api.call("GET", f"/payments/{payment_id}")
    return found


def purses(bill: dict[str, Any]) -> dict[str, int]:
    return {one["kind"]: one["amount"] for one in bill["tenders"]}


async def e_bill(world: World, patient: Patient, payment_id: str, state: str) -> dict[str, Any]:
    """The newest e-bill, once it is in that state."""

    async def look() -> dict[str, Any] | None:
        found = await patient.api.call("GET", f"/payments/{payment_id}/e-bills")
        return found[-1] if found and found[-1]["state"] == state else None

    return await world.until(look, f"e-bill {state}")


async def refund(world: World, patient: Patient, payment_id: str, *states: str) -> dict[str, Any]:
    async def look() -> dict[str, Any] | None:
        found = (await bill(patient, payment_id))["refunds"]
        return found[0] if found and found[0]["state"] in states else None

    return await world.until(look, f"refund {states}", 60)


async def test_insurance_and_cash_pay_a_visit_and_an_e_bill_says_who_paid_what(world: World) -> None:
    """The split is shown before, the patient agrees, both purses pay, the query decides."""
    patient, _, booked = await held(world)
    payment_id = booked["payment_id"]

    quoted = await patient.authorises(payment_id)
    before = await bill(patient, payment_id)
    parameters = await patient.agrees(payment_id, quoted)
    assert (await patient.phone.pay_insured(parameters)).endswith(":ok")
    paid = await patient.payment(payment_id, "confirmed")

    split = quoted["split"]
    assert split["total"] == before["amount"] == paid["amount"] == sum(purses(paid).values())
    assert split["gov"] > 0
    assert purses(before) == {"wechat_cash": before["amount"]}
    assert purses(paid) == {
        tender: amount
        for tender, amount in (
            ("ins_gov", split["gov"]), ("ins_other", split["other"]), ("ins_self", split["self"]),
            ("wechat_cash", split["to_pay"]),
        )
        if amount
    }  # fmt: skip
    assert (await patient.appointment(booked["id"]))["state"] == "booked"
    issued = await e_bill(world, patient, payment_id, "issued")
    assert (issued["total"], issued["gov"], issued["cash"]) == (paid["amount"], split["gov"], split["cash"])
    assert "演示票据" in issued["notice"]


async def test_doubled_notices_of_insurance_change_nothing(world: World) -> None:
    await world.faults("wechat", duplicate_notifications=1.0)
    try:
        patient, doctor, booked = await held(world)
        await patient.pays_by_insurance(booked["payment_id"])
    finally:
        await world.faults("wechat")

    events = await world.reported(booked["id"], doctor)
    assert events.count("payment.confirmed") == events.count("appointment.booked") == 1


async def test_when_the_insurance_fails_she_chooses_to_pay_all_herself(world: World) -> None:
    """Offered with the full amount, never assumed; the choice is on record (issue: insurance down → self-pay)."""
    patient, _, booked = await held(world)
    payment_id = booked["payment_id"]
    await world.faults("wechat", insurance_refuses="参保地系统维护")
    try:
        with pytest.raises(Refused) as refused:
            await patient.authorises(payment_id)
    finally:
        await world.faults("wechat")
    assert "参保地系统维护" in str(refused.value)
    shown = await patient.api.call("GET", f"/payments/{payment_id}/insurance")
    assert shown["choice_needed"]
    assert shown["full_amount"] == (await bill(patient, payment_id))["amount"]

    with pytest.raises(Refused) as early:
        await patient.pays(payment_id)
    await patient.api.call("POST", f"/payments/{payment_id}/self-pay")
    paid = await patient.pays(payment_id)

    assert early.value.code == "choice_needed"
    assert purses(paid) == {"wechat_cash": paid["amount"]}


async def test_an_insurance_that_is_away_leaves_the_bill_as_it_was(world: World) -> None:
    patient, _, booked = await held(world)
    await world.faults("wechat", insurance_down=True)
    try:
        with pytest.raises(Refused) as refused:
            await patient.authorises(booked["payment_id"])
    finally:
        await world.faults("wechat")

    assert refused.value.status == 503
    assert "医保" in str(refused.value)
    paid = await patient.pays_by_insurance(booked["payment_id"])
    assert "ins_gov" in purses(paid)


async def test_both_parts_go_back_and_only_then_the_e_bill_is_reversed(world: World) -> None:
    """Each part is proven by its own provider; the red bill waits for all of them."""
    patient, _, booked = await held(world, pays_cash=True)
    payment_id = booked["payment_id"]
    paid = await patient.pays_by_insurance(payment_id)
    await e_bill(world, patient, payment_id, "issued")
    await world.faults("wechat", insurance_refund_seconds=600)
    try:
        await patient.api.call("POST", f"/appointments/{booked['id']}/cancel")
        await refund(world, patient, payment_id, "processing")
        still = await e_bill(world, patient, payment_id, "issued")
        await world.moves_on(minutes=11)
        back = await refund(world, patient, payment_id, "succeeded")
    finally:
        await world.faults("wechat")

    assert purses(back) == purses(paid)
    red = await e_bill(world, patient, payment_id, "reversed")
    assert (red["number"], red["red_number"] != "") == (still["number"], True)
    assert red["red_at"][:19] >= back["succeeded_at"][:19]


async def test_cash_that_was_taken_without_the_insurance_comes_back_by_itself(world: World) -> None:
    patient, _, booked = await held(world, pays_cash=True)
    payment_id = booked["payment_id"]
    quoted = await patient.authorises(payment_id)
    assert quoted["split"]["to_pay"] > 0
    await world.faults("wechat", insurance_settle_fails=True)
    try:
        said = await patient.phone.pay_insured(await patient.agrees(payment_id, quoted))
    finally:
        await world.faults("wechat")
    assert ":fail" in said
    await patient.api.call("POST", f"/payments/{payment_id}/refresh")

    async def over() -> dict[str, Any] | None:
        found: dict[str, Any] = await patient.api.call("GET", f"/payments/{payment_id}/insurance")
        return found if found["state"] == "failed" else None

    shown = await world.until(over, "the cash on its way back")
    assert shown["choice_needed"]
    await patient.api.call("POST", f"/payments/{payment_id}/self-pay")
    paid = await patient.pays(payment_id)
    assert purses(paid) == {"wechat_cash": paid["amount"]}
