"""The browser libraries are the files that VENDOR.json names, unchanged; and static files are kept by browsers for ever."""

import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest

import miniapp_mock.front
from miniapp_mock.front.assets import Assets
from tools.vendor import FOLDER, INDEX, LIBRARIES, digest

pytestmark = pytest.mark.anyio

LISTED: list[dict[str, Any]] = json.loads((FOLDER / INDEX).read_text(encoding="utf-8"))
HASHES = {path: value for library in LISTED for path, value in library["files"].items()}
TEMPLATES = Path(miniapp_mock.front.__file__).parent / "templates"


@pytest.mark.parametrize("path", HASHES)
async def test_a_file_is_what_was_fetched(path: str) -> None:
    assert digest((FOLDER / path).read_bytes()) == HASHES[path]


async def test_nothing_lies_there_that_is_not_listed() -> None:
    there = {path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*") if path.is_file()}

    assert there == {*HASHES, INDEX}


async def test_every_library_has_version_and_licence() -> None:
    assert {(one["name"], one["version"], one["licence"]) for one in LISTED} == {
        (one.name, one.version, one.licence) for one in LIBRARIES
    }
    for library in LIBRARIES:
        assert "Permission" in (FOLDER / library.folder / "LICENSE.txt").read_text(encoding="utf-8")


async def test_every_file_a_template_asks_for_is_there() -> None:
    assets = Assets()
    asked = {
        name
        for path in TEMPLATES.rglob("*.html")
        for name in re.findall(r"static\('([^']+)'\)", path.read_text(encoding="utf-8"))
    }

    assert len(asked) >= 6
    assert all(assets.url(name) for name in asked)


async def test_a_file_that_is_not_there_is_found_out_when_the_page_is_made() -> None:
    with pytest.raises(KeyError, match=r"no-such\.js"):
        Assets().url("no-such.js")


async def test_a_static_file_may_be_kept_for_ever(browser: httpx.AsyncClient) -> None:
    answer = await browser.get(Assets().url("app.css"))

    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-type"].startswith("text/css")
    assert "set-cookie" not in answer.headers


async def test_a_page_from_before_an_update_gets_the_present_file_and_does_not_keep_it(
    browser: httpx.AsyncClient,
) -> None:
    answer = await browser.get("/static/0000000000000000/app.css")

    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-cache")


async def test_the_address_changes_with_the_content(tmp_path: Path) -> None:
    file = tmp_path / "a.css"
    file.write_text("a {}")
    before = Assets(tmp_path).url("a.css")

    file.write_text("b {}")

    assert Assets(tmp_path).url("a.css") != before


@pytest.mark.parametrize(
    "name", ["../settings.py", "..%2fsettings.py", "js/../../settings.py", "%2e%2e/settings.py", ""]
)
async def test_nothing_but_static_files_can_be_asked_for(browser: httpx.AsyncClient, name: str) -> None:
    answer = await browser.get(f"/static/{Assets().version}/{name}")

    assert answer.status_code == 404
