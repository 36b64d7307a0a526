"""The doctor's prescription editor as the front makes it from the API's answers."""

import re
from typing import Any

import httpx
import pytest

from miniapp_mock.front import cookies
from tests.unit.front.backend import FRONT, Backend
from tests.unit.front.browsing import TOKEN, token_in

pytestmark = pytest.mark.anyio
VISIT = "01a20290-1448-722e-bff5-898e2613f4c1"
PAGE = f"/doctor/visits/{VISIT}/prescriptions/new"
OTHERS = ["egfr", "liver", "weight_kg", "taking", "skin_tests"]


def offers(backend: Backend, *asks: str, **more: Any) -> None:
    """A running visit, and what may be asked in it."""
    backend.answers[f"GET /encounters/{VISIT}"] = {
        "id": VISIT, "state": "in-progress", "patient_name": "周桂珍", "patient_sex": "female", "patient_age": 30,
        "diagnoses": [{"code": "I10.x00", "name": "高血压"}],
    }  # fmt: skip
    offered = {
        "frequencies": [
            {"code": "qd", "name": "每日一次", "times": 1, "per_days": 1, "once": False},
            {"code": "q5h", "name": "每 5 小时一次", "times": 24, "per_days": 5, "once": False},
        ],
        "routes": [{"code": "1", "name": "口服"}],
        "asks": [*asks, *OTHERS], "livers": [{"code": "unknown", "name": "未注明"}, {"code": "B", "name": "Child-Pugh B 级"}],
        "test_groups": [{"code": "penicillin", "name": "青霉素类"}], "before": None,
    }  # fmt: skip
    backend.answers[f"GET /encounters/{VISIT}/prescribing"] = offered | more


@pytest.fixture
async def doctor(browser: httpx.AsyncClient) -> httpx.AsyncClient:
    browser.cookies.set(cookies.DOCTOR, TOKEN, domain="front.test", path="/")
    return browser


async def test_only_what_fits_the_person_is_asked(backend: Backend, doctor: httpx.AsyncClient) -> None:
    offers(backend, "pregnancy", "lactation")
    hers = (await doctor.get(PAGE)).text
    offers(backend)
    his = (await doctor.get(PAGE)).text

    assert 'name="pregnancy"' in hers
    assert 'name="lactation"' in hers
    assert 'name="pregnancy"' not in his
    assert 'name="lactation"' not in his
    for name in ("egfr", "liver", "weight_kg", "test-penicillin"):
        assert f'name="{name}"' in his


async def test_what_was_stated_before_comes_with_who_and_when(
    backend: Backend, doctor: httpx.AsyncClient
) -> None:
    before = {
        "stated": {"egfr": 45, "taking": ["YP001"]}, "taking": [{"code": "YP001", "name": "苯磺酸氨氯地平片"}],
        "prescriber": "李明", "stated_at": "2026-11-20T06:05:00Z",
    }  # fmt: skip
    offers(backend, before=before)

    page = (await doctor.get(PAGE)).text

    assert "另一张处方，请核对：李明" in page
    assert "14:05 填写" in page
    assert "&#34;egfr&#34;:45" in page.replace(" ", "")


async def test_a_refused_fact_is_named_by_its_field(backend: Backend, doctor: httpx.AsyncClient) -> None:
    offers(backend)
    fields = {"patient.egfr": "不能大于 250", "items.0.dose": "格式不正确"}
    backend.refuses(f"POST /encounters/{VISIT}/prescriptions/check", 422, "invalid", "有误", **fields)
    token = token_in((await doctor.get(PAGE)).text)

    answer = await doctor.post(
        f"/doctor/encounters/{VISIT}/prescriptions/check", json={"items": []},
        headers={"x-csrf-token": token, "origin": FRONT, "accept": "application/json"},
    )  # fmt: skip

    assert answer.status_code == 422
    assert answer.json()["fields"] == fields
    assert answer.json()["detail"] == "肾小球滤过率：不能大于 250；第 1 行：格式不正确"


async def test_the_editor_offers_the_frequencies_the_api_names_and_no_others(
    backend: Backend, doctor: httpx.AsyncClient
) -> None:
    offers(backend)

    page = (await doctor.get(PAGE)).text

    found = re.search(r'<select[^>]*name="frequency">(.*?)</select>', page)
    assert found
    assert re.findall(r'value="(\w+)"', found[1]) == ["qd", "q5h"]


def drug(code: str) -> dict[str, Any]:
    return {"code": code, "generic_name": "甲", "pack_unit": "盒"}


async def test_what_is_out_is_marked_with_the_time_of_the_reading(
    backend: Backend, doctor: httpx.AsyncClient
) -> None:
    backend.answers["GET /drugs"] = [drug("A"), drug("B"), drug("C"), drug("D")]
    at = "2020-11-22T06:05:00Z"
    backend.answers["GET /drugs/availability"] = [
        {
            "drug_code": "A",
            "free": None,
            "hospital": {"quantity": 0, "unit": "", "at": "2019-01-01T00:00:00Z", "read_at": at},
            "out": True,
        },
        {
            "drug_code": "B",
            "free": 3,
            "hospital": {"quantity": 40, "unit": "", "at": "2019-01-01T00:00:00Z", "read_at": at},
            "out": False,
        },
        {"drug_code": "C", "free": 0, "hospital": None, "out": True},
        {"drug_code": "D", "free": None, "hospital": None, "out": False},
    ]

    found = (await doctor.get("/doctor/drugs", params={"q": "甲"})).json()

    assert [(one["shelf"]["out"], one["shelf"]["words"]) for one in found] == [
        (True, "院内药房缺货（更新于 2020年11月22日 周日 14:05）"),
        (False, "院内药房 40 盒（更新于 2020年11月22日 周日 14:05）"),
        (True, "线上药房缺货"),
        (False, ""),
    ]


async def test_shelves_that_nobody_can_tell_of_leave_the_drugs(
    backend: Backend, doctor: httpx.AsyncClient
) -> None:
    backend.answers["GET /drugs"] = [drug("A")]

    assert (await doctor.get("/doctor/drugs", params={"q": "甲"})).json() == [drug("A")]
