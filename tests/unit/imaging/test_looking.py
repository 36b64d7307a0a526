"""Who sees pictures, what is written down about it, and that nothing else is."""

from datetime import date
from typing import Any

import httpx
import msgspec
import pytest
from sqlalchemy import select, text

from backend.context import Context
from backend.encounter.model import FollowUp
from backend.patient.model import PersonGrant
from backend.record import service as records
from contracts import events, his
from foundation.db.audit import AuditEvent
from foundation.db.outbox import OutboxEvent
from foundation.db.unit_of_work import unit_of_work
from tests.builders.requests import Headers, a_person, patient_session, staff_session
from tests.builders.visits import Patient, accepted, signs_record, writes
from tests.small_world import DAUGHTER, DOCTOR, PHARMACIST, SECOND_DOCTOR
from tests.town import Town

pytestmark = pytest.mark.anyio

STUDY = "ab" * 32
CANARY = b"CANARY-of-a-picture"


@pytest.fixture
async def her(running: Context) -> tuple[Patient, Headers]:
    return await a_person(running)


@pytest.fixture
async def visit(running: Context, her: tuple[Patient, Headers], town: Town) -> FollowUp:
    """A visit that runs, of a patient whose hospital has pictures."""
    town.gateway.answers["image-studies"] = his.ImageStudiesReply(
        [his.ImageStudy(STUDY, STUDY, date(2026, 11, 10), "CT", "胸部CT平扫", "ACC", 2, 4)]
    )
    town.gateway.answers["image-frame"] = his.ImageFrameReply(
        "image/png", CANARY, STUDY, date(2026, 11, 10), "胸部CT平扫", 1, 2, "肺窗", "CT", 1, 3, 1, 1
    )
    async with unit_of_work(running.db) as session:
        return await accepted(session, running, her[0])


async def looks(api: httpx.AsyncClient, visit: FollowUp, who: Headers, part: str = "") -> httpx.Response:
    return await api.get(f"/encounters/{visit.id}/images{part}", headers=who)


async def views(running: Context) -> list[events.RecordViewed]:
    """What was reported, oldest first."""
    async with unit_of_work(running.db) as session:
        query = select(OutboxEvent).where(OutboxEvent.type == "record.viewed").order_by(OutboxEvent.sequence)
        rows = (await session.scalars(query)).all()
        return [msgspec.convert(row.payload, events.RecordViewed) for row in rows]


async def test_the_doctor_sees_a_picture_and_each_study_is_reported_once(
    running: Context, api: httpx.AsyncClient, visit: FollowUp
) -> None:
    doctor = await staff_session(running, DOCTOR)

    listed = await looks(api, visit, doctor)
    first = await looks(api, visit, doctor, f"/{STUDY}")
    await looks(api, visit, doctor, f"/{STUDY}?instance=2&window=bone")

    assert listed.json()["studies"][0] == {
        "study_id": STUDY, "day": "2026-11-10", "modality": "CT", "description": "胸部CT平扫", "series": 2, "instances": 4,
    }  # fmt: skip
    assert first.headers["cache-control"] == "no-store"
    assert first.json()["after"] == {"series": 1, "instance": 2, "frame": 1}
    assert first.json()["before"] is None
    reported = await views(running)
    assert [(one.archives, one.purpose, one.resource_hashes) for one in reported] == [
        (["PACS"], "treatment", [STUDY]), (["PACS"], "treatment", [STUDY]),
    ]  # fmt: skip
    assert all(one.viewer is not None and one.viewer.code == DOCTOR.code for one in reported)


async def test_every_picture_is_a_line_of_the_audit(
    running: Context, api: httpx.AsyncClient, visit: FollowUp
) -> None:
    doctor = await staff_session(running, DOCTOR)
    for _ in range(3):
        await looks(api, visit, doctor, f"/{STUDY}")

    async with unit_of_work(running.db) as session:
        query = select(AuditEvent).where(AuditEvent.action == "image.view")
        lines = (await session.scalars(query)).all()
    assert [one.detail for one in lines] == [{"place": "1/1/1"}] * 3
    assert {one.subject_id for one in lines} == {f"{visit.id}:{STUDY[:40]}"}


async def test_the_patient_sees_her_own_and_the_report_says_that_it_was_her(
    running: Context, api: httpx.AsyncClient, visit: FollowUp, her: tuple[Patient, Headers]
) -> None:
    assert (await looks(api, visit, her[1])).status_code == 200
    assert (await looks(api, visit, her[1], f"/{STUDY}")).status_code == 200

    reported = await views(running)
    assert [(one.viewer, one.purpose) for one in reported] == [(None, "patient"), (None, "patient")]
    assert {one.seen_by.person_id for one in reported if one.seen_by} == {visit.person_id}


async def test_the_gateway_is_asked_about_this_patient_and_to_treat(
    running: Context, api: httpx.AsyncClient, visit: FollowUp, town: Town
) -> None:
    await looks(api, visit, await staff_session(running, DOCTOR), f"/{STUDY}?series=2&window=lung")

    operation, asked = town.gateway.received[-1]
    assert (operation, asked["purpose"], asked["patient_id"]) == ("image-frame", "treatment", "P-1")
    assert (asked["study_id"], asked["series"], asked["window"]) == (
        STUDY, 2, {"center": -600, "width": 1500},
    )  # fmt: skip


@pytest.mark.parametrize("who", [SECOND_DOCTOR, PHARMACIST])
async def test_no_other_member_of_staff_sees_them(
    running: Context, api: httpx.AsyncClient, visit: FollowUp, who: Any, town: Town
) -> None:
    headers = await staff_session(running, who)
    asked = len(town.gateway.received)

    for part in ("", f"/{STUDY}"):
        assert (await looks(api, visit, headers, part)).status_code in (403, 404)
    assert len(town.gateway.received) == asked
    assert await views(running) == []


async def test_a_stranger_and_a_proxy_who_may_only_book_see_nothing(
    running: Context, api: httpx.AsyncClient, visit: FollowUp, her: tuple[Patient, Headers]
) -> None:
    _, stranger = await patient_session(running, "o-stranger", "19900000099")
    for part in ("", f"/{STUDY}"):
        assert (await looks(api, visit, stranger, part)).status_code == 404

    async with unit_of_work(running.db) as session:
        query = select(PersonGrant).where(PersonGrant.account_id == her[0].account)
        grant = (await session.scalars(query)).one()
        grant.kind, grant.scope = "proxy", ["book"]
    refused = await looks(api, visit, her[1], f"/{STUDY}")

    assert (refused.status_code, refused.json()["code"]) == (403, "scope_missing")
    assert await views(running) == []


@pytest.mark.parametrize(("scope", "seen"), [(["records"], False), (["records", "private"], True)])
@pytest.mark.parametrize(("modality", "description"), [("US", "经阴道超声"), ("MG", "双侧"), ("CT", "")])
async def test_a_proxy_sees_private_pictures_with_a_grant_of_its_own_for_them_only(
    running: Context, api: httpx.AsyncClient, visit: FollowUp, town: Town,
    scope: list[str], seen: bool, modality: str, description: str,
) -> None:  # fmt: skip
    chest = town.gateway.answers["image-studies"].studies[0]
    town.gateway.answers["image-studies"] = his.ImageStudiesReply(
        [his.ImageStudy("cd" * 32, "cd" * 32, None, modality, description, "ACC", 1, 1), chest]
    )
    daughter, proxy = await a_person(running, DAUGHTER)
    async with unit_of_work(running.db) as session:
        session.add(
            PersonGrant(
                account_id=daughter.account, person_id=visit.person_id, kind="proxy", scope=["book", *scope],
                granted_at=running.clock.now(),
            )
        )  # fmt: skip

    listed = await looks(api, visit, proxy)
    common = await looks(api, visit, proxy, f"/{STUDY}")
    town.gateway.answers["image-frame"] = his.ImageFrameReply(
        "image/png", CANARY, "cd" * 32, None, description, 1, 1, "", modality, 1, 1, 1, 1
    )
    private = await looks(api, visit, proxy, f"/{'cd' * 32}")

    assert listed.status_code == 200, listed.text
    assert [one["study_id"] for one in listed.json()["studies"]] == (["cd" * 32] if seen else []) + [STUDY]
    assert common.status_code == 200
    assert (private.status_code, private.json().get("code", "")) == (
        (200, "") if seen else (404, "image_not_found")
    )
    assert len(await views(running)) == (3 if seen else 2)


async def test_after_the_visit_the_doctor_sees_no_more_and_the_patient_still_does(
    running: Context, api: httpx.AsyncClient, visit: FollowUp, her: tuple[Patient, Headers]
) -> None:
    async with unit_of_work(running.db) as session:
        row = await session.get_one(FollowUp, visit.id)
        await writes(session, row)
        await signs_record(session, running, row)
        await records.finish(session, DOCTOR.actor, row)

    closed = await looks(api, visit, await staff_session(running, DOCTOR), f"/{STUDY}")

    assert (closed.status_code, closed.json()["code"]) == (403, "history_closed")
    assert (await looks(api, visit, her[1], f"/{STUDY}")).status_code == 200


@pytest.mark.parametrize(
    ("status", "code", "heard"),
    [
        (404, "image_not_found", (404, "image_not_found")),
        (404, "patient_not_found", (404, "patient_not_found")),
        (422, "images_not_connected", (404, "images_not_connected")),
        (502, "wrong_subject", (503, "wrong_subject")),
        (503, "hospital_unreachable", (503, "hospital_unreachable")),
    ],
)
async def test_what_the_gateway_refuses_is_told_and_nothing_is_reported(
    running: Context, api: httpx.AsyncClient, visit: FollowUp, town: Town, status: int, code: str,
    heard: tuple[int, str],
) -> None:  # fmt: skip
    doctor = await staff_session(running, DOCTOR)
    await looks(api, visit, doctor)  # the hospital's number of the patient is known from now on
    before = await views(running)
    town.gateway.refuses(status, code)

    answer = await looks(api, visit, doctor, f"/{STUDY}")

    assert (answer.status_code, answer.json()["code"]) == heard
    assert await views(running) == before


@pytest.mark.parametrize("part", ["/1.2.826.0.1", "/" + "AB" * 32, f"/{STUDY}0"])
async def test_what_is_no_id_of_ours_is_not_asked_for(
    running: Context, api: httpx.AsyncClient, visit: FollowUp, town: Town, part: str
) -> None:
    headers = await staff_session(running, DOCTOR)
    asked = len(town.gateway.received)

    assert (await looks(api, visit, headers, part)).status_code == 404
    assert len(town.gateway.received) == asked


async def test_nothing_of_a_picture_or_of_what_it_shows_is_kept(
    running: Context, api: httpx.AsyncClient, visit: FollowUp
) -> None:
    """design.md 5.1: neither in a table, in plain or as it is stored, nor in Valkey."""
    doctor = await staff_session(running, DOCTOR)
    before = set(await running.redis.keys("*"))
    await looks(api, visit, doctor)
    await looks(api, visit, doctor, f"/{STUDY}")

    async with unit_of_work(running.db) as session:
        payloads = [row.payload for row in (await session.scalars(select(OutboxEvent))).all()]
        details = [row.detail for row in (await session.scalars(select(AuditEvent))).all()]
        tables = (
            await session.scalars(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"))
        ).all()
        rows = [
            (
                await session.scalars(
                    text(f"SELECT coalesce(string_agg(t::text, chr(10)), '') FROM \"{name}\" t")
                )
            ).one()
            for name in tables
        ]
    kept = msgspec.json.encode([payloads, details, rows], enc_hook=str)
    assert "胸部CT平扫".encode() not in kept
    assert CANARY not in kept
    assert b"Q0FOQVJZ" not in kept  # in base64
    assert not [
        one for one in set(await running.redis.keys("*")) - before if b"display" in one or b"image" in one
    ]
