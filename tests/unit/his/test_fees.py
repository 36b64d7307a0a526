"""The price list, and fees that the window leaves alone while they are paid online."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.unit.his.conftest import Server
from tests.unit.his.resources import WRITER, new_identifier

CHARGE = "urn:internet-hospital:charge"


def lock(appointment: str, minutes: float = 15, **more: Any) -> dict[str, Any]:
    end = datetime.now(UTC) + timedelta(minutes=minutes)
    return {
        "resourceType": "ChargeItem",
        "identifier": [
            new_identifier(),
            {"system": "urn:internet-hospital:appointment", "value": appointment},
        ],
        "status": "planned",
        "code": {"coding": [{"system": CHARGE, "code": "registration"}]},
        "subject": {"reference": f"Patient/{WRITER}"},
        "occurrencePeriod": {"end": end.isoformat(timespec="seconds")},
        **more,
    }


def at_the_window(his: Server, appointment: str) -> str:
    asked = {"patient": WRITER, "appointment": appointment, "kind": "registration", "fen": 5_000}
    answer = his.health.post("/_test/window-charges", json=asked)
    return "" if answer.status_code == 201 else str(answer.json()["code"])


def test_the_price_list_has_every_drug_and_service(his: Server) -> None:
    [drug] = his.find("ChargeItemDefinition", identifier="urn:internet-hospital:drug|YP001", status="active")
    [service] = his.find("ChargeItemDefinition", identifier=f"{CHARGE}|registration")

    assert drug["propertyGroup"][0]["priceComponent"][0]["amount"]["currency"] == "CNY"
    assert service["propertyGroup"][0]["priceComponent"][0]["amount"]["value"] == 50
    assert his.find("ChargeItemDefinition", identifier="urn:internet-hospital:drug|NONE") == []


def test_a_lock_holds_until_its_time_is_over(his: Server) -> None:
    appointment = str(uuid.uuid4())
    assert his.create(lock(appointment)).status_code == 201

    assert at_the_window(his, appointment) == "LOCKED"
    assert his.create(lock(appointment)).status_code == 409
    his.health.post("/_test/clock", json={"offset_seconds": 16 * 60})
    assert at_the_window(his, appointment) == ""
    assert at_the_window(his, appointment) == "CHARGED"
    assert his.create(lock(appointment, 30)).status_code == 409


@pytest.mark.parametrize("minutes", [-1, 121])
def test_a_lock_is_for_two_hours_at_most(his: Server, minutes: float) -> None:
    assert his.create(lock(str(uuid.uuid4()), minutes)).status_code == 422


def test_a_planned_charge_of_the_hospitals_own_is_no_lock(his: Server) -> None:
    own = lock("x")
    own["identifier"] = [new_identifier()]
    del own["occurrencePeriod"]

    assert his.create(own).status_code == 201
