"""What the gateway takes for a charge of ours, and what not."""

from collections.abc import Callable
from itertools import count
from typing import Any

import httpx
import pytest
from aiohttp import web

from tests.unit.gateway import fhir
from tests.unit.gateway.background import Running, Seen

Ask = Callable[..., httpx.Response]
TRADE = {"system": "urn:internet-hospital:trade", "value": "4200001"}


def invoice(id: str = "i1", **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Invoice",
        "id": id,
        "identifier": [TRADE],
        "status": "balanced",
        "type": {"coding": [{"system": "urn:internet-hospital:charge", "code": "registration"}]},
        "subject": {"reference": "Patient/1"},
        "date": "2026-11-20T09:10:00+08:00",
        "totalGross": {"value": 30.5, "currency": "CNY"},
        **more,
    }


def charges(ask: Ask) -> httpx.Response:
    return ask(
        "charges", purpose="payment", since="2026-11-20T00:00:00+08:00", until="2026-11-21T00:00:00+08:00"
    )


@pytest.fixture
def hospital(running: Running) -> Running:
    running.hospital.on("GET /fhir/Invoice", fhir.bundle(invoice()))
    return running


def test_a_charge_is_whole_fen_under_the_providers_number(hospital: Running, ask: Ask) -> None:
    assert charges(ask).json() == {
        "complete": True,
        "charges": [
            {"reference": "Invoice/i1", "kind": "registration", "number": "4200001", "amount": 3050,
             "at": "2026-11-20T01:10:00Z"}
        ],
    }  # fmt: skip


def test_the_hospitals_own_and_void_invoices_are_left_out(hospital: Running, ask: Ask) -> None:
    own = invoice("i2", identifier=[{"system": "urn:hospital", "value": "1"}], totalGross={})
    void = invoice("i3", status="cancelled")
    other_day = invoice("i4", date="2026-11-21T00:00:00+08:00")
    hospital.hospital.on("GET /fhir/Invoice", fhir.bundle(own, void, other_day))

    assert charges(ask).json() == {"charges": [], "complete": True}


@pytest.mark.parametrize(
    "wrong",
    [
        {"totalGross": {"value": 30.505, "currency": "CNY"}},
        {"totalGross": {"value": -1, "currency": "CNY"}},
        {"totalGross": {"value": 1, "currency": "USD"}},
        {"totalGross": {}},
        {"date": ""},
        {"date": "2026-11-20"},
    ],
)
def test_one_of_ours_that_cannot_be_counted_stops_everything(
    hospital: Running, ask: Ask, wrong: dict[str, Any]
) -> None:
    hospital.hospital.on("GET /fhir/Invoice", fhir.bundle(invoice(**wrong)))

    reply = charges(ask)

    assert (reply.status_code, reply.json()["code"]) == (502, "hospital_answer_unusable")


def test_more_than_fit_are_not_half_told(running: Running, ask: Ask) -> None:
    numbers = count()

    def endless(seen: Seen) -> web.Response:
        number = next(numbers)
        return web.json_response(
            fhir.bundle(invoice(f"i{number}"), next_url=f"http://his/fhir/Invoice?page={number}")
        )

    running.hospital.answers["GET /fhir/Invoice"] = endless

    assert charges(ask).json() == {"charges": [], "complete": False}
