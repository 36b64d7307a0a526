"""Our client of the e-bill platform before the stand-in: as written, and when answers are lost, broken or a no."""

from collections.abc import AsyncIterator
from datetime import datetime

import pytest

from backend.outside.e_bill import BillItem, BillRequest, EBillRefused, IssuedBill
from backend.outside.e_bill_platform import EBillPlatform
from backend.outside.insurance import Split
from backend.outside.signed import SignedClient
from foundation.errors import Unavailable
from foundation.ids import new_id
from tests.contract.written import listening, sample, unlike
from tests.database import SharedClock
from tests.town import KEY, SECRET, Town

pytestmark = pytest.mark.anyio

PAID_AT = datetime.fromisoformat("2026-11-20T09:00:00+08:00")
WHY = "医生停诊，全额退款"


@pytest.fixture
async def platform(town: Town, clock: SharedClock) -> AsyncIterator[EBillPlatform]:
    client = EBillPlatform(SignedClient(town.ebill, KEY, SECRET, clock, "电子票据平台"), town.ebill)
    yield client
    await client.close()


@pytest.fixture
def wanted() -> BillRequest:
    """Each test's own: the platform forgets nothing."""
    split = Split(3500, 800, 0, 700)
    return BillRequest(
        f"BILL-{new_id().hex}", "林秀兰", "4200000000000001", PAID_AT, [BillItem("诊察费", 5000)], split
    )


def red_of(wanted: BillRequest) -> str:
    return wanted.request_id.replace("BILL", "RED")


def told(bill: IssuedBill) -> tuple[str, str]:
    return bill.code, bill.number


async def test_a_bill_and_its_reversal_are_asked_for_and_answered_as_written(
    platform: EBillPlatform, wanted: BillRequest
) -> None:
    heard = listening(platform.client.http)

    bill = await platform.issue(wanted)
    red = await platform.red(told(bill), red_of(wanted), WHY)

    (_, asked, status, answer), (_, red_asked, red_status, red_answer) = heard
    assert unlike(sample("e_bill/issue/1-issued-request.json"), asked) == []
    assert unlike(sample("e_bill/issue/1-issued-response-201.json"), answer) == []
    assert unlike(sample("e_bill/red/1-reversed-request.json"), red_asked) == []
    assert unlike(sample("e_bill/red/1-reversed-response-201.json"), red_answer) == []
    assert (status, red_status) == (201, 201)
    assert (red.kind, red.red_of, red.total) == ("red", bill.number, -5000)


async def test_a_bill_whose_answer_was_lost_is_found_and_not_issued_twice(
    platform: EBillPlatform, wanted: BillRequest, town: Town
) -> None:
    town.faults["ebill"].replace({"lose_answers": True})
    with pytest.raises(Unavailable):
        await platform.issue(wanted)
    town.faults["ebill"].clear()

    found, again = await platform.query(wanted.request_id), await platform.issue(wanted)

    assert found is not None
    assert told(found) == told(again)


async def test_a_reversal_whose_answer_was_lost_is_the_same_reversal(
    platform: EBillPlatform, wanted: BillRequest, town: Town
) -> None:
    bill = await platform.issue(wanted)
    town.faults["ebill"].replace({"lose_answers": True})
    with pytest.raises(Unavailable):
        await platform.red(told(bill), red_of(wanted), WHY)
    town.faults["ebill"].clear()

    found, again = await platform.query(red_of(wanted)), await platform.red(told(bill), red_of(wanted), WHY)

    assert found is not None
    assert told(found) == told(again)


@pytest.mark.parametrize("fault", ["down", "garbage"])
async def test_no_answer_and_one_that_cannot_be_read_are_neither_yes_nor_no(
    platform: EBillPlatform, wanted: BillRequest, town: Town, fault: str
) -> None:
    town.faults["ebill"].replace({fault: True})

    for ask in (
        platform.issue(wanted),
        platform.query(wanted.request_id),
        platform.red(("1", "2"), "RED-1", WHY),
    ):
        with pytest.raises(Unavailable):
            await ask


async def test_a_no_is_told_in_the_platforms_words(
    platform: EBillPlatform, wanted: BillRequest, town: Town
) -> None:
    town.faults["ebill"].replace({"refuse": "票据已用完"})

    with pytest.raises(EBillRefused, match="票据已用完"):
        await platform.issue(wanted)


async def test_a_signature_that_is_not_ours_is_no_refusal_of_the_bill(
    platform: EBillPlatform, wanted: BillRequest, town: Town, clock: SharedClock
) -> None:
    """Jobs wait for the key to be put right; nobody's bill was refused."""
    stranger = EBillPlatform(SignedClient(town.ebill, KEY, "wrong", clock, "电子票据平台"), town.ebill)

    with pytest.raises(Unavailable) as refused:
        await stranger.issue(wanted)

    assert refused.value.code == "e_bill_sign_error"
    assert await platform.query(wanted.request_id) is None
    await stranger.close()


async def test_what_was_never_asked_for_is_none(platform: EBillPlatform) -> None:
    assert await platform.query("BILL-9999") is None
