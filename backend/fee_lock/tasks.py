"""Asking the hospital to keep a fee from its window, and to give it free."""

import asyncio
from datetime import timedelta
from uuid import UUID

from backend.context import Context
from backend.eligibility.service import hospital_patient
from backend.fee_lock import service
from backend.fee_lock.model import FeeLock
from backend.fee_lock.service import LIFT, Fee
from backend.outside.his import HospitalRefused
from backend.payment.model import Payment
from backend.policy import policy
from contracts import his
from foundation.actor import SYSTEM
from foundation.db.audit import audit
from foundation.db.intents import Handler, Work
from foundation.db.unit_of_work import unit_of_work
from foundation.errors import Conflict, NotFound, Unavailable
from foundation.logs import log

PATIENCE = timedelta(seconds=2)
"""Somebody holds her phone and waits."""
TAKEN = "fee_taken"


async def keep_from_window(context: Context, payment_id: UUID) -> None:
    """Before the order is placed. `Conflict` when the window has charged the fee or holds it; anything else lets her pay."""
    async with unit_of_work(context.db) as session:
        payment = await session.get_one(Payment, payment_id)
        fee = await service.fee_of(session, payment)
        if fee is None or fee.kind not in policy().fee_lock:
            return
        row = await service.wanted(session, payment)
    if row.held_at is not None:
        return
    try:
        async with asyncio.timeout(PATIENCE.total_seconds()):
            held = await _lock(context, row, fee)
    except HospitalRefused as error:
        await _refused(context, row, payment_id, error.code)
    except (Unavailable, NotFound, TimeoutError) as error:
        log.warning("fee_not_locked", code=getattr(error, "code", "") or "too_slow")
    else:
        async with unit_of_work(context.db) as session:
            await service.answered(session, row.id, held=held)


async def _lock(context: Context, row: FeeLock, fee: Fee) -> bool:
    request = his.LockFee(
        purpose="payment", request_id=row.id, patient_id=await _patient(context, fee), appointment_id=fee.appointment_id,
        kind=fee.kind, fee_number=fee.number, amount=fee.amount, until=row.until,
    )  # fmt: skip
    return (await context.hospital.call(request, his.FeeLock)).held


async def _refused(context: Context, row: FeeLock, payment_id: UUID, code: str) -> None:
    async with unit_of_work(context.db) as session:
        await service.answered(session, row.id, refused=code)
        if code == TAKEN:
            audit(session, SYSTEM, "fee_lock.ask", "payment", payment_id, outcome="refused", code=code)
    if code == TAKEN:
        raise Conflict("医院窗口已收取或正在收取这笔费用，请勿重复支付", code=TAKEN)
    log.info("hospital_locks_no_fees", code=code)


async def lift(work: Work[Context]) -> None:
    """The bill was given up. Tried again while the lock could still be held; after that it has ended by itself."""
    context = work.context
    async with unit_of_work(context.db) as session:
        row = await session.get_one(FeeLock, work.subject)
        fee = await service.fee_of(session, await session.get_one(Payment, row.payment_id))
    if row.ended_at is not None or fee is None:
        return
    refused = ""
    if context.clock.now() < row.until:
        try:
            await context.hospital.call(await _unlocking(context, row, fee), his.Acknowledged)
        except (HospitalRefused, NotFound) as error:
            refused = error.code
    async with unit_of_work(context.db) as session:
        await service.answered(session, row.id, refused=refused)


async def _unlocking(context: Context, row: FeeLock, fee: Fee) -> his.UnlockFee:
    return his.UnlockFee(
        purpose="payment", request_id=row.lift_id, patient_id=await _patient(context, fee),
        appointment_id=fee.appointment_id, kind=fee.kind, fee_number=fee.number,
    )  # fmt: skip


async def _patient(context: Context, fee: Fee) -> str:
    found = await hospital_patient(context, fee.person)
    if found is None:
        raise NotFound("医院没有该就诊人的档案", code="patient_not_found")
    return found


HANDLERS: dict[str, Handler] = {LIFT: lift}
