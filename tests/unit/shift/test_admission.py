"""A doctor's login alone opens no patient: every route of hers needs the shift that the PIN began (practice.md 7, 8)."""

import re

import httpx
import pytest

from backend.app import ENDPOINTS
from backend.context import Context
from backend.edge import DOCTOR, ApiEndpoint
from backend.shift.admission import NO_WORK, WITHOUT
from foundation.db.unit_of_work import unit_of_work
from foundation.ids import new_id
from tests.builders.requests import a_person, staff_session
from tests.builders.visits import accepted, on_shift
from tests.database import moves_on
from tests.small_world import DOCTOR as MEMBER

pytestmark = pytest.mark.anyio

HERS = [one for one in ENDPOINTS if DOCTOR in one.roles]


def named(endpoint: ApiEndpoint) -> str:
    return f"{endpoint.method} {endpoint.path}"


async def asks(api: httpx.AsyncClient, endpoint: ApiEndpoint, headers: dict[str, str]) -> httpx.Response:
    """About something that is not there, with a body that says nothing: who may not ask at all hears neither."""
    path = re.sub(r"\{\w+\}", str(new_id()), endpoint.path)
    content = None if endpoint.method in ("GET", "HEAD") else b"{}"
    return await api.request(endpoint.method, path, content=content, headers=headers)


@pytest.mark.parametrize("endpoint", HERS, ids=named)
async def test_a_doctor_is_heard_only_within_her_shift(
    running: Context, api: httpx.AsyncClient, endpoint: ApiEndpoint
) -> None:
    """监管细则 2022: authenticated before receiving patients."""
    async with unit_of_work(running.db) as session:
        await on_shift(session, running, MEMBER)
    moves_on(running.clock, minutes=31)

    answer = await asks(api, endpoint, await staff_session(running, MEMBER))

    if endpoint.name in WITHOUT:
        assert answer.status_code != 403
    elif endpoint.method == "HEAD":
        assert answer.status_code == 403
    else:
        assert (answer.status_code, answer.json()["code"]) == (403, "no_shift")


def test_what_is_excused_exists_and_has_a_reason() -> None:
    assert set(WITHOUT) <= {one.name for one in HERS}
    assert all(WITHOUT.values())


async def test_a_page_that_refreshes_itself_does_not_prolong_the_shift(
    running: Context, api: httpx.AsyncClient
) -> None:
    """practice.md 8: thirty minutes of idleness."""
    async with unit_of_work(running.db) as session:
        await on_shift(session, running, MEMBER)
    headers = await staff_session(running, MEMBER)
    codes = []
    for _ in range(4):
        moves_on(running.clock, minutes=8)
        codes.append((await api.get("/doctor/encounters", headers=headers)).status_code)

    assert codes == [200, 200, 200, 403]


LOOKS = ("", "/messages", "/marks", "/recording-consent", "/probe")


async def test_looking_into_a_visit_and_its_conversation_does_not_prolong_the_shift(
    running: Context, api: httpx.AsyncClient
) -> None:
    patient, _ = await a_person(running)
    async with unit_of_work(running.db) as session:
        visit = await accepted(session, running, patient)
    headers = await staff_session(running, MEMBER)
    codes = []
    for _ in range(4):
        moves_on(running.clock, minutes=8)
        for path in LOOKS:
            codes.append((await api.get(f"/encounters/{visit.id}{path}", headers=headers)).status_code)
        marks = {"sequence": 0}
        read = await api.put(f"/encounters/{visit.id}/marks", json=marks, headers=headers)
        ticket = await api.post(f"/encounters/{visit.id}/tickets", json={"purpose": "chat"}, headers=headers)
        codes += [read.status_code, ticket.status_code]

    first = [*(200 for _ in LOOKS), 200, 201]
    assert codes == [*first * 3, *(403 for _ in first)]


async def test_work_does(running: Context, api: httpx.AsyncClient) -> None:
    patient, _ = await a_person(running)
    async with unit_of_work(running.db) as session:
        visit = await accepted(session, running, patient)
    headers = await staff_session(running, MEMBER)
    for number in range(4):
        moves_on(running.clock, minutes=8)
        said = {"type": "say", "client_id": f"message-{number}", "body": "请每天量血压"}
        answer = await api.post(f"/encounters/{visit.id}/messages", json=said, headers=headers)
        assert answer.status_code == 201


def test_what_is_no_work_exists_and_has_a_reason() -> None:
    assert set(NO_WORK) <= {one.name for one in HERS}
    assert all(NO_WORK.values())
    assert not set(NO_WORK) & set(WITHOUT)


async def test_an_emergency_does_not_wait_for_the_pin(running: Context, api: httpx.AsyncClient) -> None:
    """诊疗办法 Art 16: the doctor stops at once and refers."""
    patient, _ = await a_person(running)
    async with unit_of_work(running.db) as session:
        visit = await accepted(session, running, patient)
    moves_on(running.clock, minutes=31)
    headers = await staff_session(running, MEMBER)

    answer = await api.post(
        f"/encounters/{visit.id}/refer-offline", json={"reason": "胸痛，请立即到急诊"}, headers=headers
    )

    assert (answer.status_code, answer.json()["state"]) == (200, "discontinued")
