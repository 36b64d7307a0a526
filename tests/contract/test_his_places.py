"""Places of the hospital's own schedule: taken, given back and exchanged, before every hospital.

The foreign hospital stores appointments and leaves its slots alone: what becomes of slots is not asked of it.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.contract.hospitals import Gateway, new_request
from tests.contract.test_his_slots import slots_of
from tests.contract.test_his_write_back import acknowledged, sample

APPOINTMENT = "urn:internet-hospital:appointment"


def a_slot(gateway: Gateway) -> dict[str, Any]:
    """A place nobody has, as the fields of a registration."""
    if gateway.hospital.name != "sekmet":
        one = next(slot for slot in slots_of(gateway) if slot.status == "free")
        return {
            "slot_id": one.slot_id, "starts_at": one.starts_at.isoformat(), "ends_at": one.ends_at.isoformat(),
            "practitioner_code": one.practitioner_code, "department_code": one.department_code,
        }  # fmt: skip
    fhir = gateway.hospital.fhir
    start = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
    end = start + timedelta(minutes=30)
    actor = {"identifier": {"system": "urn:internet-hospital:practitioner", "value": "D01"}}
    schedule = fhir.post("/Schedule", json={"resourceType": "Schedule", "actor": [actor]})
    body = {
        "resourceType": "Slot", "schedule": {"reference": f"Schedule/{schedule.json()['id']}"}, "status": "free",
        "start": start.isoformat(), "end": end.isoformat(),
    }  # fmt: skip
    made = fhir.post("/Slot", json=body)
    assert made.status_code == 201, made.text
    return {"slot_id": made.json()["id"], "starts_at": start.isoformat(), "ends_at": end.isoformat()}


def registered(gateway: Gateway, slot: dict[str, Any]) -> dict[str, Any]:
    body = sample(gateway, "write-registration", **slot)
    acknowledged(gateway.ask("write-registration", **body))
    return body


def cancellation(gateway: Gateway, registration: dict[str, Any], **more: Any) -> dict[str, Any]:
    return sample(
        gateway, "write-cancellation", appointment_id=registration["appointment_id"], slot_id=registration.get("slot_id", ""),
        **more,
    )  # fmt: skip


def move(gateway: Gateway, registration: dict[str, Any], slot: dict[str, Any]) -> dict[str, Any]:
    return sample(gateway, "write-move", appointment_id=registration["appointment_id"], **slot)


def appointments(gateway: Gateway, registration: dict[str, Any]) -> dict[str, str]:
    """Status by slot of what the hospital has for this appointment of ours."""
    found = gateway.hospital.resources(
        "Appointment", identifier=f"{APPOINTMENT}|{registration['appointment_id']}"
    )
    return {one["slot"][0]["reference"].rpartition("/")[2]: one["status"] for one in found}


def visit(gateway: Gateway, registration: dict[str, Any]) -> dict[str, Any]:
    [found] = gateway.hospital.resources(
        "Encounter", identifier=f"{APPOINTMENT}|{registration['appointment_id']}"
    )
    return found


def statuses(gateway: Gateway, *slots: dict[str, Any]) -> list[str]:
    """Of the hospital's slots; the foreign one does not couple them to appointments."""
    if gateway.hospital.name == "sekmet":
        return []
    return [gateway.hospital.slot_status(one["slot_id"]) for one in slots]


def test_a_registered_place_is_busy_at_the_hospital_and_the_visit_names_it(gateway: Gateway) -> None:
    slot = a_slot(gateway)

    body = sample(gateway, "write-registration", **slot)
    done = acknowledged(gateway.ask("write-registration", **body))
    again = acknowledged(gateway.ask("write-registration", **body))

    assert again == done
    assert appointments(gateway, body) == {slot["slot_id"]: "booked"}
    assert statuses(gateway, slot) in ([], ["busy"])
    assert [one["reference"] for one in visit(gateway, body)["appointment"]] == done.also
    assert done.left_out == []


def test_a_cancelled_visit_leaves_neither_place_nor_planned_encounter(gateway: Gateway) -> None:
    slot = a_slot(gateway)
    body = registered(gateway, slot)

    request = cancellation(gateway, body)
    done = acknowledged(gateway.ask("write-cancellation", **request))
    again = acknowledged(gateway.ask("write-cancellation", **request))

    assert (again.reference, again.also) == (done.reference, [])
    assert appointments(gateway, body) == {slot["slot_id"]: "cancelled"}
    assert visit(gateway, body)["status"] == "cancelled"
    assert statuses(gateway, slot) in ([], ["free"])


def test_a_place_given_back_can_be_taken_by_somebody_else_and_stays_hers(gateway: Gateway) -> None:
    slot = a_slot(gateway)
    first = registered(gateway, slot)
    request = cancellation(gateway, first)
    acknowledged(gateway.ask("write-cancellation", **request))

    second = registered(gateway, slot)
    acknowledged(gateway.ask("write-cancellation", **request))

    assert appointments(gateway, second) == {slot["slot_id"]: "booked"}
    assert statuses(gateway, slot) in ([], ["busy"])


def test_a_visit_of_our_own_schedule_is_cancelled_too(gateway: Gateway) -> None:
    body = registered(gateway, {})

    done = acknowledged(gateway.ask("write-cancellation", **cancellation(gateway, body)))

    assert visit(gateway, body)["status"] == "cancelled"
    assert (done.reference, done.also) == (f"Encounter/{visit(gateway, body)['id']}", [])


def test_a_visit_that_took_place_is_not_cancelled(gateway: Gateway) -> None:
    body = registered(gateway, {})
    record = sample(gateway, "write-record", appointment_id=body["appointment_id"])
    acknowledged(gateway.ask("write-record", **record))

    acknowledged(gateway.ask("write-cancellation", **cancellation(gateway, body)))

    assert visit(gateway, body)["status"] == "finished"


def test_a_moved_visit_has_the_new_place_and_no_longer_the_old_one(gateway: Gateway) -> None:
    old = a_slot(gateway)
    body = registered(gateway, old)
    new = a_slot(gateway)

    request = move(gateway, body, new)
    acknowledged(gateway.ask("write-move", **request))
    acknowledged(gateway.ask("write-move", **request))

    assert appointments(gateway, body) == {old["slot_id"]: "cancelled", new["slot_id"]: "booked"}
    assert statuses(gateway, old, new) in ([], ["free", "busy"])
    now = visit(gateway, body)
    begins = datetime.fromisoformat(now["period"]["start"])
    assert begins == datetime.fromisoformat(new["starts_at"])
    assert (now["status"], len(now["appointment"])) == ("planned", 1)


def test_a_visit_moved_to_a_place_of_ours_gives_the_hospitals_back(gateway: Gateway) -> None:
    slot = a_slot(gateway)
    body = registered(gateway, slot)

    acknowledged(gateway.ask("write-move", **move(gateway, body, {})))

    assert appointments(gateway, body) == {slot["slot_id"]: "cancelled"}
    assert statuses(gateway, slot) in ([], ["free"])
    assert "appointment" not in visit(gateway, body)


@pytest.mark.parametrize("operation", ["write-registration", "write-move"])
def test_a_place_somebody_there_has_is_refused_and_nothing_is_written(
    gateway: Gateway, operation: str
) -> None:
    if gateway.hospital.name == "sekmet":
        pytest.skip("it lets two appointments have one slot")
    slot = a_slot(gateway)
    registered(gateway, slot)
    mine = registered(gateway, {}) if operation == "write-move" else {"appointment_id": new_request()}
    body = sample(gateway, operation, **{**slot, "appointment_id": mine["appointment_id"]})

    reply = gateway.ask(operation, **body)

    assert (reply.status_code, reply.json()["code"]) == (422, "place_taken")
    assert appointments(gateway, mine) == {}
    if operation == "write-move":
        assert visit(gateway, mine)["period"]["start"].startswith("2026-11-23T")
    else:
        known = f"{APPOINTMENT}|{mine['appointment_id']}"
        assert gateway.hospital.resources("Encounter", identifier=known) == []


def test_a_move_after_a_refused_registration_registers(gateway: Gateway) -> None:
    mine = {"appointment_id": new_request()}

    done = acknowledged(gateway.ask("write-move", **move(gateway, mine, {})))

    assert f"Encounter/{visit(gateway, mine)['id']}" == done.reference
