"""Our CDS Hooks 2.0 service as a caller meets it: discovery, the two hooks, feedback, and who is not let in."""

import dataclasses
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import jsonschema_rs
import pytest
from sqlalchemy import select

from backend.cds_hooks.model import CdsFeedback
from backend.context import Context
from foundation.db.unit_of_work import unit_of_work
from tests.backend_context import client_of
from tests.contract.cds_callers import Caller
from tests.contract.written import sample

pytestmark = pytest.mark.anyio

BASE = "https://review.example"
SIGN, SELECT = "/cds-services/prescription-review-sign", "/cds-services/prescription-review-select"
CARDS = jsonschema_rs.validator_for(sample("cds_hooks/answer.schema.json"))
ICD = "http://hl7.org/fhir/sid/icd-10"


@pytest.fixture
def caller() -> Caller:
    return Caller()


@pytest.fixture
async def cds(running: Context, caller: Caller, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """The application, to which `caller` is known."""
    file = caller.named_in(tmp_path / "callers.json")
    running.settings = dataclasses.replace(running.settings, cds_url=BASE, cds_clients=file)
    async with client_of(running) as client:
        client.base_url = httpx.URL("http://test")
        yield client


def order(code: str, **changes: Any) -> dict[str, Any]:
    """A draft of one drug, once a day for a week."""
    return {
        "resourceType": "MedicationRequest", "id": f"o-{code}", "status": "draft", "intent": "order",
        "medicationCodeableConcept": {"coding": [{"system": "urn:internet-hospital:drug", "code": code}]},
        "dosageInstruction": [{
            "timing": {"code": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-GTSAbbreviation", "code": "QD"}]}},
            "route": {"coding": [{"system": "urn:internet-hospital:route", "code": "1"}]},
            "doseAndRate": [{"doseQuantity": {"value": 5, "unit": "mg"}}],
        }],
        "dispenseRequest": {"quantity": {"value": 1}, "expectedSupplyDuration": {"value": 7, "unit": "d"}}, **changes,
    }  # fmt: skip


def bundle(*resources: dict[str, Any]) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": one} for one in resources]}


def asked(
    *orders: dict[str, Any], hook: str = "order-sign", leave: str = "", **prefetch: Any
) -> dict[str, Any]:
    """A whole request; `leave` names what of the prefetch is left out."""
    given = {
        "patient": {"resourceType": "Patient", "id": "p", "gender": "male", "birthDate": "1960-05-01"},
        "conditions": bundle({"resourceType": "Condition", "code": {"coding": [{"system": ICD, "code": "I10.x00"}]}}),
        "allergies": bundle(), "observations": bundle(), "medications": bundle(), **prefetch,
    }  # fmt: skip
    given.pop(leave, None)
    context = {"userId": "Practitioner/d", "patientId": "p", "draftOrders": bundle(*orders)}
    return {"hook": hook, "hookInstance": str(uuid4()), "context": context, "prefetch": given}


async def post(
    cds: httpx.AsyncClient, caller: Caller, context: Context, body: Any, path: str = SIGN, **claims: Any
) -> httpx.Response:
    token = caller.token(f"{BASE}{path}", context.clock.now(), **claims)
    return await cds.post(path, json=body, headers={"authorization": f"Bearer {token}"})


def rules(answer: httpx.Response) -> dict[str, str]:
    """Rule and gravity of each card; the gravest comes first and stands."""
    said = [card["extension"]["cn.nanxiang.review"] for card in answer.json()["cards"]]
    return {one["rule"]: one["severity"] for one in reversed(said)}


async def test_discovery_names_both_hooks_and_what_they_need(cds: httpx.AsyncClient) -> None:
    services = (await cds.get("/cds-services")).json()["services"]

    assert [one["hook"] for one in services] == ["order-select", "order-sign"]
    for one in services:
        assert one["id"]
        assert one["description"]
        assert set(one["prefetch"]) == {"patient", "conditions", "allergies", "observations", "medications"}


async def test_a_right_draft_has_no_cards(cds: httpx.AsyncClient, caller: Caller, running: Context) -> None:
    answer = await post(cds, caller, running, asked(order("YP001")))

    assert answer.status_code == 200
    assert answer.json() == {"cards": []}


async def test_cards_are_as_the_specification_wants_them(
    cds: httpx.AsyncClient, caller: Caller, running: Context
) -> None:
    nitrate = bundle({**order("YP017"), "status": "active", "authoredOn": "2026-11-20"})
    allergy = {"resourceType": "AllergyIntolerance", "code": {"coding": [{"system": "urn:internet-hospital:allergy-group", "code": "penicillin"}]}}  # fmt: skip
    drafts = [order("YP001"), order("YP080"), order(await code_of(running, "枸橼酸西地那非片"))]
    body = asked(*drafts, medications=nitrate, allergies=bundle(allergy))

    answer = await post(cds, caller, running, body)

    assert [str(error) for error in CARDS.iter_errors(answer.json())] == []
    found = rules(answer)
    assert found["fit.interaction_taking"] == "block"
    assert found["fit.allergy"] == "block"
    assert found["fit.indication"] == "needs-reason"
    for card in answer.json()["cards"]:
        said = card["extension"]["cn.nanxiang.review"]
        assert (
            card["indicator"]
            == {"block": "critical", "needs-reason": "warning", "info": "info"}[said["severity"]]
        )
        assert bool(card["overrideReasons"]) is (said["severity"] == "needs-reason")
        assert "suggestions" not in card


async def code_of(context: Context, name: str) -> str:
    from backend.formulary.queries import search

    async with unit_of_work(context.db) as session:
        return (await search(session, name))[0].code


async def test_the_same_call_gives_the_same_cards(
    cds: httpx.AsyncClient, caller: Caller, running: Context
) -> None:
    body = asked(order("YP090"))

    one, other = (await post(cds, caller, running, body), await post(cds, caller, running, body))

    assert one.json()["cards"]
    assert one.json() == other.json()


async def test_while_drugs_are_chosen_only_the_chosen_one_is_spoken_of(
    cds: httpx.AsyncClient, caller: Caller, running: Context
) -> None:
    body = asked(order("YP090"), order("YP105"), hook="order-select")
    body["context"]["selections"] = ["MedicationRequest/o-YP105"]

    found = rules(await post(cds, caller, running, body, SELECT))

    assert "legal.controlled" in found
    assert "fit.indication" in found
    assert {card["extension"]["cn.nanxiang.review"]["line"] for card in (await post(cds, caller, running, body, SELECT)).json()["cards"]} <= {1, None}  # fmt: skip


@pytest.mark.parametrize(
    ("code", "value", "rule"),
    [
        ("98979-8", 20, "fit.renal_avoid"),
        ("98979-8", 90, None),
        ("33914-3", 20, "fit.renal_avoid"),
        ("2160-0", 20, None),
    ],
)
async def test_the_kidney_is_read_from_observations(
    cds: httpx.AsyncClient, caller: Caller, running: Context, code: str, value: int, rule: str | None
) -> None:
    seen = {"resourceType": "Observation", "status": "final", "code": {"coding": [{"system": "http://loinc.org", "code": code}]}, "valueQuantity": {"value": value}}  # fmt: skip

    found = rules(await post(cds, caller, running, asked(order("YP022"), observations=bundle(seen))))

    assert ("fit.renal_avoid" in found) is (rule is not None)


@pytest.mark.parametrize("name", ["patient", "conditions"])
async def test_without_the_data_there_is_no_judgement(
    cds: httpx.AsyncClient, caller: Caller, running: Context, name: str
) -> None:
    answer = await post(cds, caller, running, asked(order("YP001"), leave=name))

    assert (answer.status_code, answer.json()["code"]) == (412, "prefetch_missing")
    assert [one["field"] for one in answer.json()["issues"]] == [f"prefetch.{name}"]


async def test_missing_allergies_are_unknown_and_not_none(
    cds: httpx.AsyncClient, caller: Caller, running: Context
) -> None:
    found = rules(await post(cds, caller, running, asked(order("YP001"), leave="allergies")))

    assert found == {"fit.allergy_unknown": "needs-reason"}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"hook": "order-select"}, "hook"), ({"hookInstance": "x"}, "hookInstance"), ({"context": {}}, "context.userId"),
        ({"prefetch": {"patient": []}}, "prefetch.patient"),
    ],
)  # fmt: skip
async def test_a_wrong_request_is_told_which_field(
    cds: httpx.AsyncClient, caller: Caller, running: Context, change: dict[str, Any], field: str
) -> None:
    answer = await post(cds, caller, running, {**asked(order("YP001")), **change})

    assert answer.status_code == 422
    assert [one["field"] for one in answer.json()["issues"]] == [field]


@pytest.mark.parametrize(
    "spoiled",
    [
        {"aud": f"{BASE}{SELECT}"}, {"iss": "https://somebody.example"}, {"jti": None}, {"exp": None}, {"iat": None},
        {"exp": 0}, {"jti": "short"},
    ],
    ids=str,
)  # fmt: skip
async def test_a_spoiled_token_is_refused(
    cds: httpx.AsyncClient, caller: Caller, running: Context, spoiled: dict[str, Any]
) -> None:
    answer = await post(cds, caller, running, asked(order("YP001")), **spoiled)

    assert (answer.status_code, answer.json()["code"]) == (401, "bad_token")


async def test_a_token_is_used_once_lives_shortly_and_is_of_a_known_key(
    cds: httpx.AsyncClient, caller: Caller, running: Context
) -> None:
    now = running.clock.now()
    good = caller.token(f"{BASE}{SIGN}", now)
    stranger = Caller().token(f"{BASE}{SIGN}", now)
    long = caller.token(f"{BASE}{SIGN}", now, exp=int((now + timedelta(hours=1)).timestamp()))
    old = caller.token(f"{BASE}{SIGN}", now - timedelta(minutes=10))

    async def status(token: str) -> int:
        headers = {"authorization": f"Bearer {token}"}
        return (await cds.post(SIGN, json=asked(order("YP001")), headers=headers)).status_code

    assert [await status(token) for token in (good, good, stranger, long, old, "", "a.b.c")] == [
        200,
        *[401] * 6,
    ]


async def test_nobody_is_let_in_where_nobody_is_named(running: Context, caller: Caller) -> None:
    """Refuse by default."""
    assert running.settings.cds_clients is None
    async with client_of(running) as client:
        client.base_url = httpx.URL("http://test")
        answer = await post(client, caller, running, asked(order("YP001")))

    assert answer.status_code == 401


async def test_feedback_is_kept_once_and_checked(
    cds: httpx.AsyncClient, caller: Caller, running: Context
) -> None:
    card = str(uuid4())
    told = {
        "card": card, "outcome": "overridden", "outcomeTimestamp": "2026-11-20T09:12:00+08:00",
        "overrideReason": {"reason": {"code": "monitored", "display": "x"}, "userComment": "已监测"},
    }  # fmt: skip
    path = f"{SIGN}/feedback"

    first = await post(cds, caller, running, {"feedback": [told]}, path)
    again = await post(
        cds, caller, running, {"feedback": [{**told, "outcome": "accepted", "overrideReason": None}]}, path
    )
    wrong = await post(cds, caller, running, {"feedback": [{**told, "outcome": "accepted"}]}, path)

    assert (first.status_code, again.status_code, wrong.status_code) == (200, 200, 422)
    async with unit_of_work(running.db) as session:
        (row,) = (await session.scalars(select(CdsFeedback))).all()
    assert (str(row.card), row.outcome, row.reason_code, row.comment) == (
        card,
        "overridden",
        "monitored",
        "已监测",
    )


async def test_an_unknown_service_is_not_found(
    cds: httpx.AsyncClient, caller: Caller, running: Context
) -> None:
    assert (await post(cds, caller, running, asked(order("YP001")), "/cds-services/other")).status_code == 404


def test_the_schema_refuses_a_bad_card() -> None:
    """A schema that lets everything pass would prove nothing."""
    good = {"summary": "x", "indicator": "info", "source": {"label": "x"}}
    assert CARDS.is_valid({"cards": [good]})
    bad: dict[str, Any]
    for bad in ({"indicator": "hard-stop"}, {"summary": "x" * 140}, {"source": {}}, {"severity": "block"}):
        assert not CARDS.is_valid({"cards": [{**good, **bad}]}), json.dumps(bad)
