"""The desk's page of the hospital's copies: counts, what was refused, another try with its reason."""

from uuid import UUID

import pytest

from backend.kept_copy.model import KeptCopy
from backend.kept_copy.states import KeptState
from foundation.db.unit_of_work import Database, unit_of_work
from foundation.ids import new_id
from tests.small_world import CLERK, DOCTOR
from tests.unit.desk.conftest import Browser

pytestmark = pytest.mark.anyio
PAGE = "/desk/kept-copies"


async def a_copy(db: Database, state: KeptState, code: str = "") -> UUID:
    """A sheet's."""
    async with unit_of_work(db) as session:
        row = KeptCopy(
            id=new_id(), object_key=f"sheets/2026/11/23/{new_id()}.pdf", kind="sheet", subject_id=new_id(),
            encounter_id=new_id(), state=state, size=1_500_000, refused_code=code, asked_at=db.clock.now(),
        )  # fmt: skip
        session.add(row)
    return row.id


async def test_the_page_counts_every_state_and_says_what_is_to_be_done(
    browser: Browser, db: Database
) -> None:
    await a_copy(db, KeptState.REQUESTED)
    await a_copy(db, KeptState.DROPPED)
    await a_copy(db, KeptState.REFUSED, "kept_otherwise")
    await browser.logs_in(CLERK)

    page = (await browser.get(PAGE)).text

    for words in ("待留存", "云端已清除", "未能留存", "签名文书", "1.5 MB", "同名而内容不同"):
        assert words in page


async def test_a_refused_copy_is_tried_again_with_a_reason(browser: Browser, db: Database) -> None:
    row_id = await a_copy(db, KeptState.REFUSED, "kept_otherwise")
    await browser.logs_in(CLERK)

    short = await browser.post(f"{PAGE}/{row_id}/retry", reason="好")
    done = await browser.post(f"{PAGE}/{row_id}/retry", reason="信息科已移走重名文件")

    assert (short.status_code, done.status_code) == (422, 303)
    async with unit_of_work(db) as session:
        assert (await session.get_one(KeptCopy, row_id)).state is KeptState.REQUESTED


async def test_a_doctor_has_no_business_there(browser: Browser) -> None:
    await browser.logs_in(DOCTOR)

    assert (await browser.get(PAGE)).status_code in (303, 403)
