"""Who gets through the door, with what, how often; and what is written down of it."""

import asyncio
import copy
import json
import tomllib
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from aiohttp import web

from front_gateway.policy.reading import DEFAULT, Policy, parse_policy
from tests.unit.gateway import fhir
from tests.unit.gateway.background import Running, Seen

Ask = Callable[..., httpx.Response]
Caller = Callable[[str], httpx.Client]
SHIPPED = tomllib.loads(DEFAULT.read_text(encoding="utf-8"))


@pytest.fixture
def policy() -> Policy:
    """The shipped one, with a narrow line for the history and an adapter that should come from elsewhere."""
    raw: dict[str, Any] = copy.deepcopy(SHIPPED)
    for entry in raw["entry"]:
        if entry["name"] == "history":
            entry.update(per_second=0.1, burst=2, at_once=1, seconds=0.5)
    raw["callers"]["adapter"]["addresses"] = ["10.9.0.0/16"]
    return parse_policy(raw)


def find(ask: Ask, **more: Any) -> httpx.Response:
    return ask(
        "find-patient", **{"purpose": "eligibility", "id_number": fhir.NUMBER, "name": fhir.NAME, **more}
    )


def history(ask: Ask) -> httpx.Response:
    return ask("history", purpose="treatment", patient_id="1", since="2026-11-01")


def test_a_listed_call_passes_and_is_written_down(running: Running, ask: Ask) -> None:
    running.hospital.on("GET /fhir/Patient", fhir.bundle(fhir.patient()))

    reply = find(ask)

    [line] = running.audit()
    assert reply.status_code == 200
    assert line["caller"] == "backend-api"
    assert (line["entry"], line["purpose"], line["status"]) == ("find-patient", "eligibility", 200)
    assert line["request_id"] == reply.headers["x-request-id"]
    assert len(line["subject"]) == 64


def test_the_audit_holds_nothing_about_the_person(running: Running, ask: Ask) -> None:
    running.hospital.on("GET /fhir/Patient", fhir.bundle(fhir.patient()))

    find(ask)
    find(ask, name="李四", id_number="310114199001019999")
    find(ask, extra=fhir.NUMBER)

    written = json.dumps(running.audit(), ensure_ascii=False)
    for secret in (fhir.NUMBER, fhir.NAME, "李四", "310114199001019999", "1958"):
        assert secret not in written


def test_a_process_of_our_root_that_the_list_does_not_name_is_refused(
    running: Running, caller: Caller
) -> None:
    reply = caller("backend-media").post("/his/v1/find-patient", json={})

    assert (reply.status_code, reply.json()["code"]) == (403, "not_listed")
    assert reply.json()["request_id"] == reply.headers["x-request-id"] == running.audit()[-1]["request_id"]
    assert running.audit()[-1]["reason"] == "unknown caller"
    assert running.hospital.seen == []


def test_a_caller_from_an_address_not_its_own_is_refused(running: Running, caller: Caller) -> None:
    reply = caller("adapter").post("/openapi/api", content=b"x")

    assert (reply.status_code, reply.json()["code"]) == (403, "not_listed")
    assert running.city.seen == []


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/his/v1/find-patient"), ("POST", "/his/v1/unknown"), ("POST", "/his/v1/"), ("POST", "/"),
     ("POST", "/openapi/api"), ("DELETE", "/his/v1/find-patient"), ("POST", "/his/v1/write-record"), ("OPTIONS", "/")],
)  # fmt: skip
def test_what_no_line_names_is_refused_in_the_same_words(
    running: Running, caller: Caller, method: str, path: str
) -> None:
    reply = caller("backend-api").request(method, path)

    assert (reply.status_code, reply.json()["code"]) == (403, "not_listed")
    assert reply.json()["detail"] == "此调用未列入白名单，已拒绝并记录"
    assert running.audit()[-1]["code"] == "not_listed"
    assert running.hospital.seen == running.city.seen == []


def test_a_purpose_that_the_line_does_not_allow_is_refused(running: Running, ask: Ask) -> None:
    reply = find(ask, purpose="payment")

    assert (reply.status_code, reply.json()["code"]) == (403, "not_listed")
    assert running.hospital.seen == []


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [(b"", 422, "invalid"), (b"[]", 422, "invalid"), (b"{", 400, "malformed_json"), (b"\xff", 400, "malformed_json"),
     (b'{"purpose":"fun"}', 422, "invalid"), (b"{" + b" " * 3_000 + b"}", 413, "too_large")],
)  # fmt: skip
def test_a_bad_body_is_refused_with_its_reason(
    running: Running, caller: Caller, body: bytes, status: int, code: str
) -> None:
    reply = caller("backend-api").post("/his/v1/find-patient", content=body)

    assert (reply.status_code, reply.json()["code"]) == (status, code)
    assert running.hospital.seen == []


def test_more_calls_than_the_line_allows_are_told_to_wait(running: Running, ask: Ask) -> None:
    running.hospital.on("GET /fhir/Patient/1", b"{}", status=404)

    assert [history(ask).status_code for _ in range(3)] == [404, 404, 429]
    assert int(history(ask).headers["retry-after"]) >= 1


def test_a_hospital_that_takes_too_long_is_a_timeout(running: Running, ask: Ask) -> None:
    async def slow(_: Seen) -> web.Response:
        await asyncio.sleep(10)
        return web.Response()

    running.hospital.answers["GET /fhir/Patient/1"] = slow

    reply = history(ask)
    assert (reply.status_code, reply.json()["code"]) == (504, "hospital_timeout")


def test_a_hospital_that_is_down_is_said_at_once_and_then_not_asked(running: Running, ask: Ask) -> None:
    running.hospital.on("*", b"", status=503)

    codes = [find(ask).json()["code"] for _ in range(5)]

    assert codes == ["hospital_unreachable"] * 5
    assert len(running.hospital.seen) == 3
    assert running.audit()[-1]["reason"] == "breaker open"
    assert int(find(ask).headers["retry-after"]) > 1


def test_an_answer_that_cannot_be_written_down_stays_inside(running: Running, ask: Ask) -> None:
    running.hospital.on("GET /fhir/Patient", fhir.bundle(fhir.patient()))
    find(ask)
    running.door._audit.close_file()  # the disk is gone

    reply = find(ask)

    assert (reply.status_code, reply.json()["code"]) == (503, "audit_unavailable")
    assert fhir.NAME not in reply.text


def test_another_whitelist_counts_from_the_next_call_on(running: Running, ask: Ask) -> None:
    running.hospital.on("GET /fhir/Patient", fhir.bundle(fhir.patient()))
    assert find(ask).status_code == 200
    raw: dict[str, Any] = copy.deepcopy(SHIPPED)
    raw["entry"] = [one for one in raw["entry"] if one["name"] != "find-patient"]

    running.door.replace_policy(parse_policy(raw))

    assert find(ask).status_code == 403


def test_a_request_id_travels_along_when_it_is_a_harmless_one(running: Running, caller: Caller) -> None:
    client = caller("backend-api")

    kept = client.post("/his/v1/x", headers={"x-request-id": "journey-0001"})
    replaced = client.post("/his/v1/x", headers={"x-request-id": "{drop}"})

    assert kept.headers["x-request-id"] == "journey-0001"
    assert replaced.headers["x-request-id"] != "{drop}"
