"""The screens of the three outcomes: what she reads, where it leads, and what the doctor sees of it before she accepts."""

from typing import Any

import httpx
import pytest

from miniapp_mock.front import cookies
from tests.unit.front.backend import FRONT, PERSON_ID, Backend
from tests.unit.front.browsing import log_in, submit, token_in

pytestmark = pytest.mark.anyio

BOOK = f"/book/{PERSON_ID}"
PAPER = "01a20299-6b59-70b5-a644-2e8871b9add7"
VISIT = "01a20290-1448-722e-bff5-898e2613f4c1"
NOW = "2026-11-23T09:00:00+08:00"


def decision(outcome: str, **more: Any) -> dict[str, Any]:
    return {
        "id": PAPER, "outcome": outcome, "reason": "x", "words": "系统的说明", "rule_version": "2026-2", "evidence_day": None,
        "last_possible_day": None, "decided_at": NOW, "level": "", "papers_may_help": False, "only_department": "",
    } | more  # fmt: skip


def known(code: str, name: str, outcome: str, **more: Any) -> dict[str, Any]:
    return {
        "code": code, "name": name, "day": "2026-11-02", "department": "老年科", "outcome": outcome, "words": "说明",
        "last_possible_day": None, "papers_may_help": False,
    } | more  # fmt: skip


def a_paper() -> dict[str, Any]:
    return {
        "id": PAPER, "kind": "discharge_summary", "kind_label": "出院小结", "dated": "2026-11-10", "size": 1, "at": NOW,
    }  # fmt: skip


@pytest.fixture(autouse=True)
def logged_in(browser: httpx.AsyncClient, backend: Backend) -> None:
    log_in(browser)
    backend.answers["GET /departments"] = [{"code": "0310", "name": "老年科"}]


async def test_what_is_refused_names_the_day_and_both_ways_on(
    browser: httpx.AsyncClient, backend: Backend
) -> None:
    refused = decision("refused", last_possible_day="2026-11-20", papers_may_help=True)
    backend.answers["POST /eligibility"] = (201, refused)

    answer = await submit(
        browser, f"{BOOK}/eligibility", diagnosis_code="K21.000", diagnosis_name="反流性食管炎"
    )

    assert "2026年11月20日" in answer.text
    assert "tel:19900000900" in answer.text
    assert f"{BOOK}/papers?code=K21.000&amp;name=" in answer.text


async def test_where_papers_do_not_help_none_are_asked_for(
    browser: httpx.AsyncClient, backend: Backend
) -> None:
    backend.answers["POST /eligibility"] = (201, decision("refused"))

    answer = await submit(
        browser, f"{BOOK}/eligibility", diagnosis_code="E11.100", diagnosis_name="酮症酸中毒"
    )

    assert "系统的说明" in answer.text
    assert "/papers?" not in answer.text


@pytest.mark.parametrize(("outcome", "travels"), [("eligible", False), ("doctor_decides", True)])
async def test_what_may_be_booked_leads_to_the_doctors(
    browser: httpx.AsyncClient, backend: Backend, outcome: str, travels: bool
) -> None:
    backend.answers["POST /eligibility"] = (201, decision(outcome))

    answer = await submit(browser, f"{BOOK}/eligibility", diagnosis_code="K21.000", department="老年科")

    assert answer.headers["location"].startswith(f"{BOOK}/doctors?decision={PAPER}&department=0310")
    assert ("decides=1" in answer.headers["location"]) == travels


async def test_words_of_the_hospital_without_a_code_are_named_by_her(
    browser: httpx.AsyncClient, backend: Backend
) -> None:
    backend.answers[f"GET /persons/{PERSON_ID}/diagnoses"] = [known("", "老胃病", "doctor_decides")]
    backend.answers["GET /diseases"] = [{"code": "K21.000", "name": "反流性食管炎"}]

    listed = await browser.get(f"{BOOK}/diagnoses")
    on = await submit(browser, f"{BOOK}/eligibility", diagnosis_code="", diagnosis_name="老胃病")
    page = await browser.get(on.headers["location"])
    found = await browser.get(f"{BOOK}/diseases?q=食管")
    nothing = await browser.get(f"{BOOK}/diseases?q=")

    assert "医生判断" in listed.text
    assert "“老胃病”" in page.text
    assert 'value="K21.000"' in found.text
    assert "没有找到" not in nothing.text


async def test_papers_are_shown_sent_and_asked_about(browser: httpx.AsyncClient, backend: Backend) -> None:
    backend.answers[f"GET /persons/{PERSON_ID}/papers"] = [a_paper()]
    backend.answers[f"POST /persons/{PERSON_ID}/papers"] = (201, a_paper())
    backend.answers["POST /eligibility/with-papers"] = (201, decision("doctor_decides"))
    where = f"{BOOK}/papers?code=K21.000&name=反流性食管炎"

    page = await browser.get(where)
    sent = await browser.post(
        f"{BOOK}/papers?kind=discharge_summary&dated=2026-11-10&x=%26y", content=b"\xff\xd8",
        headers={"origin": FRONT, "x-csrf-token": token_in(page.text), "content-type": "image/jpeg"},
    )  # fmt: skip
    asked = await submit(browser, f"{BOOK}/papers/ask?code=K21.000", page=where, diagnosis_code="K21.000")

    assert "出院小结" in page.text
    assert "全额退还" in page.text
    assert sent.json()["id"] == PAPER
    assert backend.last("POST /eligibility/with-papers").json["paper_ids"] == [PAPER]
    assert "decides=1" in asked.headers["location"]


async def test_a_refusal_of_papers_is_said_where_they_are(
    browser: httpx.AsyncClient, backend: Backend
) -> None:
    backend.answers[f"GET /persons/{PERSON_ID}/papers"] = [a_paper()]
    backend.refuses("POST /eligibility/with-papers", 409, "paper_in_use", "材料已经使用，请重新上传")
    where = f"{BOOK}/papers?code=K21.000"

    answer = await submit(browser, f"{BOOK}/papers/ask?code=K21.000", page=where, diagnosis_code="K21.000")

    assert answer.status_code == 409
    assert "材料已经使用，请重新上传" in answer.text


async def test_without_a_disease_there_are_no_papers(browser: httpx.AsyncClient) -> None:
    answer = await browser.get(f"{BOOK}/papers")

    assert answer.headers["location"] == f"{BOOK}/disease"


async def test_the_doctor_sees_why_and_the_papers_before_she_accepts(
    browser: httpx.AsyncClient, backend: Backend
) -> None:
    browser.cookies.set(cookies.DOCTOR, "t", domain="front.test", path="/")
    backend.answers[f"GET /encounters/{VISIT}"] = {
        "id": VISIT, "state": "planned", "state_label": "等待接诊", "appointment_state": "checked-in", "kind": "follow_up",
        "patient_name": "周桂珍", "patient_sex": "female", "patient_age": 68, "department_name": "老年科", "serial_number": 1,
        "mode": "text", "waiting_since": NOW, "acceptance_deadline": None, "starts_at": NOW, "complaint": "", "end_reason": "",
        "original_diagnosis": {"code": "K21.000", "name": "反流性食管炎"}, "original_day": None, "doctor_decides": True,
        "under_six": False, "diagnoses": [], "talk_until": None, "extensions_left": 0,
    }  # fmt: skip
    backend.answers[f"GET /encounters/{VISIT}/basis"] = {
        "decision_id": PAPER, "outcome": "doctor_decides", "reason": "papers", "level": "papers", "rule_version": "2026-2",
        "evidence_day": None, "evidence_code": "", "steps": ["依据患者上传的材料"], "papers": [a_paper()],
    }  # fmt: skip
    backend.answers[f"GET /encounters/{VISIT}/hospital-news"] = {"newest": None}

    page = (await browser.get(f"/doctor/visits/{VISIT}")).text

    assert "依据患者上传的材料" in page
    assert f"/doctor/visits/{VISIT}/papers/{PAPER}" in page
    assert 'name="basis"' in page
