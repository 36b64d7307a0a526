"""A form that was refused comes back on its own page, with what was typed and what is wrong."""

import re
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


DRAW = {"kind": "views", "wanted": "7", "seed": "123", "reason": "季度抽查，重点看开药", "scope": "?dept=D-1"}


def test_a_draw_that_was_refused_is_shown_as_it_was_typed(browser: httpx.Client) -> None:
    again = browser.post("/samples", data=DRAW)

    assert again.status_code == 422
    assert again.text.count('role="alert"') == 1
    assert '<option value="views" selected>' in again.text
    for name, value in (("wanted", "7"), ("seed", "123"), ("reason", DRAW["reason"]), ("scope", "?dept=D-1")):
        assert re.search(rf'name="{name}"[^>]* value="{re.escape(value)}"', again.text), name


def test_a_judgement_that_was_refused_keeps_its_words_beside_its_number(browser: httpx.Client) -> None:
    path = browser.post("/samples", data=DRAW | {"kind": "visits", "seed": "1234", "scope": ""}).url.path

    again = browser.post(f"{path}/results", data={"number": "V-1", "verdict": "bad", "note": "缺项"})

    assert again.status_code == 422
    assert "发现问题时请写明情况" in again.text
    assert 'value="缺项"' in again.text


def test_a_note_and_a_question_that_were_refused_are_shown_as_they_were_typed(
    browser: httpx.Client, shanghai: Platform
) -> None:
    [complaint] = shanghai.stored(method="uploadComplaint")
    matter = browser.post(f"/complaints/{complaint['id']}").url.path

    note = browser.post(f"{matter}/close", data={"note": "没有问题，予以办结"})
    question = browser.post(
        f"{matter}/ask", data={"authority": "沪卫监12号", "words": "为何没有监护人在场？"}
    )

    assert (note.status_code, question.status_code) == (409, 409)
    assert "没有问题，予以办结</textarea>" in note.text
    assert "现在是“新”，不能办结" in note.text
    assert "没有设置通向医院的前置机地址" in question.text
    assert "为何没有监护人在场？" in question.text
    assert "沪卫监12号" in question.text


def test_what_is_shown_again_is_text_and_no_markup(browser: httpx.Client) -> None:
    again = browser.post("/visits/V-1/evidence", data={"authority": "", "reason": '"><b>'})

    assert '"><b>' not in again.text
    assert "&#34;&gt;&lt;b&gt;" in again.text


def test_a_page_that_is_opened_has_no_problem(browser: httpx.Client) -> None:
    assert 'role="alert"' not in browser.get("/visits/V-1").text
