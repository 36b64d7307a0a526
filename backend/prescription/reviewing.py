"""The pharmacist's side: approve with a signature, or return with a reason. Only people decide here."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.escalation import service as escalation
from backend.escalation.rules import Kind
from backend.notification.rules import PRESCRIPTION_APPROVED
from backend.notification.service import tell
from backend.outside.ca import SignatureValue
from backend.patient import queries as patients
from backend.practitioner import queries as practitioners
from backend.prescription import queries, rules
from backend.prescription.model import PrescriptionRow, Review
from backend.prescription.service import SHEET, SUBJECT, expires, post
from backend.prescription.signing import ReviewVerdict, digest_of
from backend.review.draft import Severity
from backend.shift.service import require as require_shift
from backend.signature import service as signatures
from backend.signature.service import Wanted
from backend.writeback.service import write_back
from contracts import events
from foundation.actor import Actor
from foundation.clock import local
from foundation.db.advance import advance
from foundation.db.intents import intend
from foundation.db.locks import lock, lock_stream
from foundation.db.unit_of_work import clock_of, touch
from foundation.errors import Conflict, Forbidden


async def want_approval(session: AsyncSession, actor: Actor, row: PrescriptionRow) -> Wanted:
    """First half: not her own, the doctor's signature still stands for this content, then the verdict to sign."""
    await lock_stream(session, row.stream)
    row = await lock(session, PrescriptionRow, row.id)
    row.MACHINE.find(row.state, "approve")
    if row.valid_until is not None and clock_of(session).now() >= row.valid_until:
        raise Conflict("处方已过有效期，请退回医生", code="prescription_expired")
    if issues := rules.own_prescription(row.prescriber_id, actor.id):
        raise Forbidden(issues[0].message, code="own_prescription", issues=issues)
    doctor = await signatures.standing(session, SUBJECT, row.id, "prescriber")
    if doctor is None or not signatures.holds(doctor, row.content) or digest_of(row.content) != row.digest:
        raise Conflict("医生签名与处方内容不符，请退回医生", code="signature_mismatch")
    return await signatures.want(
        session, actor, SUBJECT, row.id, "pharmacist", verdict_of(actor.id, row, doctor.value)
    )


def verdict_of(pharmacist: UUID | None, row: PrescriptionRow, doctor_signature: str) -> ReviewVerdict:
    """What the pharmacist signs: the content's digest, the doctor's signature over it, and the word."""
    return ReviewVerdict(
        prescription_id=row.id, prescription_digest=row.digest.hex(), doctor_signature=doctor_signature,
        verdict="approved", pharmacist=str(pharmacist),
    )  # fmt: skip


async def approved(
    session: AsyncSession, actor: Actor, row: PrescriptionRow, wanted: Wanted, value: SignatureValue
) -> PrescriptionRow:
    """Second half: from here it may be paid (医院办法 Art 20)."""
    assert actor.id is not None
    await lock_stream(session, row.stream)
    row = await lock(session, PrescriptionRow, row.id)
    await signatures.keep(session, actor, wanted, value)
    now = clock_of(session).now()
    pharmacist = await practitioners.practitioner(session, actor.id)
    findings = [one.message for one in row.findings if one.severity is not Severity.INFO]
    event = events.PrescriptionApproved(
        visit=await queries.visit_of(session, row), prescription=queries.snapshot(row),
        pharmacist=practitioners.snapshot(pharmacist), approved_at=now, signature=value.signature,
        rational=not findings, findings=findings,
    )  # fmt: skip
    if await advance(session, row, "approve", actor, event=event, reviewed_at=now, pharmacist_id=actor.id):
        _note(session, actor, row, approved=True)
        await expires(session, row)
        await intend(session, SHEET, row.id)
        await write_back(session, _appointment(row), "prescription", row.id)
        await _tell_patient(session, row)
        await post(session, row, "approved")
    return row


async def return_to_doctor(
    session: AsyncSession, actor: Actor, row: PrescriptionRow, *, category: str, item: int | None, reason: str
) -> PrescriptionRow:
    """Send it back with category, line and reason; the doctor is told."""
    assert actor.id is not None
    await lock_stream(session, row.stream)
    await require_shift(session, actor)
    row = await lock(session, PrescriptionRow, row.id)
    pharmacist = await practitioners.practitioner(session, actor.id)
    now = clock_of(session).now()
    event = events.PrescriptionReturned(
        visit=await queries.visit_of(session, row), prescription=queries.snapshot(row),
        pharmacist=practitioners.snapshot(pharmacist), returned_at=now, category=category, reason=reason,
    )  # fmt: skip
    changes = {"reviewed_at": now, "pharmacist_id": actor.id}
    if await advance(session, row, "return_to_doctor", actor, event=event, **changes):
        _note(session, actor, row, approved=False, category=category, item=item, reason=reason)
        await signatures.void_all(session, SUBJECT, row.id)
        touch(session, f"queue:{row.prescriber_id}")
        await escalation.raise_one(
            session, Kind.RETURNED, row.id, row.prescriber_id, about="处方被药师退回",
            link=f"/doctor/visits/{row.encounter_id}",
        )  # fmt: skip
        await post(session, row, "returned")
    return row


def _note(
    session: AsyncSession, actor: Actor, row: PrescriptionRow, *, approved: bool, category: str = "",
    item: int | None = None, reason: str = "",
) -> None:  # fmt: skip
    session.add(
        Review(
            prescription_id=row.id, pharmacist_id=actor.id, approved=approved, digest=row.digest, category=category,
            item=item, reason=reason, at=clock_of(session).now(),
        )
    )  # fmt: skip


async def _tell_patient(session: AsyncSession, row: PrescriptionRow) -> None:
    assert row.valid_until is not None
    data = {
        "thing1": "处方已通过药师审核",
        "time2": f"{local(row.valid_until):%Y-%m-%d %H:%M}",
        "thing3": "请在截止时间前支付",
    }
    for account_id in await patients.accounts_for(session, row.person_id):
        link = f"/prescriptions/{row.id}"
        await tell(session, account_id, PRESCRIPTION_APPROVED, data, link=link, subject_id=row.id)


def _appointment(row: PrescriptionRow) -> UUID:
    return UUID(row.stream.removeprefix("visit:"))
