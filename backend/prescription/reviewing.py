"""The pharmacist's side: approve with a signature, or return with a reason. Only people decide here."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.escalation import service as escalation
from backend.escalation.rules import Kind
from backend.notification.rules import PRESCRIPTION_APPROVED
from backend.notification.service import tell
from backend.outside.ca import SignatureValue
from backend.patient import queries as patients
from backend.policy import policy
from backend.practitioner import queries as practitioners
from backend.prescription import queries, rules
from backend.prescription.model import PrescriptionRow, Review
from backend.prescription.rules import SecondEyes
from backend.prescription.service import SHEET, SUBJECT, expires, post, waits
from backend.prescription.signing import ReviewVerdict, digest_of
from backend.prescription.states import PrescriptionState
from backend.review.draft import Severity
from backend.review.engine import needs_reason
from backend.shift.service import pharmacists_on_duty
from backend.shift.service import require as require_shift
from backend.signature import service as signatures
from backend.signature.service import Wanted
from backend.writeback.service import write_back
from contracts import events
from foundation.actor import Actor
from foundation.clock import local
from foundation.db.advance import advance
from foundation.db.guards import guarded
from foundation.db.intents import intend
from foundation.db.locks import lock, lock_stream
from foundation.db.unit_of_work import clock_of, touch
from foundation.errors import Conflict, Forbidden, Invalid

REVIEWER, CONFIRMER = "pharmacist", "second_pharmacist"
"""Purposes of the two pharmacists' signatures."""


async def want_approval(session: AsyncSession, actor: Actor, row: PrescriptionRow) -> Wanted:
    """First half: not her own, the doctor's signature still stands for this content, then the verdict to sign.

    The second pharmacist of a needs-a-reason case signs the same verdict under a purpose of her own.
    """
    await lock_stream(session, row.stream)
    row = await lock(session, PrescriptionRow, row.id)
    confirming = row.state is PrescriptionState.CHECKING
    row.MACHINE.find(row.state, "approve" if confirming else "endorse")
    if confirming and (issues := rules.confirming_issues(row.pharmacist_id, actor.id)):
        raise Forbidden(issues[0].message, code="same_pharmacist", issues=issues)
    if row.valid_until is not None and clock_of(session).now() >= row.valid_until:
        raise Conflict("处方已过有效期，请退回医生", code="prescription_expired")
    if issues := rules.own_prescription(row.prescriber_id, actor.id):
        raise Forbidden(issues[0].message, code="own_prescription", issues=issues)
    doctor = await signatures.standing(session, SUBJECT, row.id, "prescriber")
    if doctor is None or not signatures.holds(doctor, row.content) or digest_of(row.content) != row.digest:
        raise Conflict("医生签名与处方内容不符，请退回医生", code="signature_mismatch")
    purpose = CONFIRMER if confirming else REVIEWER
    verdict = verdict_of(actor.id, row, doctor.value)
    return await signatures.want(session, actor, SUBJECT, row.id, purpose, verdict)


def verdict_of(pharmacist: UUID | None, row: PrescriptionRow, doctor_signature: str) -> ReviewVerdict:
    """What the pharmacist signs: the content's digest, the doctor's signature over it, and the word."""
    return ReviewVerdict(
        prescription_id=row.id, prescription_digest=row.digest.hex(), doctor_signature=doctor_signature,
        verdict="approved", pharmacist=str(pharmacist),
    )  # fmt: skip


async def approved(
    session: AsyncSession, actor: Actor, row: PrescriptionRow, wanted: Wanted, value: SignatureValue
) -> PrescriptionRow:
    """Second half: from here it may be paid (医院办法 Art 20), unless another pharmacist has to look first."""
    await lock_stream(session, row.stream)
    row = await lock(session, PrescriptionRow, row.id)
    kept = await signatures.keep(session, actor, wanted, value)
    if row.state is PrescriptionState.APPROVED:
        return row
    if row.state is PrescriptionState.CHECKING:
        if guarded("second_pair_of_eyes") and kept.purpose != CONFIRMER:
            if row.pharmacist_id == actor.id:
                return row  # pressed twice: her own word is there already, and one word is not two
            raise Conflict("另一位药师刚刚审核通过，请作为第二位药师复核", code="now_to_confirm")
        return await _approve(session, actor, row, confirming=True)
    others = await pharmacists_on_duty(session, besides=[one for one in (actor.id, row.prescriber_id) if one])
    # The engine says no more that a reason is needed once one is written: a written one is the same case.
    needed = needs_reason(row.findings) or bool(row.content.reason.strip())
    eyes = rules.second_eyes(needed=needed, mode=policy().second_pharmacist, others_on_duty=others)
    if eyes is not SecondEyes.PHARMACIST:
        row.second_eyes = eyes
        return await _approve(session, actor, row, confirming=False)
    now = clock_of(session).now()
    waited = _waited(session, row)
    moved = await advance(
        session, row, "endorse", actor, pharmacist_id=actor.id, endorsed_at=now, second_eyes=eyes
    )
    if moved:
        _note(session, actor, row, approved=True, waited=waited)
        await waits(session, row)
        touch(session, "reviews")
    return row


async def _approve(
    session: AsyncSession, actor: Actor, row: PrescriptionRow, *, confirming: bool
) -> PrescriptionRow:
    """Both halves are there: the supervisor is told with the signature of who reviewed it."""
    assert actor.id is not None
    reviewer = row.pharmacist_id if confirming and row.pharmacist_id else actor.id
    signature = await signatures.standing(session, SUBJECT, row.id, REVIEWER)
    assert signature is not None
    now, waited = clock_of(session).now(), _waited(session, row)
    findings = [one.message for one in row.findings if one.severity is not Severity.INFO]
    event = events.PrescriptionApproved(
        visit=await queries.visit_of(session, row), prescription=queries.snapshot(row),
        pharmacist=practitioners.snapshot(await practitioners.practitioner(session, reviewer)), approved_at=now,
        signature=signature.value, rational=not findings, findings=findings,
    )  # fmt: skip
    changes = {
        "reviewed_at": now,
        "pharmacist_id": reviewer,
        "confirmed_by": actor.id if confirming else None,
    }
    if await advance(session, row, "approve", actor, event=event, **changes):
        _note(session, actor, row, approved=True, second=confirming, waited=waited)
        await escalation.close(session, Kind.REVIEW, row.id, "reviewed")
        await expires(session, row)
        await intend(session, SHEET, row.id)
        await write_back(session, _appointment(row), "prescription", row.id)
        await _tell_patient(session, row)
        await post(session, row, "approved")
    return row


def _waited(session: AsyncSession, row: PrescriptionRow) -> int:
    """Seconds since it came to the desk, or since the first pharmacist's word."""
    since = row.endorsed_at if row.state is PrescriptionState.CHECKING else row.signed_at
    return int((clock_of(session).now() - (since or row.written_at)).total_seconds())


async def return_to_doctor(
    session: AsyncSession,
    actor: Actor,
    row: PrescriptionRow,
    *,
    category: str,
    item: int | None,
    reason: str,
    point: str = "",
) -> PrescriptionRow:
    """Send it back with category, point, line and reason; the doctor is told. The second pharmacist may do so too."""
    assert actor.id is not None
    if issues := rules.point_issues(category, point):
        raise Invalid(issues[0].message, issues=issues)
    await lock_stream(session, row.stream)
    await require_shift(session, actor)
    row = await lock(session, PrescriptionRow, row.id)
    pharmacist = await practitioners.practitioner(session, actor.id)
    now, waited, second = (
        clock_of(session).now(),
        _waited(session, row),
        row.state is PrescriptionState.CHECKING,
    )
    event = events.PrescriptionReturned(
        visit=await queries.visit_of(session, row), prescription=queries.snapshot(row),
        pharmacist=practitioners.snapshot(pharmacist), returned_at=now, category=category, reason=reason,
    )  # fmt: skip
    changes = {"reviewed_at": now, "pharmacist_id": actor.id}
    if await advance(session, row, "return_to_doctor", actor, event=event, **changes):
        _note(session, actor, row, approved=False, category=category, item=item, reason=reason, point=point,
              second=second, waited=waited)  # fmt: skip
        await signatures.void_all(session, SUBJECT, row.id)
        touch(session, f"queue:{row.prescriber_id}")
        await escalation.raise_one(
            session, Kind.RETURNED, row.id, row.prescriber_id, about="处方被药师退回",
            link=f"/doctor/visits/{row.encounter_id}",
        )  # fmt: skip
        await escalation.close(session, Kind.REVIEW, row.id, "returned")
        touch(session, "reviews")
        await post(session, row, "returned")
    return row


def _note(
    session: AsyncSession, actor: Actor, row: PrescriptionRow, *, approved: bool, category: str = "",
    item: int | None = None, reason: str = "", point: str = "", second: bool = False, waited: int = 0,
) -> None:  # fmt: skip
    session.add(
        Review(
            prescription_id=row.id, pharmacist_id=actor.id, approved=approved, digest=row.digest, category=category,
            item=item, reason=reason, point=point, second=second, waited=waited, at=clock_of(session).now(),
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
