"""What the hospital's systems push reaches a person's doctor as a mark, once, and from the gateways alone."""

import hashlib
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select, text

from backend.context import Context
from backend.encounter.model import Encounter
from backend.hospital_hint import door as hints_door
from backend.hospital_hint import service
from backend.hospital_hint.model import HospitalHint
from backend.patient.model import Person
from backend.patient.service import having_hospital_ids, remember_hospital_id
from backend.supervision.inspection_door import create_door
from contracts import his
from foundation.db.audit import AuditEvent
from foundation.db.unit_of_work import unit_of_work
from tests.builders.requests import staff_session
from tests.database import MORNING, SharedClock, moves_on
from tests.small_world import DOCTOR, SECOND_DOCTOR
from tests.town import Town
from tests.unit.recordings.made import a_visit
from tests.unit.recordings.test_supervisors_door import GATEWAY, Peer

pytestmark = pytest.mark.anyio
NUMBER, FORMER = "P0000001", "P0000099"


def digest(number: str) -> str:
    return hashlib.sha256(f"Patient/{number}".encode()).hexdigest()


def hint(kind: str = "report_ready", key: str = "a", *numbers: str) -> dict[str, Any]:
    subjects = [digest(one) for one in numbers or (NUMBER,)]
    return {
        "key": key * 64,
        "source": "lis",
        "kind": kind,
        "subjects": subjects,
        "at": "2026-11-23T08:00:00+08:00",
    }


async def client_of(running: Context, identity: str) -> httpx.AsyncClient:
    settings = replace(running.settings, supervision_port=1, supervision_callers=(GATEWAY,))
    context = replace(running, settings=settings)
    app = Peer(create_door(context, hints_door.routes(context)), identity)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://door")


@pytest.fixture
async def gateway(running: Context) -> AsyncIterator[httpx.AsyncClient]:
    async with await client_of(running, GATEWAY) as client:
        yield client


@pytest.fixture
async def visit(running: Context) -> Encounter:
    async with unit_of_work(running.db) as session:
        row = (await a_visit(session, running))[1]
        person = await session.get_one(Person, row.person_id)
        person.hospital_patient_id = NUMBER
    return row


async def take(gateway: httpx.AsyncClient, body: dict[str, Any]) -> Any:
    answer = await gateway.post("/hospital/v1/hints", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def number_of(running: Context, visit: Encounter) -> str | None:
    async with unit_of_work(running.db) as session:
        return (await session.get_one(Person, visit.person_id)).hospital_patient_id


async def test_a_result_marks_news_until_the_doctor_has_looked(
    running: Context, gateway: httpx.AsyncClient, visit: Encounter
) -> None:
    assert await take(gateway, hint()) == {"fresh": True}

    async with unit_of_work(running.db) as session:
        newest = await service.news(session, visit.person_id)
        assert newest is not None
        await service.seen(session, visit.person_id, newest - timedelta(seconds=1))
        assert await service.news(session, visit.person_id) == newest
        await service.seen(session, visit.person_id, newest)
        assert await service.news(session, visit.person_id) is None


async def test_the_same_hint_again_changes_nothing(
    running: Context, gateway: httpx.AsyncClient, visit: Encounter
) -> None:
    await take(gateway, hint())
    async with unit_of_work(running.db) as session:
        await service.seen(session, visit.person_id, MORNING + timedelta(days=3650))

    assert await take(gateway, hint()) == {"fresh": False}

    async with unit_of_work(running.db) as session:
        assert await service.news(session, visit.person_id) is None
        assert await session.scalar(select(func.count()).select_from(HospitalHint)) == 1


async def test_the_display_forgets_and_the_open_list_of_her_doctor_wakes(
    running: Context, gateway: httpx.AsyncClient, visit: Encounter
) -> None:
    key = f"display:history:{visit.person_id}"
    await running.redis.set(key, b"sealed")
    async with running.redis.pubsub() as listening:
        await listening.subscribe(f"live:queue:{visit.practitioner_id}")
        await listening.get_message(timeout=2)

        await take(gateway, hint())

        assert await running.redis.get(key) is None
        assert (await listening.get_message(ignore_subscribe_messages=True, timeout=5)) is not None


@pytest.mark.parametrize("kind", ["patient_merged", "patient_changed"])
async def test_a_moved_number_is_asked_for_again(
    running: Context, gateway: httpx.AsyncClient, visit: Encounter, kind: str
) -> None:
    await take(gateway, hint(kind, "a", FORMER, NUMBER))

    assert await number_of(running, visit) is None
    async with unit_of_work(running.db) as session:
        assert await service.news(session, visit.person_id) is None


async def test_a_result_under_a_number_that_was_merged_is_hers(
    running: Context, gateway: httpx.AsyncClient, visit: Encounter
) -> None:
    async with unit_of_work(running.db) as session:
        await remember_hospital_id(session, visit.person_id, NUMBER, [FORMER])

    await take(gateway, hint("report_ready", "a", FORMER))

    async with unit_of_work(running.db) as session:
        assert await service.news(session, visit.person_id) is not None


@pytest.mark.parametrize("number", [NUMBER, FORMER, "P0000009"])
async def test_after_a_merge_she_is_found_by_every_number_before_she_is_asked_for_again(
    running: Context, gateway: httpx.AsyncClient, visit: Encounter, number: str
) -> None:
    async with unit_of_work(running.db) as session:
        await remember_hospital_id(session, visit.person_id, NUMBER, [FORMER])
    await take(gateway, hint("patient_merged", "a", "P0000009", NUMBER))

    await take(gateway, hint("report_ready", "b", number))

    async with unit_of_work(running.db) as session:
        assert await service.news(session, visit.person_id) is not None
        await remember_hospital_id(session, visit.person_id, "P0000010")
        assert await having_hospital_ids(session, [digest(number)]) == []


async def test_somebody_elses_hint_touches_nobody(
    running: Context, gateway: httpx.AsyncClient, visit: Encounter
) -> None:
    await take(gateway, hint("patient_merged", "a", "P0000002", "P0000003"))

    assert await number_of(running, visit) == NUMBER


@pytest.mark.parametrize(("missing", "left"), [([], False), (["laboratory"], True)])
async def test_the_doctor_is_told_of_news_until_a_look_that_missed_nothing(
    running: Context, api: httpx.AsyncClient, gateway: httpx.AsyncClient, visit: Encounter, town: Town,
    clock: SharedClock, missing: list[str], left: bool,
) -> None:  # fmt: skip
    town.gateway.answers["history"] = his.HistoryReply([], [], [], [], missing)
    doctor, path = await staff_session(running, DOCTOR), f"/encounters/{visit.id}"

    async def newest() -> Any:
        answer = await api.get(f"{path}/hospital-news", headers=doctor)
        assert answer.status_code == 200, answer.text
        return answer.json()["newest"]

    assert await newest() is None
    await take(gateway, hint())
    assert await newest() is not None
    moves_on(clock, seconds=30)

    shown = await api.get(f"{path}/history", headers=doctor)

    assert (shown.status_code, shown.json()["missing"]) == (200, missing)
    assert (await newest() is not None) is left


async def test_nobody_but_her_doctor_hears_of_news(
    running: Context, api: httpx.AsyncClient, visit: Encounter
) -> None:
    answer = await api.get(
        f"/encounters/{visit.id}/hospital-news", headers=await staff_session(running, SECOND_DOCTOR)
    )

    assert answer.status_code in (403, 404)


async def test_only_a_gateway_may_bring_hints_and_a_refusal_is_written_down(running: Context) -> None:
    async with await client_of(running, "spiffe://internet-hospital/adapter") as stranger:
        refused = await stranger.post("/hospital/v1/hints", json=hint())

    assert refused.status_code == 403
    async with unit_of_work(running.db) as session:
        query = select(AuditEvent.outcome).where(AuditEvent.action == "hospital.hint")
        assert list(await session.scalars(query)) == ["refused"]
        assert await session.scalar(select(func.count()).select_from(HospitalHint)) == 0


async def test_every_wrong_field_of_a_hint_is_named(gateway: httpx.AsyncClient) -> None:
    body = hint() | {"key": "short", "kind": "result", "subjects": []}

    answer = await gateway.post("/hospital/v1/hints", json=body)

    assert answer.status_code == 422
    assert {one["field"] for one in answer.json()["issues"]} == {"key", "kind", "subjects"}


async def test_a_digest_finds_its_person_by_an_index(running: Context, visit: Encounter) -> None:
    async with unit_of_work(running.db) as session:
        await session.execute(text("SET LOCAL enable_seqscan = off"))
        expression = "encode(sha256(('Patient/' || hospital_patient_id)::bytea), 'hex')"
        lines = await session.scalars(
            text(f"EXPLAIN SELECT id FROM person WHERE {expression} IN ('{digest(NUMBER)}')")
        )
        assert "ix_person_hospital_digest" in "\n".join(lines)
