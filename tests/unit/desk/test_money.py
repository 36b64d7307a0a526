"""The money desk in a browser: refunds to decide, prices to approve, differences to settle, each with who did what."""

from collections.abc import Callable
from uuid import UUID

import pytest
from sqlalchemy import select

from backend.account.service import bind_phone
from backend.payment.model import Payment, Refund, Tender
from backend.payment.states import RefundState
from backend.pricing import queries as prices
from backend.pricing import service as pricing
from backend.pricing.model import PriceList
from backend.pricing.rules import digest
from backend.reconciliation import queries as books
from backend.reconciliation import service as reconciliation
from backend.reconciliation.rules import Difference, Kind, Money
from foundation.actor import Actor
from foundation.db.audit import AuditEvent
from foundation.db.unit_of_work import Database, unit_of_work
from foundation.ids import new_id
from tests.database import moves_on
from tests.races.test_money_desk_races import FIGURES
from tests.small_world import CLERK, QUALITY
from tests.unit.desk.conftest import Browser
from tests.unit.desk.test_lists import a_payment

pytestmark = pytest.mark.anyio

OTHER_CLERK = Actor("staff", QUALITY.id, frozenset({"clerk"}), QUALITY.name)


async def a_proposed_refund(db: Database, by: Actor = OTHER_CLERK) -> tuple[UUID, UUID]:
    payment = await a_payment(db, RefundState.PROPOSED)
    async with unit_of_work(db) as session:
        refund = (await session.scalars(select(Refund).where(Refund.payment_id == payment))).one()
        refund.requested_by, refund.rule_id, refund.rule_version = by.id, "P04", "2026.1"
        refund.reason, refund.note = "undelivered", "外包装破损 19900000001"
        refund.approve_by = db.clock.now()
    return payment, refund.id


async def with_phone(db: Database, payment: UUID, phone: str = "19900000001") -> UUID:
    async with unit_of_work(db) as session:
        row = await session.get_one(Payment, payment)
        assert row.account_id is not None
        await bind_phone(session, row.account_id, phone)
    return payment


async def state(db: Database, refund: UUID) -> str:
    async with unit_of_work(db) as session:
        return str((await session.get_one(Refund, refund)).state)


async def test_a_refund_is_approved_at_the_desk_and_says_by_whom(browser: Browser, db: Database) -> None:
    _, refund = await a_proposed_refund(db)
    await browser.logs_in(CLERK)
    text = (await browser.get("/desk/refunds")).text
    assert "1 笔待审批" in text
    assert "已超" in text
    page = (await browser.get(f"/desk/refunds/{refund}")).text
    assert "依据规则 P04" in page
    assert "于敏" in page
    assert "19900000001" not in page

    answer = await browser.post(f"/desk/refunds/{refund}/approve")

    assert answer.headers["location"].startswith(f"/desk/refunds/{refund}?said=")
    page = (await browser.get(f"/desk/refunds/{refund}")).text
    assert "沈洁" in page
    assert "同意退款" in page
    assert await state(db, refund) == "requested"


async def test_who_proposed_a_refund_is_not_offered_to_approve_it(browser: Browser, db: Database) -> None:
    _, refund = await a_proposed_refund(db, CLERK.actor)
    await browser.logs_in(CLERK)

    assert "须由另一位工作人员审批" in (await browser.get(f"/desk/refunds/{refund}")).text
    answer = await browser.post(f"/desk/refunds/{refund}/approve")

    assert answer.status_code == 403
    assert await state(db, refund) == "proposed"
    async with unit_of_work(db) as session:
        line = (await session.scalars(select(AuditEvent).where(AuditEvent.code == "four_eyes"))).one()
    assert (line.actor_id, line.action, line.outcome) == (CLERK.id, "refund.approve", "refused")


async def test_a_rejection_needs_its_reason(browser: Browser, db: Database) -> None:
    _, refund = await a_proposed_refund(db)
    await browser.logs_in(CLERK)

    answer = await browser.post(f"/desk/refunds/{refund}/reject", note="不")
    assert answer.status_code == 422
    assert "至少 4 个字" in answer.text

    await browser.post(f"/desk/refunds/{refund}/reject", note="快递记录显示已签收")
    assert await state(db, refund) == "rejected"


async def test_a_refund_by_agreement_is_proposed_in_yuan(browser: Browser, db: Database) -> None:
    payment = await a_payment(db)
    async with unit_of_work(db) as session:
        session.add(Tender(payment_id=payment, kind="wechat_cash", amount=4660))
    await browser.logs_in(CLERK)
    assert "还可退" in (await browser.get(f"/desk/payments/{payment}/refund")).text

    for wrong in ("", "1,000", "12.345", "-1"):
        answer = await browser.post(f"/desk/payments/{payment}/refund", yuan=wrong, note="投诉核实退费")
        assert answer.status_code == 422
    answer = await browser.post(f"/desk/payments/{payment}/refund", yuan="12.5", note="投诉核实退费")

    assert answer.status_code == 303
    async with unit_of_work(db) as session:
        made = (await session.scalars(select(Refund).where(Refund.payment_id == payment))).one()
    assert (made.amount, made.state, made.requested_by) == (1250, "proposed", CLERK.id)


async def test_an_order_is_found_by_the_whole_phone_number_alone(browser: Browser, db: Database) -> None:
    payment = await with_phone(db, await a_payment(db))
    await browser.logs_in(CLERK)

    assert str(payment) in (await browser.get("/desk/payments?q=19900000001")).text
    assert str(payment) not in (await browser.get("/desk/payments?q=1990000000")).text
    assert str(payment) not in (await browser.get("/desk/payments?q=19900000999")).text


async def test_refunds_are_found_by_number_and_phone(browser: Browser, db: Database) -> None:
    payment, refund = await a_proposed_refund(db)
    await with_phone(db, payment)
    async with unit_of_work(db) as session:
        number = (await session.get_one(Refund, refund)).out_refund_no
    await browser.logs_in(CLERK)

    for words in ("19900000001", number[4:30]):
        assert str(refund) in (await browser.get(f"/desk/refunds?view=all&q={words}")).text
    for words in ("19900000002", "nothing", "%25"):
        assert "没有符合条件的退款" in (await browser.get(f"/desk/refunds?view=all&q={words}")).text


async def test_a_price_list_is_prepared_by_one_and_approved_by_another(
    browsers: Callable[[], Browser], db: Database
) -> None:
    clerk = browsers()
    await clerk.logs_in(CLERK)
    await clerk.post("/desk/prices/new", note="年度调价（示例）")
    async with unit_of_work(db) as session:
        row = (await session.scalars(select(PriceList).where(PriceList.state == "draft"))).one()
    here = f"/desk/prices/{row.id}"
    answer = await clerk.post(
        f"{here}/set", code="visit.follow_up", name="互联网复诊诊查费", yuan="35.5", basis=""
    )
    assert answer.status_code == 303
    page = (await clerk.get(here)).text
    assert "1 项有变动" in page
    assert "¥30.00" in page
    assert "¥35.50" in page
    assert "须由另一位工作人员批准" in page
    assert (await clerk.post(f"{here}/approve", effective_on="2026-11-21", seen="0" * 64)).status_code == 403

    async with unit_of_work(db) as session:
        items = [one.price for one in await prices.items(session, row.version)]
        seen = digest(row.version, items)
        await pricing.approve(session, OTHER_CLERK, row.id, db.clock.today().replace(day=25), seen)

    page = (await clerk.get(here)).text
    assert "于敏" in page
    assert "撤回这一版" in page
    assert "核对无误" not in page


async def a_difference(db: Database) -> tuple[UUID, UUID]:
    async with unit_of_work(db) as session:
        await reconciliation.ensure_days(session)
        row = await books.by_day(session, db.clock.today())
        assert row is not None
    moves_on(db.clock, days=1, hours=1)
    found = [Difference(Kind.AMOUNT_PROVIDER, Money.CHARGE, "=4200001", "o1", 3000, 3001)]
    compared = reconciliation.Compared(
        dict.fromkeys(FIGURES, 3000), found, 1, "a" * 40, "b" * 40, "s/x", "c" * 64
    )
    async with unit_of_work(db) as session:
        await reconciliation.begin(session, row.id)
    async with unit_of_work(db) as session:
        await reconciliation.finished(session, row.id, compared)
        return row.id, (await books.differences(session, row.id))[0].id


async def test_a_difference_is_settled_at_the_desk_and_the_day_closes(browser: Browser, db: Database) -> None:
    day, difference = await a_difference(db)
    await browser.logs_in(CLERK)
    text = (await browser.get("/desk/reconciliation")).text
    assert "1 笔差异待处理" in text
    assert "¥30.01" in (await browser.get(f"/desk/reconciliation/{day}")).text
    assert "¥0.01" in (await browser.get(f"/desk/differences/{difference}")).text

    short = await browser.post(f"/desk/differences/{difference}/settle", resolution="written_off", note="无")
    assert short.status_code == 422
    await browser.post(
        f"/desk/differences/{difference}/settle", resolution="explained_by_provider", note="微信次日更正"
    )

    page = (await browser.get(f"/desk/differences/{difference}")).text
    assert "微信支付已说明原因" in page
    assert "沈洁" in page
    assert "已结账" in (await browser.get(f"/desk/reconciliation/{day}")).text


async def test_the_report_is_a_file_for_excel_without_formulas(browser: Browser, db: Database) -> None:
    day, _ = await a_difference(db)
    await browser.logs_in(CLERK)

    answer = await browser.get(f"/desk/reconciliation/{day}/csv")

    assert answer.headers["content-disposition"] == 'attachment; filename="reconciliation-2026-11-20.csv"'
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.content.startswith(b"\xef\xbb\xbf")
    text = answer.content.decode("utf-8-sig")
    assert '"\'=4200001"' in text
    assert '"30.00","30.01","0.01"' in text
    async with unit_of_work(db) as session:
        lines = await session.scalars(select(AuditEvent).where(AuditEvent.action == "reconciliation.export"))
        assert [line.actor_id for line in lines] == [CLERK.id]


async def test_what_is_not_there_is_a_page_that_says_so(browser: Browser) -> None:
    await browser.logs_in(CLERK)

    for path in ("refunds", "prices", "reconciliation", "differences"):
        assert (await browser.get(f"/desk/{path}/{new_id()}")).status_code == 404


@pytest.mark.parametrize(
    ("given_up", "words"), [(True, "由本院工作人员关闭"), (False, "微信支付关闭了这笔退款")]
)
async def test_the_page_of_a_closed_refund_says_who_closed_it(
    browser: Browser, db: Database, given_up: bool, words: str
) -> None:
    payment = await a_payment(db, RefundState.CLOSED)
    async with unit_of_work(db) as session:
        refund = (await session.scalars(select(Refund).where(Refund.payment_id == payment))).one()
        refund.given_up_at = db.clock.now() if given_up else None
    await browser.logs_in(CLERK)

    text = (await browser.get(f"/desk/refunds/{refund.id}")).text

    assert words in text
    assert ("微信支付关闭了这笔退款" in text) is not given_up
