import re
from collections.abc import Callable

import pytest
from sqlalchemy import select

from backend.app import DESKS
from foundation.db.audit import AuditEvent
from foundation.db.unit_of_work import Database, unit_of_work
from tests.small_world import CLERK, DOCTOR, DUTY_DESK, PHARMACIST, QUALITY, Member
from tests.unit.desk.complaints import a_complaint
from tests.unit.desk.conftest import Browser

pytestmark = pytest.mark.anyio

PAGES = [page for desk in DESKS for page in desk.PAGES]
ACTIONS = [action for desk in DESKS for action in getattr(desk, "ACTIONS", [])]
NO_ID = "01890000-0000-7000-8000-000000000000"
WHO = {
    PHARMACIST: {
        "/desk/reviews",
        "/desk/dispenses",
        "/desk/stock",
        "/desk/appraisals",
        "/desk/review-figures",
        "/desk/e-prescriptions",
        "/desk/on-call",
        "/desk/shift",
        "/desk/adverse-events",
    },
    CLERK: {
        "/desk/dispenses",
        "/desk/payments",
        "/desk/refunds",
        "/desk/prices",
        "/desk/reconciliation",
        "/desk/e-bills",
        "/desk/e-prescriptions",
        "/desk/complaints",
        "/desk/adverse-events",
        "/desk/parked",
        "/desk/alarms",
        "/desk/kept-copies",
        "/desk/calls",
        "/desk/counter",
        "/desk/eligibility",
        "/desk/pauses",
    },
    QUALITY: {
        "/desk/appraisals",
        "/desk/review-figures",
        "/desk/complaints",
        "/desk/adverse-events",
        "/desk/alarms",
        "/desk/supervision",
        "/desk/inquiries",
        "/desk/submissions",
        "/desk/statements",
        "/desk/connections",
        "/desk/recordings",
        "/desk/look-ins",
        "/desk/eligibility",
    },
    DOCTOR: {"/desk/shift", "/desk/adverse-events"},
    DUTY_DESK: {"/desk/calls", "/desk/escalations", "/desk/pauses", "/desk/waiting", "/desk/eligibility"},
}


def filled(path: str) -> str:
    """The path with ids of nothing in it."""
    return re.sub(r"\{\w+\}", NO_ID, path)


@pytest.mark.parametrize("member", WHO, ids=lambda member: member.role)
async def test_a_role_sees_its_pages_and_no_others(browser: Browser, member: Member) -> None:
    await browser.logs_in(member)

    seen = {page.path: (await browser.get(filled(page.path))).status_code for page in PAGES}

    assert {path for path, status in seen.items() if status == 200} == WHO[member]
    assert {status for path, status in seen.items() if "{" not in path} <= {200, 403}
    assert {status for path, status in seen.items() if "{" in path} <= {403, 404}


@pytest.mark.parametrize("member", WHO, ids=lambda member: member.role)
async def test_the_menu_shows_what_the_role_may_open(browser: Browser, member: Member) -> None:
    await browser.logs_in(member)

    text = (await browser.get("/desk/nowhere")).text

    assert {page.path for page in PAGES if f'<a href="{page.path}"' in text} == WHO[member]


@pytest.mark.parametrize("member", WHO, ids=lambda member: member.role)
async def test_a_role_does_only_what_its_json_routes_allow(browser: Browser, member: Member) -> None:
    await browser.logs_in(member)
    forbidden = [action for action in ACTIONS if member.role not in action.does.roles]

    for action in forbidden:
        answer = await browser.post(filled(action.path))
        assert answer.status_code == 403, action.path


async def test_without_a_session_every_page_asks_for_a_login(browser: Browser) -> None:
    for page in PAGES:
        answer = await browser.get(filled(page.path))
        assert answer.headers["location"].startswith("/desk/login"), page.path
    for action in ACTIONS:
        answer = await browser.post(filled(action.path), csrf="")
        assert answer.headers["location"].startswith("/desk/login"), action.path


async def test_live_streams_are_for_those_who_see_the_page(browsers: Callable[[], Browser]) -> None:
    stranger, clerk = browsers(), browsers()
    await clerk.logs_in(CLERK)

    assert (await stranger.get("/desk/reviews/live")).status_code == 401
    assert (await clerk.get("/desk/reviews/live")).status_code == 403


async def test_a_refused_look_is_written_down(browser: Browser, db: Database) -> None:
    await browser.logs_in(CLERK)

    await browser.get(f"/desk/reviews/{NO_ID}")

    async with unit_of_work(db) as session:
        query = select(AuditEvent).where(AuditEvent.action == "prescription.view")
        line = (await session.scalars(query)).one()
    assert (line.actor_id, line.outcome, line.code, line.subject_id) == (
        CLERK.id,
        "refused",
        "forbidden",
        NO_ID,
    )


async def test_a_look_at_a_complaint_is_written_down(browser: Browser, db: Database) -> None:
    complaint = await a_complaint(db)
    await browser.logs_in(QUALITY)

    assert (await browser.get(f"/desk/complaints/{complaint}")).status_code == 200

    async with unit_of_work(db) as session:
        query = select(AuditEvent).where(AuditEvent.action == "complaint.view")
        line = (await session.scalars(query)).one()
    assert (line.actor_id, line.outcome, line.subject_id) == (QUALITY.id, "ok", str(complaint))
