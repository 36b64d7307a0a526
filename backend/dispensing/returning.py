"""What came back: into quarantine, judged by a pharmacist, the refund by its cause (practice.md 16)."""

from sqlalchemy.ext.asyncio import AsyncSession

from backend.alarm.service import over
from backend.dispensing import rules
from backend.dispensing.model import Dispense
from backend.dispensing.states import DispenseState
from backend.payment import queries as payments
from backend.payment import service as money
from backend.prescription.service import SUBJECT
from backend.shift.service import require as require_shift
from foundation.actor import Actor
from foundation.db.audit import audit
from foundation.db.locks import lock, lock_stream
from foundation.db.unit_of_work import clock_of, touch
from foundation.errors import Conflict


async def quarantine(session: AsyncSession, actor: Actor, dispense: Dispense) -> Dispense:
    """Drugs are back in the pharmacy: kept apart, never on the shelf again. Again changes nothing."""
    await lock_stream(session, dispense.stream)
    await require_shift(session, actor)
    dispense = await lock(session, Dispense, dispense.id)
    if dispense.state not in (DispenseState.STOPPED, DispenseState.COMPLETED):
        raise Conflict("药品没有退回", code="nothing_returned")
    if dispense.quarantined_at is None:
        dispense.quarantined_at, dispense.quarantined_by = clock_of(session).now(), actor.id
        audit(session, actor, "dispense.quarantine", "dispense", dispense.id)
        touch(session, "pharmacy")
    return dispense


async def judge(
    session: AsyncSession, actor: Actor, dispense: Dispense, cause: str, disposal: str, note: str
) -> Dispense:
    """A pharmacist says why drugs came back and what becomes of them; the refund follows the cause."""
    await lock_stream(session, dispense.stream)
    await require_shift(session, actor)
    dispense = await lock(session, Dispense, dispense.id)
    completed = dispense.state is DispenseState.COMPLETED
    issues = rules.return_issues(
        cause=cause, stopped=dispense.state is DispenseState.STOPPED, completed=completed,
        judged=bool(dispense.return_cause),
    ) or rules.back_issues(
        status=dispense.parcel_status, completed=completed, quarantined=dispense.quarantined_at is not None,
        disposal=disposal,
    )  # fmt: skip
    if issues:
        raise Conflict(issues[0].message, code=issues[0].code, issues=issues)
    dispense.return_cause, dispense.return_judged_by = cause, actor.id
    dispense.return_judged_at, dispense.disposal = clock_of(session).now(), disposal
    audit(
        session,
        actor,
        "dispense.judge_return",
        "dispense",
        dispense.id,
        detail={"cause": cause, "disposal": disposal},
    )
    payment = await payments.of_subject(session, SUBJECT, dispense.prescription_id)
    assert payment is not None
    reason, _ = rules.CAUSES[cause]
    await money.request_refund(session, actor, payment, reason, note=note)
    await over(session, "parcel_exception", dispense.id)
    touch(session, "pharmacy")
    return dispense
