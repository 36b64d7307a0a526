"""The hospital's own schedule through the gateway, before a hospital of ours and one that nobody here wrote."""

from datetime import timedelta

import msgspec

from contracts import his
from foundation.clock import Clock
from tests.contract.hospitals import Gateway


def slots_of(gateway: Gateway, department: str = "0310", doctor: str = "") -> list[his.HospitalSlot]:
    today = Clock().today()
    body = {
        "purpose": "schedule", "department_code": department, "practitioner_code": doctor, "first": f"{today}",
        "last": f"{today + timedelta(days=7)}",
    }  # fmt: skip
    reply = gateway.worker.post("/his/v1/slots", json=body)
    assert reply.status_code == 200, reply.text
    return msgspec.json.decode(reply.content, type=his.SlotsReply).slots


def test_a_departments_week_has_free_and_busy_places_of_its_doctors(gateway: Gateway) -> None:
    found = slots_of(gateway)

    if gateway.hospital.name == "sekmet":
        assert found == []  # as it comes, it has no schedules; the question itself is understood
        return
    assert {one.department_code for one in found} == {"0310"}
    assert {one.status for one in found} == {"free", "busy"}
    assert all(one.starts_at < one.ends_at for one in found)
    assert found == sorted(found, key=lambda one: (one.starts_at, one.slot_id))
    doctor = found[0].practitioner_code
    assert slots_of(gateway, doctor=doctor) == [one for one in found if one.practitioner_code == doctor]


def test_a_department_without_schedules_has_no_slots(gateway: Gateway) -> None:
    assert slots_of(gateway, "9999") == []
