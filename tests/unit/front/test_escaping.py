"""Whatever people write stays text."""

import httpx
import pytest

from miniapp_mock.front.markdown import to_html
from tests.unit.front.backend import PERSON, PERSON_ID, Backend
from tests.unit.front.browsing import log_in, submit

pytestmark = pytest.mark.anyio

EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"


async def test_a_name_is_text(browser: httpx.AsyncClient, backend: Backend) -> None:
    log_in(browser)
    backend.answers["GET /persons"] = [PERSON | {"name": EVIL, "relation": EVIL}]

    for path in ("/persons", f"/persons/{PERSON_ID}", f"/book/{PERSON_ID}"):
        page = (await browser.get(path)).text

        assert "<script>alert" not in page
        assert "<img src=x" not in page
        assert "&lt;script&gt;alert(1)" in page


async def test_the_hospitals_name_is_text(browser: httpx.AsyncClient, backend: Backend) -> None:
    backend.answers["GET /hospital"] = dict.fromkeys(("name", "short_name", "address", "phone"), EVIL)

    page = (await browser.get("/")).text

    assert "<script>alert" not in page
    assert "<img src=x" not in page


async def test_what_was_typed_comes_back_as_text(browser: httpx.AsyncClient, backend: Backend) -> None:
    log_in(browser)
    backend.refuses("POST /grants", 422, "code_refused", EVIL, code=EVIL)

    answer = await submit(browser, "/grants/new", code=EVIL, relation=EVIL)

    assert answer.status_code == 422
    assert "<script>alert" not in answer.text
    assert "<img src=x" not in answer.text


async def test_an_address_in_the_bar_is_text(browser: httpx.AsyncClient) -> None:
    page = (await browser.get("/login", params={"next": f"/{EVIL}"})).text

    assert "<script>alert" not in page


async def test_a_document_brings_no_markup_of_its_own() -> None:
    text = (
        f"# Title\n\n- **bold {EVIL}**\n- [x](javascript:alert(1))\n\n1. one\n2. two\n\nplain {EVIL}\nsecond"
    )

    html = str(to_html(text))

    assert "<script" not in html
    assert "<img" not in html
    assert "<a " not in html
    assert "<ul><li><strong>bold &lt;script&gt;" in html
    assert "<ol><li>one</li><li>two</li></ol>" in html
    assert "second</p>" in html
