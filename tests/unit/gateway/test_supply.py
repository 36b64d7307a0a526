"""What the gateway takes for a stock, a price and a lock of the hospital's, and what not."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.unit.gateway import fhir
from tests.unit.gateway.background import Running

Ask = Callable[..., httpx.Response]
DRUG = "urn:internet-hospital:drug"
STOCK = "https://his.nanxiang.example/StructureDefinition/stock"
APPOINTMENT = "0190a000-0000-7000-8000-0000000000aa"
REQUEST = "0190a000-0000-7000-8000-0000000000bb"


def medication(code: str = "YP001", **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Medication", "id": code, "identifier": [{"system": DRUG, "value": code}],
        "meta": {"lastUpdated": "2026-11-22T08:00:00+08:00"}, "status": "active",
        "extension": [{"url": STOCK, "valueInteger": 12}, {"url": "urn:other", "valueString": "x"}],
        "amount": {"numerator": {"value": 1, "unit": "28片/盒"}}, **more,
    }  # fmt: skip


def price(code: str = "YP001", **more: Any) -> dict[str, Any]:
    base = {"type": "base", "amount": {"value": 18.6, "currency": "CNY"}}
    return {
        "resourceType": "ChargeItemDefinition", "id": f"price-{code}", "status": "active", "title": "苯磺酸氨氯地平片 5mg",
        "identifier": [{"system": DRUG, "value": code}], "effectivePeriod": {"start": "2026-01-01"},
        "propertyGroup": [{"priceComponent": [base]}], **more,
    }  # fmt: skip


def amount(value: float, currency: str = "CNY", kind: str = "base") -> dict[str, Any]:
    part = {"type": kind, "amount": {"value": value, "currency": currency}}
    return {"propertyGroup": [{"priceComponent": [part]}]}


def stock(running: Running, ask: Ask, *found: dict[str, Any]) -> httpx.Response:
    running.hospital.on("GET /fhir/Medication", fhir.bundle(*found))
    return ask("stock", purpose="supply", drug_codes=["YP001", "YP003"])


def prices(running: Running, ask: Ask, *found: dict[str, Any]) -> httpx.Response:
    running.hospital.on("GET /fhir/ChargeItemDefinition", fhir.bundle(*found))
    return ask("prices", purpose="supply", codes=["YP001", "YP003"])


def test_stock_is_read_from_the_extension(running: Running, ask: Ask) -> None:
    reply = stock(
        running, ask, medication("YP003"), medication("YP001", extension=[{"url": STOCK, "valueInteger": -3}])
    )

    assert reply.json() == {
        "drugs": [
            {"drug_code": "YP001", "quantity": 0, "unit": "28片/盒", "at": "2026-11-22T00:00:00Z"},
            {"drug_code": "YP003", "quantity": 12, "unit": "28片/盒", "at": "2026-11-22T00:00:00Z"},
        ]
    }


def test_a_drug_that_is_not_counted_or_not_kept_is_not_told(running: Running, ask: Ask) -> None:
    assert stock(running, ask, medication(extension=[]), medication("YP003", status="inactive")).json() == {
        "drugs": []
    }


@pytest.mark.parametrize(
    "found",
    [[medication("YP999")], [medication(), medication()], [medication(meta={})]],
    ids=["not asked for", "twice", "without time"],
)
def test_a_shelf_that_answers_something_else_is_not_believed(
    running: Running, ask: Ask, found: list[dict[str, Any]]
) -> None:
    reply = stock(running, ask, *found)

    assert (reply.status_code, reply.json()["code"]) == (502, "hospital_answer_unusable")


def test_a_price_is_whole_fen_with_its_day(running: Running, ask: Ask) -> None:
    assert prices(running, ask, price()).json() == {
        "prices": [{"code": "YP001", "name": "苯磺酸氨氯地平片 5mg", "amount": 1860, "since": "2026-01-01"}]
    }
    assert prices(running, ask, price(effectivePeriod={})).json()["prices"][0]["since"] is None


@pytest.mark.parametrize(
    "found",
    [
        [price("YP999")], [price(), price()], [price(status="retired")], [price(**amount(1.005))],
        [price(**amount(-1))], [price(**amount(1, "USD"))], [price(**amount(1, kind="discount"))],
    ],
    ids=["not asked for", "two prices", "retired", "half a fen", "below nothing", "dollars", "no base"],
)  # fmt: skip
def test_a_list_that_answers_something_else_is_not_believed(
    running: Running, ask: Ask, found: list[dict[str, Any]]
) -> None:
    reply = prices(running, ask, *found)

    assert (reply.status_code, reply.json()["code"]) == (502, "hospital_answer_unusable")


def lock(ask: Ask) -> httpx.Response:
    return ask(
        "lock-fee", purpose="payment", request_id=REQUEST, patient_id="1", appointment_id=APPOINTMENT, kind="prescription",
        amount=1860, until="2099-01-01T00:00:00Z",
    )  # fmt: skip


def item(**more: Any) -> dict[str, Any]:
    return {
        "resourceType": "ChargeItem", "id": "c1", "status": "planned", "subject": {"reference": "Patient/1"},
        "identifier": [
            {"system": "urn:internet-hospital:request", "value": REQUEST},
            {"system": "urn:internet-hospital:appointment", "value": APPOINTMENT},
        ],
        "code": {"coding": [{"system": "urn:internet-hospital:charge", "code": "prescription"}]},
        "occurrencePeriod": {"start": "2026-11-22T08:00:00+08:00", "end": "2099-01-01T08:00:00+08:00"}, **more,
    }  # fmt: skip


def locking(running: Running, made: dict[str, Any], stands: dict[str, Any]) -> None:
    running.hospital.on("GET /fhir/Patient/1", fhir.patient())
    running.hospital.on("GET /fhir/Patient", fhir.bundle(fhir.patient()))
    running.hospital.on("GET /fhir/ChargeItem", fhir.bundle())
    running.hospital.on("POST /fhir/ChargeItem", made, status=201)
    running.hospital.on("GET /fhir/ChargeItem/c1", stands)


def test_a_lock_is_what_the_hospital_holds_not_what_was_asked(running: Running, ask: Ask) -> None:
    shorter = {"occurrencePeriod": {"start": "2026-11-22T08:00:00+08:00", "end": "2098-01-01T08:00:00+08:00"}}
    locking(running, item(), item(**shorter))

    assert lock(ask).json() == {"reference": "ChargeItem/c1", "until": "2098-01-01T00:00:00Z", "held": True}


@pytest.mark.parametrize(
    "over",
    [{"status": "aborted"}, {"status": "billed"}, {"occurrencePeriod": {"end": "2020-01-01T08:00:00+08:00"}}],
)
def test_a_lock_that_is_over_says_so(running: Running, ask: Ask, over: dict[str, Any]) -> None:
    locking(running, item(), item(**over))

    reply = lock(ask)

    assert (reply.status_code, reply.json()["held"]) == (200, False), reply.text


def test_a_lock_about_somebody_else_or_without_end_is_not_believed(running: Running, ask: Ask) -> None:
    locking(running, item(), item(subject={"reference": "Patient/2"}))
    assert lock(ask).json()["code"] == "wrong_subject"

    locking(running, item(), item(occurrencePeriod={}))
    assert lock(ask).json()["code"] == "hospital_answer_unusable"
