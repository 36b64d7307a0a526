"""A supervisor looks in on a live consultation."""

import httpx
import pytest
from sqlalchemy import select

from backend.chat import tickets
from backend.chat.model import ChatMessage
from backend.context import Context
from backend.encounter.model import Encounter
from backend.video import looking_in, nodes
from foundation.actor import Actor
from foundation.db.audit import AuditEvent
from foundation.db.unit_of_work import unit_of_work
from foundation.errors import NotFound
from foundation.ids import new_id
from tests.builders.requests import Headers, staff_session
from tests.database import SharedClock, moves_on
from tests.small_world import CLERK, DOCTOR, QUALITY
from tests.unit.recordings.made import a_visit

pytestmark = pytest.mark.anyio
WHY = {"reason": "本周质控抽查"}


@pytest.fixture
async def visit(running: Context) -> Encounter:
    """A running visit with video, and a live media process."""
    await nodes.heartbeat(running.redis, running.settings.media_urls[0], [], 25)
    async with unit_of_work(running.db) as session:
        return (await a_visit(session, running))[1]


@pytest.fixture
async def quality(running: Context) -> Headers:
    return await staff_session(running, QUALITY)


async def test_a_supervisor_gets_one_ticket_per_party_and_each_opens_once(
    api: httpx.AsyncClient, running: Context, visit: Encounter, quality: Headers
) -> None:
    look = (await api.post(f"/encounters/{visit.id}/look-ins", json=WHY, headers=quality)).json()

    for watches in ("patient", "doctor"):
        answer = await api.post(f"/look-ins/{look['id']}/tickets", json={"watches": watches}, headers=quality)
        ticket = await tickets.take(running.redis, answer.json()["ticket"], "signalling")
        assert ticket is not None
        assert (ticket.role, ticket.watches, ticket.participant_id, ticket.shown) == (
            "supervisor",
            watches,
            QUALITY.id,
            True,
        )
        assert ticket.until is not None
        assert await tickets.take(running.redis, answer.json()["ticket"], "signalling") is None


async def test_both_sides_read_that_somebody_looks_in_and_the_trail_says_why(
    api: httpx.AsyncClient, running: Context, visit: Encounter, quality: Headers
) -> None:
    look = (await api.post(f"/encounters/{visit.id}/look-ins", json=WHY, headers=quality)).json()
    await api.post(f"/look-ins/{look['id']}/tickets", json={"watches": "doctor"}, headers=quality)
    for _ in range(2):
        assert (await api.post(f"/look-ins/{look['id']}/end", headers=quality)).status_code == 204

    async with unit_of_work(running.db) as session:
        said = list(await session.scalars(select(ChatMessage).where(ChatMessage.encounter_id == visit.id)))
        query = (
            select(AuditEvent)
            .where(AuditEvent.action.startswith("video.look_in"))
            .order_by(AuditEvent.ordinal)
        )
        lines = list(await session.scalars(query))
    assert [(message.sender, message.body) for message in said] == [
        ("system", looking_in.NOTICE), ("system", looking_in.NOTICE_OVER),
    ]  # fmt: skip
    assert [line.action for line in lines] == [
        "video.look_in_opened", "video.look_in_ticket", "video.look_in_ended",
    ]  # fmt: skip
    assert lines[0].detail["reason"] == WHY["reason"]


async def test_a_permission_ends(
    api: httpx.AsyncClient, running: Context, visit: Encounter, quality: Headers, clock: SharedClock
) -> None:
    look = (await api.post(f"/encounters/{visit.id}/look-ins", json=WHY, headers=quality)).json()
    ended = (await api.post(f"/encounters/{visit.id}/look-ins", json=WHY, headers=quality)).json()
    await api.post(f"/look-ins/{ended['id']}/end", headers=quality)
    moves_on(clock, minutes=31)
    quality = await staff_session(running, QUALITY)

    for one in (look, ended):
        over = await api.post(f"/look-ins/{one['id']}/tickets", json={"watches": "doctor"}, headers=quality)
        assert (over.status_code, over.json()["code"]) == (410, "look_in_over")


async def test_only_who_may_looks_in(api: httpx.AsyncClient, running: Context, visit: Encounter) -> None:
    for member in (CLERK, DOCTOR):
        headers = await staff_session(running, member)
        refused = await api.post(f"/encounters/{visit.id}/look-ins", json=WHY, headers=headers)
        assert refused.status_code == 403


async def test_a_look_in_needs_a_reason_and_a_video(
    api: httpx.AsyncClient, running: Context, visit: Encounter, quality: Headers
) -> None:
    path = f"/encounters/{visit.id}/look-ins"
    assert (await api.post(path, json={"reason": "看"}, headers=quality)).status_code == 422
    async with unit_of_work(running.db) as session:
        (await session.get_one(Encounter, visit.id)).recording_consent = ""
    assert (await api.post(path, json=WHY, headers=quality)).status_code == 409
    assert (await api.post(f"/encounters/{new_id()}/look-ins", json=WHY, headers=quality)).status_code == 404


async def test_the_city_s_supervisor_looks_in_by_the_same_verbs(running: Context, visit: Encounter) -> None:
    """Whoever the edge has authorised: the request of the platform comes through the gateway."""
    inspector = Actor("platform", new_id(), frozenset({"supervisor"}), "监管员")
    async with unit_of_work(running.db) as session:
        look = await looking_in.open_look_in(session, running, inspector, visit.id, "日常监管")
        entry = await looking_in.seat(running, session, inspector, look, "patient")
        with pytest.raises(NotFound):
            await looking_in.own_look_in(session, QUALITY.actor, look.id)

    assert entry.url.endswith(f"/rooms/{visit.id}")
