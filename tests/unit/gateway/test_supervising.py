"""From the city's supervisors to the backend: typed, with order and reason, and nobody else's."""

from collections.abc import Callable
from typing import Any

import httpx
import msgspec
import pytest

from tests.unit.gateway.background import Running

Caller = Callable[[str], httpx.Client]
VISIT = "018f2b5e-7a60-7cc1-8a51-3d6a50aa2b10"
LOOK = "018f2b5e-7a60-7cc1-8a51-3d6a50aa2b11"
WHO = {"account": "supervisor", "name": "监管员"}
ASKED = {
    "supervisor": WHO,
    "visit_number": VISIT,
    "authority": "沪卫监〔2026〕12号",
    "reason": "日常监督检查",
}
GRANTED = {"look_in_id": LOOK, "ends_at": "2026-11-22T10:00:00Z", "shown": True}
OPEN = "/supervision/v1/open-look-in"


def test_a_request_reaches_the_backend_with_the_callers_name(running: Running, caller: Caller) -> None:
    running.backend.on(f"POST {OPEN}", GRANTED | {"internal": "secret"})

    reply = caller("supervision").post(OPEN, json=ASKED)

    [seen] = running.backend.seen
    assert (reply.status_code, reply.json()) == (200, GRANTED)
    assert (msgspec.json.decode(seen.body), seen.headers["x-gateway-caller"]) == (ASKED, "supervision")
    assert [line["entry"] for line in running.audit()] == ["supervisor-open-look-in"]


@pytest.mark.parametrize("missing", ["authority", "reason", "supervisor", "visit_number"])
def test_without_order_reason_or_name_nothing_is_asked(
    running: Running, caller: Caller, missing: str
) -> None:
    asked: dict[str, Any] = {name: value for name, value in ASKED.items() if name != missing}

    reply = caller("supervision").post(OPEN, json=asked)

    assert reply.status_code == 422
    assert [issue["field"] for issue in reply.json()["issues"]] == [missing]
    assert running.backend.seen == []


def test_what_the_contract_does_not_know_is_no_request(running: Running, caller: Caller) -> None:
    reply = caller("supervision").post(OPEN, json=ASKED | {"shown": False})

    assert (reply.status_code, running.backend.seen) == (422, [])


@pytest.mark.parametrize("name", ["adapter", "backend-api", "backend-worker"])
def test_nobody_else_speaks_as_a_supervisor(running: Running, caller: Caller, name: str) -> None:
    reply = caller(name).post(OPEN, json=ASKED, headers={"x-gateway-caller": "supervision"})

    assert (reply.status_code, reply.json()["code"]) == (403, "not_listed")
    assert running.backend.seen == []


def test_a_supervisor_does_nothing_else_through_the_gateway(running: Running, caller: Caller) -> None:
    client = caller("supervision")

    for path in ("/his/v1/find-patient", "/shanghai/api", "/supervision/v1/read-everything"):
        assert client.post(path, json=ASKED).json()["code"] == "not_listed"


def test_a_refusal_of_the_backend_comes_back_as_it_is(running: Running, caller: Caller) -> None:
    problem = {
        "title": "没有",
        "status": 409,
        "code": "no_recording_consent",
        "detail": "未同意",
        "request_id": "r",
    }
    running.backend.on(f"POST {OPEN}", problem, status=409, content_type="application/problem+json")

    reply = caller("supervision").post(OPEN, json=ASKED)

    assert (reply.status_code, reply.json()) == (409, problem)
    assert running.audit()[-1]["code"] == "backend_no_recording_consent"


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [(500, {}, "backend_answer_unusable"), (200, {"look_in_id": 1}, "backend_answer_unusable"),
     (404, b"gone", "backend_answer_unusable"), (503, {}, "backend_unreachable")],
)  # fmt: skip
def test_an_answer_that_is_none_is_not_passed_on(
    running: Running, caller: Caller, status: int, body: Any, code: str
) -> None:
    running.backend.on(f"POST {OPEN}", body, status=status)

    assert caller("supervision").post(OPEN, json=ASKED).json()["code"] == code


QUESTION = {
    "supervisor": WHO, "question_id": LOOK, "authority": "沪卫监〔2026〕12号", "title": "六岁以下处方",
    "words": "为何没有监护人在场？", "answer_by": "2026-12-01T10:00:00+08:00",
}  # fmt: skip


def test_a_question_goes_in_and_its_answer_comes_out_without_more(running: Running, caller: Caller) -> None:
    answered = {
        "question_id": LOOK,
        "state": "answered",
        "answer": "已核实",
        "answered_by": "于敏",
        "answered_at": None,
    }
    running.backend.on("POST /supervision/v1/ask-hospital", {"question_id": LOOK, "state": "open"})
    running.backend.on("POST /supervision/v1/read-answer", answered | {"encounter_id": VISIT})

    asked = caller("supervision").post("/supervision/v1/ask-hospital", json=QUESTION)
    read = caller("supervision").post(
        "/supervision/v1/read-answer", json={"supervisor": WHO, "question_id": LOOK}
    )

    assert asked.json() == {"question_id": LOOK, "state": "open"}
    assert read.json() == answered
    assert [line["entry"] for line in running.audit()] == [
        "supervisor-ask-hospital",
        "supervisor-read-answer",
    ]


@pytest.mark.parametrize("missing", ["authority", "words", "question_id"])
def test_a_question_without_order_or_words_goes_no_further(
    running: Running, caller: Caller, missing: str
) -> None:
    asked = {name: value for name, value in QUESTION.items() if name != missing}

    assert caller("supervision").post("/supervision/v1/ask-hospital", json=asked).status_code == 422
    assert running.backend.seen == []
