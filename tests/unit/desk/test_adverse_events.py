"""The desk of adverse events, as a browser sees it."""

import re
from collections.abc import Callable

import pytest
from sqlalchemy import select

from backend.adverse_event.model import AdverseEvent
from foundation.db.audit import AuditEvent
from foundation.db.unit_of_work import Database, unit_of_work
from tests.small_world import CLERK, DOCTOR, PHARMACIST, QUALITY, Member
from tests.unit.desk.conftest import Browser

pytestmark = pytest.mark.anyio
DESK = "/desk/adverse-events"
FORM = {
    "kind": "drug", "patient_name": "龚一", "patient_phone": "19900000005", "happened_at": "2026-01-02T09:00", "damage": "severe",
    "description": "服药后 <b>喉头水肿</b>", "cause": "药品过敏，待查", "measures": "送急诊抢救", "improvements": "加强过敏史询问",
}  # fmt: skip


async def events(db: Database) -> list[AdverseEvent]:
    async with unit_of_work(db) as session:
        return list(await session.scalars(select(AdverseEvent)))


async def test_a_report_goes_from_the_clerk_to_the_quality_department_and_is_settled(
    browsers: Callable[[], Browser], db: Database
) -> None:
    clerk, quality = browsers(), browsers()
    await clerk.logs_in(CLERK)
    await quality.logs_in(QUALITY)

    said = await clerk.post(f"{DESK}/report", **FORM)
    [row] = await events(db)
    page = (await quality.get(f"{DESK}/{row.id}")).text
    alarms = (await quality.get("/desk/alarms")).text
    accepted = await quality.post(
        f"{DESK}/{row.id}/accept", kind="drug", grade="1", note="已组织讨论", seen="1"
    )
    closed = await quality.post(f"{DESK}/{row.id}/close", note="已整改并反馈科室", seen="1")

    assert [one.status_code for one in (said, accepted, closed)] == [303] * 3
    assert "服药后 &lt;b&gt;喉头水肿&lt;/b&gt;" in page
    assert ("龚一" in page, "龚*" in page, "199****0005" in page) == (False, True, True)
    assert row.number in alarms
    assert "龚" not in alarms
    assert "已整改并反馈科室" in (await clerk.get(f"{DESK}/{row.id}")).text
    assert row.number in (await clerk.get(f"{DESK}?view=closed")).text


async def test_a_refused_form_comes_back_with_everything_typed_and_every_issue(
    browser: Browser, db: Database
) -> None:
    await browser.logs_in(PHARMACIST)
    form = re.search(r'name="form_id" value="([0-9a-f-]+)"', (await browser.get(DESK)).text)
    assert form is not None

    answer = await browser.post(
        f"{DESK}/report", **FORM | {"form_id": form[1], "patient_phone": "123", "cause": "不明", "damage": ""}
    )

    assert answer.status_code == 422
    for typed in ("龚一", 'value="123"', "送急诊抢救", "不明", form[1], "2026-01-02T09:00"):
        assert typed in answer.text
    for name in ("patient_phone", "cause", "damage"):
        assert f'id="wrong-{name}"' in answer.text
    assert await events(db) == []


async def test_a_click_too_many_makes_no_second_report(browser: Browser, db: Database) -> None:
    await browser.logs_in(CLERK)
    form = "01890000-0000-7000-8000-00000000ae01"

    answers = [await browser.post(f"{DESK}/report", form_id=form, **FORM) for _ in range(2)]

    assert [one.status_code for one in answers] == [303, 303]
    assert len(await events(db)) == 1


@pytest.mark.parametrize("member", [CLERK, DOCTOR, PHARMACIST], ids=lambda member: member.role)
async def test_nobody_looks_at_the_report_of_another(
    browsers: Callable[[], Browser], db: Database, member: Member
) -> None:
    author, other = browsers(), browsers()
    await author.logs_in(PHARMACIST if member is CLERK else CLERK)
    await author.post(f"{DESK}/report", **FORM)
    [row] = await events(db)
    await other.logs_in(member)

    assert (await other.get(f"{DESK}/{row.id}")).status_code == (403 if member is DOCTOR else 404)
    assert row.number not in (await other.get(DESK)).text
    told = {name: FORM[name] for name in FORM if not name.startswith(("kind", "patient"))}
    refused = await other.post(f"{DESK}/{row.id}/supplement", seen="1", **told)
    assert refused.status_code == (403 if member is DOCTOR else 404)
    assert [one.reports for one in await events(db)] == [1]


async def test_looks_are_written_down_refused_ones_too(browsers: Callable[[], Browser], db: Database) -> None:
    clerk, other = browsers(), browsers()
    await clerk.logs_in(CLERK)
    await clerk.post(f"{DESK}/report", **FORM)
    [row] = await events(db)
    await other.logs_in(PHARMACIST)
    await clerk.get(f"{DESK}/{row.id}")
    await other.get(f"{DESK}/{row.id}")

    async with unit_of_work(db) as session:
        query = select(AuditEvent).where(AuditEvent.action == "adverse_event.view").order_by(AuditEvent.at)
        lines = [(one.actor_id, one.outcome, one.code) for one in await session.scalars(query)]
    assert lines == [(CLERK.id, "ok", ""), (PHARMACIST.id, "refused", "not_found")]


async def test_a_doctor_reports_without_her_shift_and_sees_nobody(browser: Browser, db: Database) -> None:
    await browser.logs_in(DOCTOR)

    said = await browser.post(f"{DESK}/report", **FORM)
    [row] = await events(db)
    page = await browser.get(DESK)

    assert said.status_code == 303
    assert row.number not in page.text
    assert "开始上班后可查看" in page.text
    assert (await browser.get(f"{DESK}/{row.id}")).status_code == 403
