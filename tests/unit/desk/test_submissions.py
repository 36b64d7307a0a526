"""The desk of records that wait for people: what was typed stays with its own record and its own form."""

import re
import ssl
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest

from backend.app import create_app
from backend.context import Context
from backend.outside.adapter import SupervisionAdapter
from contracts import supervision_desk as wire
from foundation.errors import Conflict
from foundation.ids import new_id
from tests.small_world import QUALITY
from tests.unit.desk.conftest import Browser

pytestmark = pytest.mark.anyio
NOW = datetime(2026, 11, 22, 3, tzinfo=UTC)
WHY = "药品目录已补编码，请再报"


def rejected(number: int) -> wire.RecordView:
    return wire.RecordView(
        id=new_id(), event_id=new_id(), event_type="prescription.approved", number=number, day=date(2026, 11, 22),
        occurred_at=NOW, profile="shanghai", method="uploadPrescription", kind="处方", business_number=f"RX-{number}",
        state="rejected", label="被退回", attempts=1, ambiguous=0, waits_for=[], fields=[], reply_code="-99",
        reply_text="缺少药品编码", receipt="", due_at=NOW, seconds=60, carried=None,
    )  # fmt: skip


class Adapter(SupervisionAdapter):
    """Two records wait; nothing may be done about them."""

    def __init__(self) -> None:
        super().__init__("https://adapter.test", ssl.create_default_context())
        self.waiting = [rejected(1), rejected(2)]
        self.shown: list[dict[str, str]] = []

    async def records(self, **query: str) -> wire.Records:
        self.shown.append(query)
        return wire.Records(len(self.waiting), self.waiting)

    async def resubmit(self, row_id: UUID, act: wire.Act) -> wire.RecordView:
        raise Conflict("这条记录已经在途中", code="not_waiting")


@pytest.fixture
def adapter() -> Adapter:
    return Adapter()


@pytest.fixture
def app(context: Context, adapter: Adapter) -> Any:
    return create_app(replace(context, adapter=adapter))


def cards(text: str) -> list[str]:
    """A record each, in the order of the page; of those that wait, last the form for all of one code."""
    return re.findall(r'<section class="card">.*?</section>', text, re.DOTALL)


async def test_a_reason_that_was_refused_stays_with_its_record(browser: Browser, adapter: Adapter) -> None:
    await browser.logs_in(QUALITY)

    again = await browser.post(f"/desk/submissions/{adapter.waiting[1].id}/resubmit?show=all", reason=WHY)

    first, second = cards(again.text)
    assert again.status_code == 409
    assert "这条记录已经在途中" in again.text
    assert second.count(f'value="{WHY}"') == 1
    assert re.search(r'<details class="more" open>', second)
    assert WHY not in first
    assert not re.search(r'<details class="more" open>', first)
    assert adapter.shown[-1] == {"show": "all"}


async def test_a_reason_too_short_is_said_beside_the_form_it_was_typed_in(
    browser: Browser, adapter: Adapter
) -> None:
    await browser.logs_in(QUALITY)

    again = await browser.post(f"/desk/submissions/{adapter.waiting[0].id}/carry-over", reason="缺")

    first, second, all_of_a_code = cards(again.text)
    resubmit, carry_over = first.split("<form")[1:]
    assert again.status_code == 422
    assert ('value="缺"' in carry_over, 'id="wrong-reason"' in carry_over) == (True, True)
    assert not any(
        'value="缺"' in part or "wrong-reason" in part for part in (resubmit, second, all_of_a_code)
    )


async def test_what_all_of_a_code_are_sent_again_for_stays_in_its_own_form(
    browser: Browser, adapter: Adapter
) -> None:
    await browser.logs_in(QUALITY)

    again = await browser.post("/desk/submissions/resubmit", code="-99", reason="补")

    first, second, all_of_a_code = cards(again.text)
    assert again.status_code == 422
    assert 'value="-99"' in all_of_a_code
    assert 'value="补"' in all_of_a_code
    assert 'id="wrong-reason"' in all_of_a_code
    assert 'value="补"' not in first + second
