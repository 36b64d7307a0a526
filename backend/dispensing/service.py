"""Ordering, handing over, completing."""

import secrets
from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from hmac import compare_digest
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from backend.alarm.service import over, ring
from backend.context import Context
from backend.dispensing import preparing, queries, rules
from backend.dispensing.model import Dispense, ParcelLine, PickupAttempt, Receiver
from backend.dispensing.states import DispenseState
from backend.formulary.queries import catalogue_version
from backend.notification.rules import PARCEL_SHIPPED
from backend.notification.service import tell
from backend.outside.courier import ParcelEvent
from backend.patient import queries as patients
from backend.payment import queries as payments
from backend.payment import service as money
from backend.payment.model import Payment
from backend.payment.rules import REFUND_RULES, Line, RefundReason
from backend.policy import policy
from backend.practitioner import queries as practitioners
from backend.prescription import queries as prescriptions
from backend.prescription import service as prescribing
from backend.prescription.model import PrescriptionRow
from backend.prescription.service import SUBJECT
from backend.pricing.service import DELIVERY, price
from backend.shift.service import require as require_shift
from backend.stock import service as stock
from backend.writeback.service import write_back
from contracts import events
from foundation.actor import SYSTEM, Actor
from foundation.clock import local
from foundation.db.advance import advance
from foundation.db.audit import audit
from foundation.db.base import hospital_id
from foundation.db.intents import intend, withdraw
from foundation.db.locks import lock, lock_stream
from foundation.db.unit_of_work import clock_of, touch
from foundation.errors import AppError, Conflict, Gone, Invalid, Issue, NotFound
from foundation.ids import new_id

SHIP = "dispense.ship"
TRACK = "dispense.track"
LAPSE = "dispense.lapse"
CARRIER = "示范速递"


async def order(
    session: AsyncSession,
    actor: Actor,
    row: PrescriptionRow,
    method: str,
    receiver: Receiver,
    *,
    retail_ban: bool,
) -> tuple[Dispense, Payment]:
    """Choose delivery and open the bill. Only from `approved`, only while valid; asking again gives the same bill.

    `retail_ban`: the national list of what may not be sold online applies.
    """
    assert actor.id is not None
    await lock_stream(session, row.stream)
    if known := await queries.of_prescription(session, row.id):
        payment = await payments.of_subject(session, SUBJECT, row.id)
        assert payment is not None
        return known, payment
    issues = rules.receiver_issues(method, receiver.name, receiver.phone, receiver.address)
    if issues := issues + await queries.leaving_issues(session, row, method, retail_ban=retail_ban):
        raise Invalid(issues=issues)
    row = await lock(session, PrescriptionRow, row.id)
    await advance(session, row, "order", actor)
    now = clock_of(session).now()
    if row.valid_until is None or now >= row.valid_until:
        raise Gone("处方已过有效期，请联系医生", code="prescription_expired")
    lines = await _lines(session, row, method)
    dispense = Dispense(
        id=new_id(), prescription_id=row.id, stream=row.stream, person_id=row.person_id, method=method,
        receiver=_needed(receiver, method), delivery_fee=lines[-1].amount if method == "courier" else 0, ordered_at=now,
        pickup_code=None if method == "courier" else f"{secrets.randbelow(10**6):06d}",
    )  # fmt: skip
    session.add(dispense)
    packs: Counter[str] = Counter()
    for item in row.content.items:
        packs[item.drug_code] += item.quantity
    await stock.reserve(session, dispense.id, packs, {one.drug_code: one.name for one in row.content.items})
    payment = await money.open_payment(
        session, subject_kind=SUBJECT, subject_id=row.id, stream=row.stream, account_id=actor.id,
        person_id=row.person_id, lines=lines, description="互联网医院处方药费", expires_at=row.valid_until,
    )  # fmt: skip
    audit(session, actor, "dispense.order", "prescription", row.id, detail={"method": method})
    return dispense, payment


def _needed(receiver: Receiver, method: str) -> Receiver:
    """An address is kept only where somebody brings something."""
    return receiver if method == "courier" else Receiver(receiver.name, receiver.phone, "")


async def _lines(session: AsyncSession, row: PrescriptionRow, method: str) -> list[Line]:
    version = await catalogue_version(session)
    lines = [
        Line(item.drug_code, item.name, item.unit_price, item.quantity, version) for item in row.content.items
    ]
    if method == "courier":
        fee = await price(session, DELIVERY)
        lines.append(Line(fee.code, fee.name, fee.amount, 1, fee.version))
    return lines


async def on_paid(session: AsyncSession, context: Context, prescription_id: UUID) -> None:
    """The drugs are paid: the pharmacy prepares them. Paid too late means money back."""
    row = await prescriptions.prescription(session, prescription_id)
    payment = await payments.of_subject(session, SUBJECT, prescription_id)
    dispense = await queries.of_prescription(session, prescription_id)
    assert payment is not None
    assert dispense is not None
    if row.state != "approved" or dispense.state != DispenseState.PREPARATION:
        await money.request_refund(session, SYSTEM, payment, RefundReason.PRESCRIPTION_EXPIRED)
        return
    dispense.paid_at = clock_of(session).now()
    await intend(session, LAPSE, dispense.id, due=row.valid_until)
    await write_back(session, _appointment(row.stream), "charge.prescription", payment.id)
    touch(session, "pharmacy", row.stream)


async def on_withdrawn(session: AsyncSession, context: Context, prescription_id: UUID) -> None:
    """The prescription was cancelled or expired: nothing is dispensed, an open bill is closed, paid money goes back."""
    dispense = await queries.of_prescription(session, prescription_id)
    if dispense is None:
        return
    if dispense.state == DispenseState.PREPARATION:
        await advance(session, dispense, "cancel", SYSTEM, ended_at=clock_of(session).now())
        await _give_back(session, dispense)
    payment = await payments.of_subject(session, SUBJECT, prescription_id)
    if payment is not None:
        await money.cancel(session, SYSTEM, payment)
        await money.request_refund(session, SYSTEM, payment, RefundReason.PRESCRIPTION_CANCELLED)
    touch(session, "pharmacy")


async def _give_back(session: AsyncSession, dispense: Dispense) -> None:
    """It will not leave: packs and their codes are free for others."""
    await stock.release(session, dispense.id)
    await preparing.free_codes(session, dispense)


async def lapse(session: AsyncSession, dispense_id: UUID) -> bool:
    """Paid, and not handed over while the prescription was valid (practice.md 13): it ends, and the money goes back."""
    dispense = await queries.dispense(session, dispense_id)
    await lock_stream(session, dispense.stream)
    dispense = await lock(session, Dispense, dispense_id)
    if dispense.state is not DispenseState.PREPARATION or dispense.paid_at is None:
        return False
    reason = REFUND_RULES[RefundReason.PRESCRIPTION_EXPIRED].words
    await advance(session, dispense, "cancel", SYSTEM, ended_at=clock_of(session).now(), reason=reason)
    await _give_back(session, dispense)
    row = await prescriptions.prescription(session, dispense.prescription_id)
    await prescribing.cancel(session, SYSTEM, row, reason)
    payment = await payments.of_subject(session, SUBJECT, dispense.prescription_id)
    assert payment is not None
    await money.request_refund(session, SYSTEM, payment, RefundReason.PRESCRIPTION_EXPIRED)
    touch(session, "pharmacy")
    return True


async def hand_over(
    session: AsyncSession, actor: Actor, dispense: Dispense, checks: Collection[str], *, retail_ban: bool,
    pickup_code: str = "", without_code: str = "",
) -> Dispense:  # fmt: skip
    """The pharmacist has made the four checks (四查十对): to the courier, or over the counter to who knows the code.

    `without_code` says how she was recognised who has lost it; `retail_ban` as in `order`, looked at again.
    """
    assert actor.id is not None
    await lock_stream(session, dispense.stream)
    await require_shift(session, actor)
    dispense = await lock(session, Dispense, dispense.id)
    if dispense.paid_at is None:
        raise Conflict("药费尚未支付，不能发药", code="not_paid")
    if dispense.prepared_at is None:
        raise Conflict("请先登记调配完成", code="not_prepared")
    if issues := rules.check_issues(checks):
        raise Invalid(issues[0].message, issues=issues, code="checks_missing")
    if dispense.method == "pickup" and dispense.state is DispenseState.PREPARATION:
        _recognise(dispense, pickup_code, without_code)
    row = await prescriptions.prescription(session, dispense.prescription_id)
    if dispense.state is DispenseState.PREPARATION:
        await preparing.require_may_leave(session, row, dispense.method, retail_ban=retail_ban)
    now = clock_of(session).now()
    moved = await advance(
        session, dispense, "hand_over", actor, handed_over_at=now, pharmacist_id=actor.id, checks=list(rules.CHECKS),
        without_code=without_code or None,
    )  # fmt: skip
    if not moved:
        return dispense
    await advance(session, row, "fill", actor)
    await stock.issue(session, dispense.id)
    await withdraw(session, LAPSE, dispense.id)
    await write_back(session, _appointment(row.stream), "dispense", dispense.id)
    if dispense.method == "courier":
        await intend(session, SHIP, dispense.id)
    else:
        await complete(session, actor, dispense)
    return dispense


async def try_code(session: AsyncSession, actor: Actor, dispense_id: UUID, code: str) -> AppError | None:
    """Count a pick-up code before it is believed: the refusal, or None when it fits or when nobody picks up here.

    Returned, not raised: the count must stay when the hand-over does not. One at a time per person and per order, so that many
    presses at once are no more tries than one after the other. A locked person hands nothing over the counter, not by a
    written word either; of a locked order only the code is not looked at.
    """
    assert actor.id is not None
    await lock_stream(session, f"pickup:{actor.id}")
    dispense = await queries.dispense(session, dispense_id)
    await lock_stream(session, dispense.stream)
    await require_shift(session, actor)
    dispense = await lock(session, Dispense, dispense_id)
    if dispense.method != "pickup" or dispense.state is not DispenseState.PREPARATION:
        return None
    now, length = clock_of(session).now(), timedelta(minutes=policy().pickup_lock_minutes)
    mine = await queries.wrong_codes(session, now - length, actor_id=actor.id)
    until = rules.locked_until(mine, policy().pickup_tries_person, length)
    if until is not None:
        return _locked(until, "您多次输入错误的取药码", "请由另一位药师核对发药", "pickup_person_locked")
    if not code.strip():
        return None
    tries = policy().pickup_tries
    wrong = await queries.wrong_codes(session, now - length, dispense_id=dispense.id)
    if until := rules.locked_until(wrong, tries, length):
        return _locked(
            until, "该订单的取药码多次输入错误", "请核对取药人身份证件，并写明如何核验", "pickup_locked"
        )
    fits = bool(dispense.pickup_code) and compare_digest(
        code.strip().encode(), (dispense.pickup_code or "").encode()
    )
    session.add(PickupAttempt(dispense_id=dispense.id, actor_id=actor.id, fits=fits, at=now))
    if fits:
        return None
    left = tries - len(wrong) - 1
    audit(
        session, actor, "dispense.pickup_code", "dispense", dispense.id, outcome="refused",
        code="wrong" if left else "locked", detail={"wrong": str(len(wrong) + 1)},
    )  # fmt: skip
    words = (
        f"取药码不对，还可以试 {left} 次"
        if left
        else f"取药码不对，{policy().pickup_lock_minutes} 分钟内不再接受取药码"
    )
    return Invalid(
        words, issues=[Issue("pickup_code", "wrong", f"{words}；没有取药码的，请填写如何核验取药人")]
    )


def _locked(until: datetime, why: str, what: str, code: str) -> Conflict:
    words = f"{why}，{local(until):%H:%M} 前不再接受。{what}"
    return Conflict(words, code=code, issues=[Issue("pickup_code", "locked", words)])


def _recognise(dispense: Dispense, pickup_code: str, without_code: str) -> None:
    """By the code on her phone, else by what the pharmacist writes down."""
    if dispense.pickup_code and compare_digest(pickup_code.strip().encode(), dispense.pickup_code.encode()):
        return
    if pickup_code.strip() or len(without_code.strip()) < 4:
        raise Invalid(
            "取药码不对", issues=[Issue("pickup_code", "wrong", "取药码不对，或填写如何核验取药人")]
        )


async def decline(session: AsyncSession, actor: Actor, dispense: Dispense, reason: str) -> Dispense:
    """Out of stock or not fit to be dispensed: the prescription ends, and the money goes back."""
    await lock_stream(session, dispense.stream)
    now = clock_of(session).now()
    if await advance(session, dispense, "decline", actor, reason=reason, ended_at=now):
        await _give_back(session, dispense)
        payment = await payments.of_subject(session, SUBJECT, dispense.prescription_id)
        if payment is not None:
            await money.cancel(session, SYSTEM, payment)
            await money.request_refund(session, actor, payment, RefundReason.OUT_OF_STOCK)
        row = await prescriptions.prescription(session, dispense.prescription_id)
        await prescribing.cancel(session, SYSTEM, row, reason)
    return dispense


async def shipped(session: AsyncSession, dispense_id: UUID, waybill: str) -> None:
    """The courier took the order."""
    dispense = await lock(session, Dispense, dispense_id)
    if dispense.waybill:
        return
    dispense.waybill, dispense.parcel_status = waybill, "accepted"
    await intend(session, TRACK, dispense_id, due=_ask_at(session))
    touch(session, dispense.stream)
    data = {"character_string1": waybill, "thing2": CARRIER, "thing3": "药品已发出，请留意查收"}
    for account_id in await patients.accounts_for(session, dispense.person_id):
        link = f"/prescriptions/{dispense.prescription_id}"
        await tell(session, account_id, PARCEL_SHIPPED, data, link=link, subject_id=dispense.id)


async def tracked(
    session: AsyncSession, dispense_id: UUID, status: str, way: Sequence[ParcelEvent]
) -> Dispense:
    """What the courier says now: the timeline grows, the end of it ends the dispense."""
    dispense = await queries.dispense(session, dispense_id)
    await lock_stream(session, dispense.stream)
    dispense = await lock(session, Dispense, dispense_id)
    now = clock_of(session).now()
    for line in way:
        statement = insert(ParcelLine).values(
            id=new_id(), hospital_id=hospital_id(), dispense_id=dispense_id, sequence=line.sequence,
            status=line.status[:20], place=line.place[:80], note=line.note, at=line.at,
        )  # fmt: skip
        await session.execute(statement.on_conflict_do_nothing())
    dispense.parcel_status = status[:20]
    touch(session, dispense.stream)
    if status == rules.DELIVERED:
        await complete(session, SYSTEM, dispense)
    elif status in rules.LOST and dispense.state == DispenseState.IN_PROGRESS:
        await advance(session, dispense, "stop", SYSTEM, ended_at=now, reason=rules.LABELS[status])
    if dispense.state is DispenseState.IN_PROGRESS:
        await intend(session, TRACK, dispense_id, due=_ask_at(session))
    await _watch(session, dispense, max([line.at for line in way], default=dispense.handed_over_at or now))
    return dispense


def _ask_at(session: AsyncSession) -> datetime:
    """A lost callback must not leave a parcel on its way for ever: it is asked about without one."""
    return clock_of(session).now() + timedelta(hours=policy().parcel_ask_hours)


async def _watch(session: AsyncSession, dispense: Dispense, moved_at: datetime) -> None:
    """Rings for what needs a person: a word we do not know, an exception, silence. Over when it moves on."""
    way = dispense.state is DispenseState.IN_PROGRESS
    still = clock_of(session).now() - moved_at >= timedelta(hours=policy().parcel_silent_hours)
    troubles = {
        "parcel_unknown": way and dispense.parcel_status not in rules.KNOWN,
        "parcel_exception": way and dispense.parcel_status == "exception",
        "parcel_silent": way and still,
    }
    for kind, there in troubles.items():
        if there:
            await ring(
                session, kind, dispense.id, f"运单 {dispense.waybill}", link=f"/desk/dispenses/{dispense.id}"
            )
        else:
            await over(session, kind, dispense.id)


async def complete(session: AsyncSession, actor: Actor, dispense: Dispense) -> bool:
    """In the patient's hands; the supervisor gets prescription and fulfilment."""
    row = await prescriptions.prescription(session, dispense.prescription_id)
    payment = await payments.of_subject(session, SUBJECT, row.id)
    assert payment is not None
    assert row.pharmacist_id is not None
    assert row.reviewed_at is not None
    pharmacist = await practitioners.practitioner(session, row.pharmacist_id)
    now = clock_of(session).now()
    courier = dispense.method == "courier"
    event = events.DispenseCompleted(
        visit=await prescriptions.visit_of(session, row), prescription=prescriptions.snapshot(row),
        pharmacist=practitioners.snapshot(pharmacist), approved_at=row.reviewed_at,
        findings=[one.message for one in row.findings if one.severity != "info"], payment=payments.snapshot(payment),
        dispense_id=dispense.id, delivery_type="2" if courier else "0", carrier=CARRIER if courier else "",
        carrier_person="", waybill=dispense.waybill, delivery_fee=dispense.delivery_fee,
        handed_over_at=dispense.handed_over_at or now, completed_at=now, receiver=dispense.receiver.name,
        prepared_by=await _who(session, dispense.prepared_by), prepared_at=dispense.prepared_at,
        checked_by=await _who(session, dispense.pharmacist_id), issued_by=await _who(session, dispense.pharmacist_id),
    )  # fmt: skip
    return await advance(session, dispense, "complete", actor, event=event, ended_at=now)


async def _who(session: AsyncSession, staff_id: UUID | None) -> events.Practitioner | None:
    """Who did it, as filed; None for what nobody did, or was done by somebody who is no practitioner of ours."""
    if staff_id is None:
        return None
    try:
        return practitioners.snapshot(await practitioners.practitioner(session, staff_id))
    except NotFound:
        return None


def _appointment(stream: str) -> UUID:
    return UUID(stream.removeprefix("visit:"))
