import re
from pathlib import Path

import pytest

from backend.app import DESKS
from backend.desk.assets import FOLDER, Assets
from foundation.db.unit_of_work import Database
from tests.small_world import CLERK, PHARMACIST
from tests.unit.desk.complaints import a_complaint
from tests.unit.desk.conftest import Browser

TEMPLATES = sorted(Path(FOLDER).parents[1].glob("*/templates/*.html"))
INLINE = re.compile(r"<style|\sstyle=|\son[a-z]+=|<script(?![^>]*\ssrc=)|javascript:", re.IGNORECASE)


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: f"{path.parent.parent.name}/{path.name}")
def test_no_template_has_inline_script_or_style(template: Path) -> None:
    assert INLINE.findall(template.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: f"{path.parent.parent.name}/{path.name}")
def test_every_form_that_changes_something_carries_the_token(template: Path) -> None:
    text = template.read_text(encoding="utf-8")
    forms = re.findall(r'<form method="post"[^>]*>\s*(.{40})', text)

    assert all("token(csrf)" in first or 'type="hidden"' in first or first == "<input" for first in forms), (
        forms
    )


def test_no_template_switches_escaping_off() -> None:
    assert not [path for path in TEMPLATES if re.search(r"\|\s*safe\b|autoescape", path.read_text("utf-8"))]


@pytest.mark.anyio
async def test_every_page_forbids_what_is_not_ours(browser: Browser) -> None:
    await browser.logs_in(PHARMACIST)

    for path in ("/desk/reviews", "/desk/shift", "/desk/login", "/desk/nowhere"):
        headers = (await browser.get(path)).headers
        if path == "/desk/login":
            continue
        policy = headers["content-security-policy"]
        assert "default-src 'none'; script-src 'self'; style-src 'self'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["cache-control"] == "no-store"


@pytest.mark.anyio
async def test_what_people_wrote_is_shown_as_text(browser: Browser, db: Database) -> None:
    complaint = await a_complaint(db, "<script>alert('x')</script> & <b>药</b>", name='<img src="x">')
    await browser.logs_in(CLERK)

    for path in ("/desk/complaints", f"/desk/complaints/{complaint}"):
        text = (await browser.get(path)).text
        assert "<script>alert" not in text
        assert "<img src=&#34;" not in text
        assert "&lt;script&gt;alert" in text


@pytest.mark.anyio
async def test_what_was_typed_into_the_login_comes_back_as_text(browser: Browser) -> None:
    answer = await browser.post(
        "/desk/login", csrf="", login='"><script>x</script>', password="x", totp="000000", next='"><b>'
    )

    assert "<script>x" not in answer.text
    assert "&#34;&gt;&lt;script&gt;" in answer.text
    assert '"><b>' not in answer.text


@pytest.mark.anyio
async def test_the_address_of_a_page_cannot_put_words_into_our_mouth(browser: Browser) -> None:
    await browser.logs_in(CLERK)

    text = (await browser.get("/desk/complaints?said=%E6%82%A8%E4%B8%AD%E5%A5%96%E4%BA%86")).text

    assert "您中奖了" not in text


@pytest.mark.anyio
async def test_names_and_numbers_are_masked(browser: Browser, db: Database) -> None:
    words = "我的身份证 310114195802030047，电话 19900000001，没有人理我。"
    complaint = await a_complaint(db, words)
    await browser.logs_in(CLERK)

    for path in ("/desk/complaints", f"/desk/complaints/{complaint}"):
        text = (await browser.get(path)).text
        assert "周**" in text
        for secret in ("周桂珍", "310114195802030047", "19900000001"):
            assert secret not in text


@pytest.mark.anyio
async def test_a_page_that_is_not_there_says_so_in_its_frame(browser: Browser) -> None:
    await browser.logs_in(CLERK)

    answer = await browser.get("/desk/nowhere")

    assert (answer.status_code, "没有找到" in answer.text, CLERK.name in answer.text) == (404, True, True)


@pytest.mark.anyio
async def test_static_files_are_kept_for_ever_under_the_hash_of_their_content(browser: Browser) -> None:
    answer = await browser.get(Assets().url("desk.css"))

    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/css; charset=utf-8")
    assert "immutable" in answer.headers["cache-control"]
    assert (await browser.get("/desk/static/0000000000000000/desk.css")).status_code == 404


def test_each_page_and_each_action_has_an_address_of_its_own() -> None:
    pages = [page.path for desk in DESKS for page in desk.PAGES]
    actions = [action.path for desk in DESKS for action in getattr(desk, "ACTIONS", [])]

    assert len(pages) == len(set(pages)) > 10
    assert len(actions) == len(set(actions)) > 7
