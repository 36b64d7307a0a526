"""Money in and back, and what happens when nobody acts in time."""

from typing import Any

import pytest

from standalone.journey import Patient, Refused
from tests.world import World


async def booked(patient: Patient, doctor_id: str) -> dict[str, Any]:
    """A held place."""
    return await patient.books(await patient.free_slot(doctor=doctor_id), await patient.asks())


async def refunded(world: World, patient: Patient, payment_id: str) -> dict[str, Any]:
    """The bill, once WeChat's receipt for its refund is here."""

    async def look() -> dict[str, Any] | None:
        bill: dict[str, Any] = await patient.api.call("GET", f"/payments/{payment_id}")
        return bill if bill["refunds"] and bill["refunds"][0]["state"] == "succeeded" else None

    return await world.until(look, "the refund")


async def test_a_bill_names_the_price_list_it_was_made_from(world: World) -> None:
    patient, doctor = await world.a_patient(), await world.doctor()
    held = await booked(patient, doctor.id)

    bill = await patient.api.call("GET", f"/payments/{held['payment_id']}")

    prices = {price["name"]: price for price in await patient.api.call("GET", "/prices")}
    for line in bill["lines"]:
        assert line["price_version"] == prices[line["name"]]["version"]
        assert line["unit_amount"] == prices[line["name"]]["amount"]
    assert bill["amount"] == sum(line["amount"] for line in bill["lines"])


async def test_cancelling_in_the_cashier_pays_nothing(world: World) -> None:
    patient, doctor = await world.a_patient(), await world.doctor()
    held = await booked(patient, doctor.id)
    await patient.api.call("POST", f"/payments/{held['payment_id']}/prepay")

    result = await patient.phone.pay({"cancel": True})  # type: ignore[dict-item]

    assert result == "requestPayment:fail cancel"
    bill = await patient.api.call("POST", f"/payments/{held['payment_id']}/refresh")
    assert bill["state"] == "pending"


async def test_money_is_believed_though_no_notification_ever_comes(world: World) -> None:
    await world.faults("wechat", lose_notifications=1.0)
    try:
        patient, doctor = await world.a_patient(), await world.doctor()
        held = await booked(patient, doctor.id)
        await patient.phone.allow([])
        await patient.phone.pay(await patient.api.call("POST", f"/payments/{held['payment_id']}/prepay"))

        bill = await patient.api.call("POST", f"/payments/{held['payment_id']}/refresh")
    finally:
        await world.faults("wechat")

    assert bill["state"] == "confirmed"
    assert (await patient.appointment(held["id"]))["state"] == "booked"


async def test_doubled_notifications_change_nothing(world: World) -> None:
    await world.faults("wechat", duplicate_notifications=1.0)
    try:
        patient, doctor = await world.a_patient(), await world.doctor()
        visit = await patient.sees_doctor(await patient.free_slot(doctor=doctor.id))
    finally:
        await world.faults("wechat")

    events = await world.reported(visit["appointment_id"], doctor)
    assert events.count("payment.confirmed") == events.count("appointment.booked") == 1


async def test_a_hold_that_nobody_pays_goes_back_to_the_pool(world: World) -> None:
    patient, doctor = await world.a_patient(), await world.doctor()
    slot = (await patient.times(doctor=doctor.id))[-1]  # still to come when the hold runs out
    held = await patient.books(slot, await patient.asks())
    await world.moves_on(minutes=11)

    async def given_back() -> bool:
        return bool((await patient.appointment(held["id"]))["state"] == "cancelled")

    await world.until(given_back, "the end of the hold")
    found = await patient.api.call("GET", f"/slots?practitioner={doctor.id}")
    assert next(one for one in found if one["id"] == slot["id"])["remaining"] == slot["remaining"]
    with pytest.raises(Refused) as refused:
        await patient.api.call("POST", f"/payments/{held['payment_id']}/prepay")
    assert refused.value.status in (409, 410)


async def test_money_that_comes_after_the_hold_goes_back(world: World) -> None:
    """practice.md 17: paid after the hold expired."""
    patient, doctor = await world.a_patient(), await world.doctor()
    held = await booked(patient, doctor.id)
    parameters = await patient.api.call("POST", f"/payments/{held['payment_id']}/prepay")
    await world.faults("wechat", lose_notifications=1.0)
    try:
        await patient.phone.pay(parameters)
        await world.moves_on(minutes=11)
    finally:
        await world.faults("wechat")

    bill = await refunded(world, patient, held["payment_id"])
    assert bill["refunds"][0]["amount"] == bill["amount"]


async def test_a_patient_who_cancels_before_the_start_gets_everything_back(world: World) -> None:
    patient, doctor = await world.a_patient(), await world.doctor()
    slots = await patient.times(doctor=doctor.id)
    held = await patient.books(slots[-1], await patient.asks())
    await patient.pays(held["payment_id"])

    await patient.api.call("POST", f"/appointments/{held['id']}/cancel")

    bill = await refunded(world, patient, held["payment_id"])
    assert bill["refunds"][0]["amount"] == bill["amount"]
    assert (await patient.appointment(held["id"]))["state"] == "cancelled"


async def test_nobody_accepts_in_time_and_everything_goes_back(world: World) -> None:
    """practice.md 7; refuseType 2."""
    patient, doctor = await world.a_patient(), await world.doctor()
    visit = await patient.sees_doctor(await patient.free_slot(doctor=doctor.id))
    held = await patient.appointment(visit["appointment_id"])
    await world.moves_on(minutes=31)

    bill = await refunded(world, patient, held["payment_id"])

    assert bill["refunds"][0]["reason"] == "医生未在规定时间内接诊"
    await doctor.logs_in()
    assert "encounter.declined" in await world.reported(held["id"], doctor)


async def test_the_duty_desk_hears_when_the_doctor_does_not_look(world: World) -> None:
    patient, doctor = await world.a_patient(), await world.doctor()
    desk = await world.staff("duty_desk")
    visit = await patient.sees_doctor(await patient.free_slot(doctor=doctor.id))
    await world.moves_on(minutes=6)

    assert desk.phone is not None
    notice = await desk.phone.message("TPL_DUTY", visit["id"])

    assert visit["id"] in notice["url"]


async def test_a_doctor_who_declines_gives_the_money_back_with_the_reason(world: World) -> None:
    patient, doctor = await world.a_patient(), await world.doctor()
    visit = await patient.sees_doctor(await patient.free_slot(doctor=doctor.id))
    held = await patient.appointment(visit["appointment_id"])

    await doctor.api.call(
        "POST", f"/encounters/{visit['id']}/decline", {"reason": "需要当面查体", "not_a_follow_up": True}
    )

    bill = await refunded(world, patient, held["payment_id"])
    assert bill["refunds"][0]["reason"] == "医生判断不符合复诊条件"


async def test_stop_and_refer_before_advice_gives_the_money_back(world: World) -> None:
    """诊疗办法 Art 16."""
    patient, doctor = await world.a_patient(), await world.doctor()
    visit = await patient.sees_doctor(await patient.free_slot(doctor=doctor.id))
    held = await patient.appointment(visit["appointment_id"])
    await doctor.accepts(visit["id"])

    await doctor.api.call(
        "POST", f"/encounters/{visit['id']}/refer-offline", {"reason": "病情变化，请到医院就诊"}
    )

    await refunded(world, patient, held["payment_id"])
    with pytest.raises(Refused):
        await patient.api.call(
            "POST", f"/encounters/{visit['id']}/messages",
            {"type": "say", "client_id": "too-late-now", "kind": "text", "body": "您好"},
        )  # fmt: skip


async def test_an_abnormal_refund_is_never_shown_as_done(world: World) -> None:
    await world.faults("wechat", refund_outcome="ABNORMAL")
    try:
        patient, doctor = await world.a_patient(), await world.doctor()
        visit = await patient.sees_doctor(await patient.free_slot(doctor=doctor.id))
        held = await patient.appointment(visit["appointment_id"])
        await doctor.api.call("POST", f"/encounters/{visit['id']}/decline", {"reason": "需要当面查体"})

        async def abnormal() -> bool:
            bill = await patient.api.call("GET", f"/payments/{held['payment_id']}")
            return bool(bill["refunds"] and bill["refunds"][0]["state"] == "abnormal")

        await world.until(abnormal, "the abnormal refund")
    finally:
        await world.faults("wechat")

    assert "refund.succeeded" not in await world.reported(held["id"], doctor)


async def test_an_out_of_stock_drug_is_refunded(world: World) -> None:
    patient, doctor, pharmacist = (
        await world.a_patient(code="I10"),
        await world.doctor(),
        await world.pharmacist(),
    )
    visit = await patient.sees_doctor(await patient.free_slot(doctor=doctor.id))
    await doctor.accepts(visit["id"])
    prescription = await doctor.prescribes(visit["id"])
    await world.passes(prescription)
    ordered = await patient.orders(prescription)
    await patient.pays(ordered["payment_id"])

    await pharmacist.api.call("POST", f"/dispenses/{ordered['dispense_id']}/decline", {"reason": "库存不足"})

    bill = await refunded(world, patient, ordered["payment_id"])
    assert bill["refunds"][0]["amount"] == ordered["amount"]
