"""The way into a room: who, when, where, and through which relay."""

import base64
import hashlib
import hmac
from datetime import UTC, datetime
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import httpx
import pytest

from backend.chat import tickets
from backend.context import Context
from backend.video import nodes, probes
from backend.video.rules import Measured
from backend.video.turn import ice_servers
from foundation.db.unit_of_work import unit_of_work
from tests.builders.requests import Headers, a_person, staff_session
from tests.builders.visits import accepted
from tests.small_world import CHILD_DOCTOR, DOCTOR
from tests.unit.recordings.made import a_visit

pytestmark = pytest.mark.anyio


@pytest.fixture
async def node(running: Context) -> str:
    """A live media process."""
    (address,) = running.settings.media_urls
    await nodes.heartbeat(running.redis, address, [], 25)
    return address


async def doctors_visit(context: Context, consent: str = "given") -> tuple[str, Headers]:
    async with unit_of_work(context.db) as session:
        _, visit = await a_visit(session, context, consent=consent)
    return str(visit.id), await staff_session(context, DOCTOR)


async def test_an_entry_names_the_room_s_node_and_opens_it_once(
    api: httpx.AsyncClient, running: Context, node: str
) -> None:
    visit, doctor = await doctors_visit(running)

    answer = await api.post(f"/encounters/{visit}/room", headers=doctor)

    entry = answer.json()
    assert answer.status_code == 201
    assert entry["url"] == f"{node.replace('http', 'ws')}/rooms/{visit}"
    ticket = await tickets.take(running.redis, entry["ticket"], "signalling")
    assert ticket is not None
    assert (ticket.role, ticket.node, ticket.participant_id, ticket.watches, ticket.kind) == (
        "doctor", node, DOCTOR.id, "", "staff",
    )  # fmt: skip
    assert await tickets.take(running.redis, entry["ticket"], "signalling") is None


async def test_both_sides_of_a_visit_enter_and_nobody_else(
    api: httpx.AsyncClient, running: Context, node: str
) -> None:
    patient, headers = await a_person(running)
    async with unit_of_work(running.db) as session:
        visit = await accepted(session, running, patient)
        visit.recording_consent = "given"
    stranger = await staff_session(running, CHILD_DOCTOR)

    mine = await api.post(f"/encounters/{visit.id}/room", headers=headers)
    hers = await api.post(f"/encounters/{visit.id}/room", headers=await staff_session(running, DOCTOR))

    assert urlsplit(mine.json()["url"]).path == urlsplit(hers.json()["url"]).path
    assert (await api.post(f"/encounters/{visit.id}/room", headers=stranger)).status_code in (403, 404)


async def test_without_consent_to_the_recording_there_is_no_video(
    api: httpx.AsyncClient, running: Context, node: str
) -> None:
    """互联网诊疗监管细则(试行) 第十九条: the process is kept; who does not agree is seen by chat."""
    visit, doctor = await doctors_visit(running, consent="")

    refused = await api.post(f"/encounters/{visit}/room", headers=doctor)

    assert (refused.status_code, refused.json()["code"]) == (409, "no_recording_consent")


async def test_without_a_live_media_process_the_browser_is_told_to_come_again(
    api: httpx.AsyncClient, running: Context
) -> None:
    visit, doctor = await doctors_visit(running)

    refused = await api.post(f"/encounters/{visit}/room", headers=doctor)

    assert (refused.status_code, refused.json()["code"]) == (503, "no_media_node")


FAST, SLOW = Measured(900_000, 2_000_000, 40), Measured(120_000, 2_000_000, 40)


async def test_who_is_in_the_visit_may_have_the_network_checked_and_nobody_else(
    api: httpx.AsyncClient, running: Context, node: str
) -> None:
    visit, doctor = await doctors_visit(running)
    stranger = await staff_session(running, CHILD_DOCTOR)

    answer = await api.post(f"/encounters/{visit}/probe", headers=doctor)
    refused = await api.post(f"/encounters/{visit}/probe", headers=stranger)

    entry = answer.json()
    assert answer.status_code == 201
    assert entry["url"] == f"{node.replace('http', 'ws')}/probes/{visit}"
    ticket = await tickets.take(running.redis, entry["ticket"], "probe")
    assert ticket is not None
    assert (ticket.node, ticket.participant_id) == (node, DOCTOR.id)
    assert refused.status_code in (403, 404)
    assert (await api.get(f"/encounters/{visit}/probe", headers=stranger)).status_code in (403, 404)


async def test_where_there_may_be_no_video_nothing_is_checked(
    api: httpx.AsyncClient, running: Context, node: str
) -> None:
    visit, doctor = await doctors_visit(running, consent="")

    refused = await api.post(f"/encounters/{visit}/probe", headers=doctor)

    assert (refused.status_code, refused.json()["code"]) == (409, "no_recording_consent")


async def test_an_account_may_check_so_often_in_a_minute(
    api: httpx.AsyncClient, running: Context, node: str
) -> None:
    visit, doctor = await doctors_visit(running)
    most = running.settings.probes_per_minute

    answers = [await api.post(f"/encounters/{visit}/probe", headers=doctor) for _ in range(most + 1)]

    assert [one.status_code for one in answers] == [201] * most + [429]
    assert answers[-1].json()["code"] == "too_often"
    assert int(answers[-1].headers["retry-after"]) >= 1


async def test_under_the_set_bitrate_there_is_no_room_until_a_better_check(
    api: httpx.AsyncClient, running: Context, node: str
) -> None:
    visit, doctor = await doctors_visit(running)
    path = f"/encounters/{visit}/room"
    await probes.keep(running.redis, UUID(visit), DOCTOR.id, SLOW)

    refused = await api.post(path, headers=doctor)
    told = (await api.get(f"/encounters/{visit}/probe", headers=doctor)).json()

    assert (refused.status_code, refused.json()["code"]) == (409, "network_too_slow")
    assert [issue["field"] for issue in refused.json()["issues"]] == ["up"]
    assert (told["enough"], told["up"], told["least"]) == (False, 120_000, 300_000)
    assert told["detail"] == "上传约 120 kbit/s，视频至少需要 300 kbit/s"

    await probes.keep(running.redis, UUID(visit), DOCTOR.id, FAST)

    assert (await api.post(path, headers=doctor)).status_code == 201


async def test_the_check_of_another_person_or_visit_refuses_nobody(
    api: httpx.AsyncClient, running: Context, node: str
) -> None:
    visit, doctor = await doctors_visit(running)
    await probes.keep(running.redis, UUID(visit), uuid4(), SLOW)
    await probes.keep(running.redis, uuid4(), DOCTOR.id, SLOW)

    assert (await api.post(f"/encounters/{visit}/room", headers=doctor)).status_code == 201
    told = (await api.get(f"/encounters/{visit}/probe", headers=doctor)).json()
    assert (told["enough"], told["up"]) == (True, None)


def test_a_relay_s_credential_ends_by_itself_and_is_what_coturn_computes() -> None:
    """use-auth-secret: base64(hmac-sha1(secret, username)), the username begins with its end."""
    now = datetime(2026, 11, 20, 1, 0, tzinfo=UTC)

    (server,) = ice_servers(["turn:t.example:3478?transport=udp"], "s3cret", now, 600, "somebody")

    end, _, who = server.username.partition(":")
    assert (int(end), who) == (int(now.timestamp()) + 600, "somebody")
    digest = hmac.new(b"s3cret", server.username.encode(), hashlib.sha1).digest()
    assert base64.b64decode(server.credential) == digest
    assert ice_servers([], "", now, 600, "somebody") == []
