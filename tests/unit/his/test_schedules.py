from datetime import timedelta

from tests.unit.his.conftest import FHIR, Server
from tests.unit.his.resources import appointment


def test_all_31_doctors_have_places_this_week(his: Server) -> None:
    found = his.fhir.get("/Schedule?_count=200").json()

    last = f"{his.today + timedelta(days=7)}"
    actors = {entry["resource"]["actor"][0]["reference"] for entry in found["entry"]}
    assert len(actors) == 31
    assert {entry["resource"]["planningHorizon"]["start"][:10] for entry in found["entry"]} >= {
        last
    } or his.today.weekday() == 6
    schedule = found["entry"][0]["resource"]["id"]
    slots = his.find("Slot", schedule=schedule)
    assert slots
    assert {one["status"] for one in slots} <= {"free", "busy"}
    assert his.find("Slot", schedule=f"Schedule/{schedule}", start=f"ge{last}T23:00") == []


def test_schedules_are_found_by_doctor(his: Server) -> None:
    found = his.find("Schedule", actor="Practitioner/D01")

    assert found
    assert all(one["actor"][0]["reference"] == "Practitioner/D01" for one in found)


def test_new_days_appear_as_time_goes_on(his: Server) -> None:
    later = f"ge{his.today + timedelta(days=8)}"
    assert his.find("Schedule", date=later) == []

    his.health.post("/_test/clock", json={"offset_seconds": 3 * 86_400})

    assert his.find("Schedule", date=later) != []


def test_a_place_is_given_once_and_comes_back_when_cancelled(his: Server) -> None:
    slot = his.find("Slot", status="free", _count="1")[0]["id"]

    first = his.create(appointment(slot))
    second = his.create(appointment(slot, "P0000101"))

    assert (first.status_code, second.status_code) == (201, 409)
    assert his.fhir.get(f"/Slot/{slot}").json()["status"] == "busy"
    made = first.json()
    arrived = his.fhir.put(f"/Appointment/{made['id']}", json={**made, "status": "arrived"}, headers=FHIR)
    assert arrived.status_code == 200
    his.fhir.put(f"/Appointment/{made['id']}", json={**made, "status": "cancelled"}, headers=FHIR)
    assert his.fhir.get(f"/Slot/{slot}").json()["status"] == "free"
    assert his.create(appointment(slot, "P0000101")).status_code == 201
