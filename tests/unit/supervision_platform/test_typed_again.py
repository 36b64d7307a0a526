"""A form that was refused comes back on its own page, with what was typed and what is wrong."""

from collections.abc import Iterator

import httpx
import pytest

from tests.unit.supervision_platform.at_the_console import ORDER, send_a_visit, signed_in
from tests.unit.supervision_platform.sender import Platform

LONG = "因群众来信反映开药过多，需要核对当日全部处方与病历" * 13


@pytest.fixture
def browser(shanghai: Platform) -> Iterator[httpx.Client]:
    send_a_visit(shanghai)
    with signed_in(shanghai) as client:
        yield client


@pytest.mark.parametrize(
    ("form", "status", "problem"),
    [
        ("reveals", 422, "请填写检查文书号"),
        ("evidence", 422, "请填写检查文书号"),
        ("look-in", 503, "医院的前置机没有应答"),
        ("chat", 503, "医院的前置机没有应答"),
    ],
)
def test_nothing_that_was_typed_is_lost(browser: httpx.Client, form: str, status: int, problem: str) -> None:
    again = browser.post(f"/visits/V-1/{form}", data=ORDER | {"reason": LONG})

    assert again.status_code == status
    assert "<h1>一次就诊</h1>" in again.text
    assert again.text.count('role="alert"') == 1
    assert problem in again.text
    assert again.text.count(f'value="{LONG}"') == 1
    assert again.text.count(f'value="{ORDER["authority"]}"') == 1


def test_what_is_shown_again_is_text_and_no_markup(browser: httpx.Client) -> None:
    again = browser.post("/visits/V-1/evidence", data={"authority": "", "reason": '"><b>'})

    assert '"><b>' not in again.text
    assert "&#34;&gt;&lt;b&gt;" in again.text


def test_a_page_that_is_opened_has_no_problem(browser: httpx.Client) -> None:
    assert 'role="alert"' not in browser.get("/visits/V-1").text
