"""What a page may do in a browser, on every answer; and that no page needs more."""

import re
from pathlib import Path

import httpx
import pytest

import miniapp_mock.front
from tests.unit.front.backend import Backend

pytestmark = pytest.mark.anyio

TEMPLATES = sorted((Path(miniapp_mock.front.__file__).parent / "templates").rglob("*.html"))
SCRIPTS = sorted((Path(miniapp_mock.front.__file__).parent / "static").glob("**/*.js"))


def directives(answer: httpx.Response) -> dict[str, set[str]]:
    parts = [part.split() for part in answer.headers["content-security-policy"].split(";")]
    return {name: set(values) for name, *values in parts}


@pytest.mark.parametrize("path", ["/", "/nowhere", "/static/x/nothing.js", "/healthz"])
async def test_every_answer_carries_the_policy(browser: httpx.AsyncClient, path: str) -> None:
    answer = await browser.get(path)

    policy = directives(answer)
    assert policy["default-src"] == {"'none'"}
    assert policy["script-src"] == policy["style-src"] == policy["form-action"] == {"'self'"}
    assert policy["frame-ancestors"] == policy["base-uri"] == {"'none'"}
    assert policy["connect-src"] == {"'self'", "wss://api.test", "wss://media.test:8110"}
    assert answer.headers["permissions-policy"].startswith("camera=(self), microphone=(self)")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["strict-transport-security"] == "max-age=31536000"
    assert answer.headers["referrer-policy"] == "same-origin"


async def test_pages_are_not_kept_by_anybody(browser: httpx.AsyncClient) -> None:
    assert (await browser.get("/")).headers["cache-control"] == "no-store"


async def test_a_page_that_broke_carries_the_policy_too(browser: httpx.AsyncClient, backend: Backend) -> None:
    backend.answers["GET /prices"] = [{"not": "a price"}]

    answer = await browser.get("/prices")

    assert answer.status_code == 500
    assert directives(answer)["script-src"] == {"'self'"}
    assert "我们已经记录" in answer.text


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
async def test_no_template_has_a_script_or_a_style_of_its_own(path: Path) -> None:
    text = path.read_text(encoding="utf-8")

    assert not re.search(r"<script(?![^>]*\bsrc=)", text)
    assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:|hx-on", text)
    assert "|safe" not in text or path.name == "icons.html"


@pytest.mark.parametrize(
    "path", [one for one in SCRIPTS if "vendor" not in one.parts], ids=lambda path: path.name
)
async def test_no_script_of_ours_makes_markup_out_of_text(path: Path) -> None:
    text = path.read_text(encoding="utf-8")

    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", text
    )
