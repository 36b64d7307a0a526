"""Stock and prices through the gateway, before a hospital of ours and one that nobody here wrote and by SOAP."""

import json
from typing import Any

import httpx
import pytest

from tests.contract.hospitals import WORLD, Gateway

pytestmark = pytest.mark.parametrize("gateway", ["simulator", "sekmet", "soap"], indirect=True)
OURS = ("simulator", "soap")

DRUGS = {one["code"]: one for one in json.loads((WORLD / "drugs.json").read_text(encoding="utf-8"))}
DRUG = "urn:internet-hospital:drug"
STOCK = "https://his.nanxiang.example/StructureDefinition/stock"


def ask(gateway: Gateway, operation: str, **body: Any) -> httpx.Response:
    return gateway.worker.post(f"/his/v1/{operation}", json={"purpose": "supply", **body})


def put_there(gateway: Gateway, resource: dict[str, Any]) -> None:
    """Into the foreign hospital, which comes without a pharmacy; ours has its own."""
    if gateway.hospital.name in OURS:
        return
    kind = resource["resourceType"]
    [rest] = gateway.hospital.fhir.get("/metadata").json()["rest"]
    if kind not in {one["type"] for one in rest["resource"]}:
        pytest.skip(f"{gateway.hospital.name} lists no {kind}")
    made = gateway.hospital.fhir.post(f"/{kind}", json=resource)
    if made.status_code != 201:
        pytest.skip(f"{gateway.hospital.name} has no {kind}: {made.status_code}")


def medication(code: str, packs: int) -> dict[str, Any]:
    return {
        "resourceType": "Medication", "identifier": [{"system": DRUG, "value": code}], "status": "active",
        "extension": [{"url": STOCK, "valueInteger": packs}],
        "amount": {"numerator": {"value": 1, "unit": DRUGS[code]["pack"]}, "denominator": {"value": 1}},
    }  # fmt: skip


def price(code: str) -> dict[str, Any]:
    one = DRUGS[code]
    amount = {"value": one["price_fen"] / 100, "currency": "CNY"}
    return {
        "resourceType": "ChargeItemDefinition", "url": f"urn:test:{code}", "status": "active",
        "identifier": [{"system": DRUG, "value": code}], "title": f"{one['name']} {one['strength']}",
        "propertyGroup": [{"priceComponent": [{"type": "base", "amount": amount}]}],
    }  # fmt: skip


@pytest.fixture(scope="module")
def two() -> list[str]:
    return sorted(DRUGS)[:2]


def test_stock_is_told_in_packs_with_its_time(gateway: Gateway, two: list[str]) -> None:
    for code in two:
        put_there(gateway, medication(code, DRUGS[code]["stock"]))

    reply = ask(gateway, "stock", drug_codes=[*two, "NOSUCH"])

    assert reply.status_code == 200, reply.text
    found = reply.json()["drugs"]
    assert [(one["drug_code"], one["quantity"]) for one in found] == [
        (code, DRUGS[code]["stock"]) for code in two
    ]
    assert [one["unit"] for one in found] == [DRUGS[code]["pack"] for code in two]
    assert all(one["at"] for one in found)


def test_prices_are_whole_fen_of_the_hospitals_own_list(gateway: Gateway, two: list[str]) -> None:
    for code in two:
        put_there(gateway, price(code))

    reply = ask(gateway, "prices", codes=[*two, "NOSUCH"])

    assert reply.status_code == 200, reply.text
    found = reply.json()["prices"]
    assert [(one["code"], one["amount"]) for one in found] == [
        (code, DRUGS[code]["price_fen"]) for code in two
    ]
    assert [one["name"] for one in found] == [
        f"{DRUGS[code]['name']} {DRUGS[code]['strength']}" for code in two
    ]


def test_a_whole_list_is_asked_in_parts(gateway: Gateway) -> None:
    if gateway.hospital.name not in OURS:
        pytest.skip("the foreign hospital has no pharmacy of its own")
    codes = [*sorted(DRUGS), "registration"]
    unknown = [f"NONE{number}" for number in range(100)]
    asked = [*codes[:3], *unknown, *codes[3:]]

    stock = ask(gateway, "stock", drug_codes=asked).json()["drugs"]
    prices = ask(gateway, "prices", codes=asked).json()["prices"]

    assert {one["drug_code"]: one["quantity"] for one in stock} == {
        code: one["stock"] for code, one in DRUGS.items()
    }
    assert [one["code"] for one in prices] == sorted(codes)


def test_the_patients_side_of_the_house_has_no_business_with_it(gateway: Gateway) -> None:
    for purpose in ("treatment", "eligibility"):
        reply = gateway.worker.post("/his/v1/stock", json={"purpose": purpose, "drug_codes": ["YP001"]})
        assert (reply.status_code, reply.json()["code"]) == (403, "not_listed")
    assert (
        gateway.api.post("/his/v1/prices", json={"purpose": "supply", "codes": ["YP001"]}).status_code == 403
    )
    for codes in ([], ["a b"], ["x"] * 201):
        assert ask(gateway, "stock", drug_codes=codes).status_code == 422
