"""What the lists of the clerk and the quality department show, with rows as they lie in the database."""

from uuid import UUID

import pytest
from sqlalchemy import select

from backend.app import DESKS
from backend.complaint.model import Complaint
from backend.payment.model import FeeLine, MoneyEvent, Payment, Refund
from backend.payment.states import PaymentState, RefundState
from backend.pricing.service import DELIVERY
from backend.wiring import handlers
from backend.writeback.model import WriteBack
from backend.writeback.service import STEPS
from contracts import events
from foundation.db.intents import Intent
from foundation.db.outbox import publish
from foundation.db.unit_of_work import Database, unit_of_work
from foundation.ids import new_id
from tests.database import moves_on
from tests.small_world import CLERK, QUALITY
from tests.unit.desk.complaints import a_complaint
from tests.unit.desk.conftest import Browser

pytestmark = pytest.mark.anyio


async def a_payment(db: Database, refund: RefundState | None = None) -> UUID:
    """Two drugs and their delivery, paid; money of it on its way back in the given state."""
    complaint_id, now = await a_complaint(db), db.clock.now()
    async with unit_of_work(db) as session:
        complaint = await session.get_one(Complaint, complaint_id)
        row = Payment(
            id=new_id(), subject_kind="prescription", subject_id=new_id(), stream="visit:x", account_id=complaint.account_id,
            person_id=complaint.person_id, state=PaymentState.CONFIRMED, amount=4660, description="药费",
            price_version="2026.1", out_trade_no=new_id().hex, transaction_id=f"42000{new_id().int % 10**12}",
            made_at=now, expires_at=now, paid_at=now,
        )  # fmt: skip
        session.add(row)
        await session.flush()
        for code, name, amount in (
            ("YP001", "苯磺酸氨氯地平片", 1860), ("YP002", "阿卡波糖片", 2000), (DELIVERY, "配送费", 800),
        ):  # fmt: skip
            session.add(
                FeeLine(
                    payment_id=row.id, code=code, name=name, quantity=1, unit_amount=amount, amount=amount,
                    price_version="2026.1",
                )
            )  # fmt: skip
        session.add(
            MoneyEvent(
                payment_id=row.id, kind="received", tender="wechat_cash", amount=4660, provider_reference=row.transaction_id,
                at=now,
            )
        )  # fmt: skip
        if refund is not None:
            session.add(
                Refund(
                    payment_id=row.id, stream="visit:x", state=refund, reason="out_of_stock", amount=4660,
                    out_refund_no=new_id().hex, requested_at=now,
                )
            )  # fmt: skip
    return row.id


async def test_an_order_is_shown_without_the_names_of_its_drugs(browser: Browser, db: Database) -> None:
    payment = await a_payment(db, RefundState.PROCESSING)
    await browser.logs_in(CLERK)

    text = (await browser.get(f"/desk/payments/{payment}")).text

    assert "药品（2 种）" in text
    assert "¥38.60" in text
    assert "配送费" in text
    assert "氨氯地平" not in text
    assert "药品缺货" in text
    assert "退款处理中" in text


async def test_refunds_that_went_wrong_stand_out_and_can_be_listed_alone(
    browser: Browser, db: Database
) -> None:
    fine, wrong = await a_payment(db), await a_payment(db, RefundState.ABNORMAL)
    await browser.logs_in(CLERK)

    everything = (await browser.get("/desk/payments")).text
    abnormal = (await browser.get("/desk/payments?view=abnormal")).text

    assert "1 笔退款异常" in everything
    assert (str(fine) in everything, str(wrong) in everything) == (True, True)
    assert (str(fine) in abnormal, str(wrong) in abnormal) == (False, True)


async def test_an_order_is_found_by_part_of_its_number_and_wildcards_are_letters(
    browser: Browser, db: Database
) -> None:
    payment = await a_payment(db)
    async with unit_of_work(db) as session:
        number = (await session.get_one(Payment, payment)).out_trade_no
    await browser.logs_in(CLERK)

    assert str(payment) in (await browser.get(f"/desk/payments?q={number[5:20]}")).text
    assert "没有符合条件的订单" in (await browser.get("/desk/payments?q=%25")).text


async def test_a_filter_that_is_none_is_no_server_error(browser: Browser) -> None:
    await browser.logs_in(CLERK)

    assert (await browser.get("/desk/payments?view=nonsense&q=" + "x" * 500)).status_code == 200
    assert (await browser.get("/desk/complaints?view=nonsense")).status_code == 200


async def test_work_that_was_given_up_and_steps_the_hospital_refused_wait_for_a_person(
    browser: Browser, db: Database
) -> None:
    now = db.clock.now()
    async with unit_of_work(db) as session:
        session.add(
            Intent(
                kind="refund.drive", subject=str(new_id()), due_at=now, attempts=12, parked_at=now,
                last_error="Conflict: 收款人 19900000001 <余额不足>",
            )
        )  # fmt: skip
        session.add(Intent(kind="payment.settle", subject=str(new_id()), due_at=now, attempts=1))
        session.add(
            WriteBack(
                appointment_id=new_id(), step="record", order=2, subject_id=new_id(), asked_at=now,
                refused_code="hospital_refused",
            )
        )  # fmt: skip
    await browser.logs_in(CLERK)

    text = (await browser.get("/desk/parked")).text

    assert "2 项" in text
    assert "办理退款" in text
    assert "12 次" in text
    assert "199****0001 &lt;余额不足&gt;" in text
    assert "病历" in text
    assert "hospital_refused" in text
    assert "核对支付结果" not in text


async def test_a_place_taken_at_the_hospital_says_what_to_do_until_it_is_done(
    browser: Browser, db: Database
) -> None:
    appointment, now = new_id(), db.clock.now()
    async with unit_of_work(db) as session:
        for step in ("registration", "record"):
            session.add(
                WriteBack(
                    appointment_id=appointment, step=step, order=STEPS[step], subject_id=new_id(), asked_at=now,
                    refused_code="place_taken" if step == "registration" else "hospital_refused",
                )
            )  # fmt: skip
    await browser.logs_in(CLERK)
    words = "院内该时段已被占用，请为患者改约或退费"
    assert words in (await browser.get("/desk/parked")).text

    async with unit_of_work(db) as session:
        session.add(
            WriteBack(
                appointment_id=appointment, step="move", order=STEPS["move"], subject_id=new_id(), asked_at=now,
                acknowledged_at=now,
            )
        )  # fmt: skip

    text = (await browser.get("/desk/parked")).text
    assert words not in text
    assert "hospital_refused" in text


async def test_a_complaint_nobody_answered_in_time_is_marked(browser: Browser, db: Database) -> None:
    await a_complaint(db)
    moves_on(db.clock, days=8)
    await browser.logs_in(QUALITY)

    text = (await browser.get("/desk/complaints")).text

    assert "row-late" in text
    assert "已超期 1 天" in text


async def test_events_the_supervisor_does_not_have_are_counted_and_soon_alarmed(
    browser: Browser, db: Database
) -> None:
    async with unit_of_work(db) as session:
        complaint = await session.scalar(select(Complaint).limit(1))
        assert complaint is None
        changed = events.DrugCatalogueChanged(catalogue_version="d9", drugs=[], changed_at=db.clock.now())
        await publish(session, "catalogue:drug", changed)
    moves_on(db.clock, minutes=6)
    await browser.logs_in(QUALITY)

    text = (await browser.get("/desk/supervision")).text

    assert "药品目录变更" in text
    assert "没有送达，请检查上报系统" in text


async def test_an_event_that_cannot_go_is_shown_with_its_reason(browser: Browser, db: Database) -> None:
    async with unit_of_work(db) as session:
        changed = events.DrugCatalogueChanged(catalogue_version="d9", drugs=[], changed_at=db.clock.now())
        row = await publish(session, "catalogue:drug", changed)
        row.held_times, row.held_reason, row.claimed_until = 3, "unreadable", db.clock.now()
    await browser.logs_in(QUALITY)

    text = (await browser.get("/desk/supervision")).text

    assert "字段密钥缺失，或内容已损坏" in text
    assert "3 次" in text


def test_every_kind_of_work_and_every_event_has_a_word() -> None:
    desks = {desk.__name__.split(".")[1]: desk for desk in DESKS}

    assert set(handlers()) <= set(desks["writeback"].KINDS)
    assert set(STEPS) == set(desks["writeback"].STEPS)
    assert set(events.BY_TYPE) <= set(desks["supervision"].KINDS)
