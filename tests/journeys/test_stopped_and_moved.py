"""A doctor cannot come: patients are told, and have their money or another time."""

from datetime import datetime
from typing import Any

import pytest

from foundation.clock import local
from standalone.journey import Patient, Refused, Staff
from standalone.journey.people import Doctor
from tests.journeys.test_money_and_deadlines import refunded
from tests.world import World, on_duty

NOTICES = ["TPL_CANCELLED", "TPL_MOVED"]


async def paid_for(patient: Patient, slot: dict[str, Any]) -> dict[str, Any]:
    """Booked and paid, with the wish to hear of changes."""
    held = await patient.books(slot, await patient.asks())
    await patient.pays(held["payment_id"])
    await patient.phone.allow(NOTICES)
    return await patient.appointment(held["id"])


def just(slot: dict[str, Any], doctor: Doctor) -> dict[str, str]:
    """The doctor and the hour of this slot, as a desk asks for them."""
    starts, ends = (local(datetime.fromisoformat(slot[name])) for name in ("starts_at", "ends_at"))
    until = f"{ends:%H:%M}" if ends.date() == starts.date() else "24:00"
    return {
        "practitioner_id": doctor.id, "first_day": f"{starts:%Y-%m-%d}", "begins": f"{starts:%H:%M}", "ends": until,
    }  # fmt: skip


async def stops(manager: Staff, where: dict[str, str], **more: Any) -> dict[str, Any]:
    """Looks who is affected, then does it."""
    query = "&".join(f"{name}={value}" for name, value in (where | more).items())
    found = await manager.api.call("GET", f"/schedule-changes/preview?{query}")
    assert [one["name"] for one in found["people"]] != []
    body = {**where, **more, "reason": "医生外出会诊", "expected": len(found["people"])}
    made: dict[str, Any] = await manager.api.call("POST", "/schedule-changes", body)
    return made


async def until_settled(world: World, manager: Staff, change: dict[str, Any], state: str) -> None:
    """Every patient of the change has come to `state`."""

    async def look() -> bool | None:
        found = await manager.api.call("GET", f"/schedule-changes/{change['id']}")
        return found["states"] == {state: change["people"]} or None

    await world.until(look, f"everybody {state}")


async def test_a_stop_tells_every_patient_and_the_providers_receipt_proves_the_refund(world: World) -> None:
    """practice.md 17: the doctor cancelled; practice.md 9: the words on the phone."""
    patient, doctor, manager = (
        await world.a_patient(), await world.doctor(), await world.staff("schedule_manager"),
    )  # fmt: skip
    slot = (await patient.times(doctor=doctor.id))[3]
    held = await paid_for(patient, slot)

    change = await stops(manager, just(slot, doctor))

    notice = await patient.phone.message("TPL_CANCELLED", held["id"])
    assert notice["data"]["thing1"] == "医生停诊"
    bill = await refunded(world, patient, held["payment_id"])
    assert (bill["refunds"][0]["amount"], bill["refunds"][0]["reason"]) == (bill["amount"], "医生停诊")
    assert bill["refunds"][0]["succeeded_at"]
    await until_settled(world, manager, change, "cancelled")
    assert (await patient.appointment(held["id"]))["cancel_reason"] == "doctor_cancelled"
    assert slot["id"] not in [one["id"] for one in await patient.times(doctor=doctor.id)]
    assert (await world.reported(held["id"], doctor))[-2:] == ["appointment.cancelled", "refund.succeeded"]


async def test_a_moved_patient_accepts_and_is_seen_at_the_new_time(world: World) -> None:
    """practice.md 5: booked once, seen at another time, the same fee."""
    patient, doctor, manager = (
        await world.a_patient(), await world.doctor(), await world.staff("schedule_manager"),
    )  # fmt: skip
    times = await patient.times(doctor=doctor.id)
    held = await paid_for(patient, times[3])
    to_day = just(times[1], doctor)["first_day"]

    change = await stops(manager, just(times[3], doctor), to_day=to_day)
    notice = await patient.phone.message("TPL_MOVED", held["id"])
    moved = await patient.appointment(held["id"])

    assert (moved["starts_at"], moved["moved_from"]) == (times[1]["starts_at"], times[3]["starts_at"])
    assert "确认" in notice["data"]["thing3"]
    await patient.api.call("POST", f"/appointments/{held['id']}/move/accept")
    await until_settled(world, manager, change, "accepted")
    await world.moves_on(minutes=45)
    visit = await patient.waits(held["id"])
    await on_duty(doctor)
    await doctor.accepts(visit["id"])
    events = await world.reported(held["id"], doctor)
    assert events == ["payment.confirmed", "appointment.booked", "appointment.moved", "encounter.started"]
    bill = await patient.api.call("GET", f"/payments/{held['payment_id']}")
    assert (bill["state"], bill["refunds"]) == ("confirmed", [])


async def test_a_moved_patient_who_prefers_the_money_gets_all_of_it(world: World) -> None:
    patient, doctor, manager = (
        await world.a_patient(), await world.doctor(), await world.staff("schedule_manager"),
    )  # fmt: skip
    times = await patient.times(doctor=doctor.id)
    held = await paid_for(patient, times[3])
    await stops(manager, just(times[3], doctor), to_day=just(times[1], doctor)["first_day"])
    await patient.phone.message("TPL_MOVED", held["id"])

    answer = await patient.api.call("POST", f"/appointments/{held['id']}/move/refuse")

    assert answer["state"] == "refused"
    bill = await refunded(world, patient, held["payment_id"])
    assert bill["refunds"][0]["amount"] == bill["amount"]
    with pytest.raises(Refused) as refused:
        await patient.api.call("POST", f"/appointments/{held['id']}/move/accept")
    assert refused.value.status == 409


async def test_a_doctor_cannot_open_a_session_where_she_is_not_filed(world: World) -> None:
    """NX22; 诊疗办法 Art 14: the refusal names the field."""
    manager, doctor = await world.staff("schedule_manager"), await world.doctor("0310")
    body = {
        "practitioner_id": doctor.id, "department_code": "0700", "weekday": 1, "begins": "08:00", "ends": "12:00",
        "segment": 30, "capacity": 3, "valid_from": f"{world.clock.today()}",
    }  # fmt: skip

    with pytest.raises(Refused) as refused:
        await manager.api.call("POST", "/timetable/sessions", body)

    assert (refused.value.status, refused.value.code) == (403, "not_licensed")
    assert refused.value.fields == ["department_code"]


async def test_only_schedule_managers_touch_the_timetable(world: World) -> None:
    clerk = await world.staff("clerk")

    for method, path in (
        ("GET", "/timetable/sessions"),
        ("GET", "/schedule-changes"),
        ("GET", "/timetable/sources"),
    ):
        with pytest.raises(Refused) as refused:
            await clerk.api.call(method, path)
        assert refused.value.status == 403
