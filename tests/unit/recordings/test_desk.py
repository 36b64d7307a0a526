"""The quality department's desk over a database of each test's own: lists, reasons, films in parts, tickets."""

import re
from collections.abc import AsyncIterator

import httpx
import pytest

from backend.app import create_app
from backend.context import Context
from backend.video import nodes, tasks, viewing
from foundation.clock import Clock
from foundation.db.intents import Work
from foundation.db.unit_of_work import unit_of_work
from tests.small_world import CLERK, QUALITY
from tests.unit.desk.conftest import SITE, Browser
from tests.unit.recordings.made import Talk, a_talk, a_visit

pytestmark = pytest.mark.anyio
ASKS = {"purpose": "dispute", "reason": "医疗纠纷调查"}


@pytest.fixture
async def browser(running: Context, clock: Clock) -> AsyncIterator[Browser]:
    """Signed in as the quality department."""
    transport = httpx.ASGITransport(create_app(running))
    async with httpx.AsyncClient(transport=transport, base_url=SITE) as http:
        made = Browser(http, clock)
        assert (await made.logs_in(QUALITY)).status_code == 303
        yield made


@pytest.fixture
async def talk(running: Context) -> Talk:
    async with unit_of_work(running.db) as session:
        return await a_talk(session, running)


async def films_are_made(context: Context, talk: Talk) -> None:
    async with unit_of_work(context.db) as session:
        wanted = list((await viewing.films(session, talk.visit.id)).values())
    for film in wanted:
        await tasks.make_film(Work(context, film.id))


async def test_a_recording_is_played_after_a_reason_and_its_look_is_listed(
    browser: Browser, running: Context, talk: Talk
) -> None:
    page = f"/desk/recordings/{talk.visit.id}"
    assert str(talk.visit.id) in (await browser.get("/desk/recordings")).text
    assert "<video" not in (await browser.get(page)).text

    refused = await browser.post(f"{page}/view", purpose="dispute", reason="看")
    assert (refused.status_code, "至少 4 个字" in refused.text) == (422, True)
    assert (await browser.post(f"{page}/view", **ASKS)).status_code == 303
    assert "正在整理" in (await browser.get(page)).text
    await films_are_made(running, talk)

    shown = (await browser.get(page)).text
    sources = re.findall(r'src="(/desk/films/[^"]+)"', shown)
    assert [source.rsplit("/", 1)[1] for source in sources] == ["patient", "doctor"]
    assert ASKS["reason"] in shown
    piece = await browser.http.get(sources[0], headers={"range": "bytes=0-99"})
    assert (piece.status_code, len(piece.content), piece.headers["content-type"]) == (206, 100, "video/webm")


async def test_both_parties_come_as_one_file(browser: Browser, running: Context, talk: Talk) -> None:
    page = f"/desk/recordings/{talk.visit.id}"
    assert (await browser.post(f"{page}/both")).status_code == 410
    await browser.post(f"{page}/view", **ASKS)

    assert (await browser.post(f"{page}/both")).status_code == 303
    await films_are_made(running, talk)

    (link,) = re.findall(r'href="(/desk/films/[^"]+/both)"', (await browser.get(page)).text)
    got = await browser.get(link)
    assert got.headers["content-disposition"].startswith("attachment")
    assert got.content[:4] == b"\x1a\x45\xdf\xa3"


async def test_a_hold_is_placed_and_lifted_at_the_desk(browser: Browser, talk: Talk) -> None:
    page = f"/desk/recordings/{talk.visit.id}"
    await browser.post(f"{page}/hold", reason="收到法院调查函")

    assert "收到法院调查函" in (await browser.get(page)).text
    assert str(talk.visit.id) in (await browser.get("/desk/recordings?view=held")).text
    await browser.post(f"{page}/lift", reason="调查已结束")
    assert str(talk.visit.id) not in (await browser.get("/desk/recordings?view=held")).text


async def test_a_live_consultation_is_looked_in_on_with_a_ticket_per_party(
    browser: Browser, running: Context
) -> None:
    await nodes.heartbeat(running.redis, running.settings.media_urls[0], [], 25)
    async with unit_of_work(running.db) as session:
        _, visit = await a_visit(session, running)
    page = f"/desk/look-ins/{visit.id}"
    assert page in (await browser.get("/desk/look-ins")).text

    await browser.post(f"{page}/open", reason="本周质控抽查")

    shown = (await browser.get(page)).text
    (look,) = re.findall(r'data-look="([^"]+)"', shown)
    assert re.findall(r'data-watches="(\w+)"', shown) == ["patient", "doctor"]
    entry = (await browser.post(f"/desk/look-in-tickets/{look}/doctor")).json()
    assert entry["url"].endswith(f"/rooms/{visit.id}")
    assert (await browser.post(f"/desk/look-in-tickets/{look}/doctor", csrf="wrong")).status_code == 403
    assert (await browser.post(f"/desk/look-in-tickets/{look}/pharmacist")).status_code == 404
    socket = running.settings.media_urls[0].replace("http", "ws")
    assert socket in (await browser.get(page)).headers["content-security-policy"]

    await browser.post(f"/desk/look-ins/{look}/end")
    assert "data-look" not in (await browser.get(page)).text


async def test_nobody_else_gets_a_film_or_a_ticket(
    browser: Browser, running: Context, clock: Clock, talk: Talk
) -> None:
    await browser.post(f"/desk/recordings/{talk.visit.id}/view", **ASKS)
    shown = (await browser.get(f"/desk/recordings/{talk.visit.id}")).text
    assert "正在整理" in shown
    async with unit_of_work(running.db) as session:
        view = await viewing.open_view_of(session, QUALITY.actor, talk.visit.id)
    assert view is not None

    transport = httpx.ASGITransport(create_app(running))
    async with httpx.AsyncClient(transport=transport, base_url=SITE) as http:
        stranger = Browser(http, clock)
        assert (await stranger.get(f"/desk/films/{view.id}/patient")).status_code == 401
        await stranger.logs_in(CLERK)
        assert (await stranger.get(f"/desk/films/{view.id}/patient")).status_code == 403
        assert (await stranger.post(f"/desk/look-in-tickets/{view.id}/doctor")).status_code == 403
        assert (await stranger.get("/desk/recordings")).status_code == 403
