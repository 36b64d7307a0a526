"""Deadlines of a prescription."""

from backend.context import Context
from backend.payment import queries as payments
from backend.payment.states import PaymentState
from backend.practitioner import queries as practitioners
from backend.prescription import queries, service, sheets
from backend.prescription.states import PrescriptionState
from contracts import events
from foundation.actor import SYSTEM
from foundation.db.advance import advance
from foundation.db.intents import Handler, Work
from foundation.db.locks import lock_stream
from foundation.db.unit_of_work import unit_of_work


async def expire(work: Work[Context]) -> None:
    """Its days are over and nobody paid. A paid one never expires."""
    async with unit_of_work(work.context.db) as session:
        row = await queries.prescription(session, work.subject)
        await lock_stream(session, row.stream)
        payment = await payments.of_subject(session, service.SUBJECT, row.id)
        if payment is not None and payment.state is PaymentState.CONFIRMED:
            return
        await session.refresh(row)
        if row.state is not PrescriptionState.APPROVED:
            return
        pharmacist = (
            await practitioners.practitioner(session, row.pharmacist_id) if row.pharmacist_id else None
        )
        event = events.PrescriptionExpired(
            visit=await queries.visit_of(session, row), prescription=queries.snapshot(row),
            pharmacist=practitioners.snapshot(pharmacist) if pharmacist else None,
            expired_at=work.context.clock.now(),
        )  # fmt: skip
        await advance(session, row, "expire", SYSTEM, event=event)
        await work.context.wiring.on_withdrawn[service.SUBJECT](session, work.context, row.id)


HANDLERS: dict[str, Handler] = {service.EXPIRE: expire, service.SHEET: sheets.make_sheet}
