"""The prescription as a sheet of paper (处方笺, 处方管理办法 附件 1) and as a file of evidence."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.context import Context
from backend.practitioner import queries as practitioners
from backend.prescription import queries
from backend.prescription.model import PrescriptionRow
from backend.prescription.reviewing import CONFIRMER, REVIEWER, verdict_of
from backend.prescription.rules import stated_words
from backend.prescription.service import SUBJECT
from backend.prescription.states import PrescriptionState
from backend.review.draft import Stated
from backend.sheet.evidence import evidence
from backend.sheet.fields import Field
from backend.sheet.model import Sheet
from backend.sheet.service import Order, Signer, at_stage, make
from backend.signature import service as signatures
from foundation.canonical import canonical
from foundation.clock import local
from foundation.db.intents import Work
from foundation.db.unit_of_work import unit_of_work
from foundation.errors import Conflict, NotFound

DOCTOR = Field("Prescriber", (30, 112, 170, 137))
PHARMACIST = Field("Pharmacist", (212, 112, 352, 137))
SECOND = Field("SecondPharmacist", (212, 75, 352, 100))
"""Of the second pharmacist, where there was one; without one it stays empty."""
BEFORE_REVIEW = (
    PrescriptionState.DRAFT, PrescriptionState.IN_REVIEW, PrescriptionState.CHECKING, PrescriptionState.RETURNED,
)  # fmt: skip
SEXES = {"male": "男", "female": "女"}


async def _order(session: AsyncSession, row: PrescriptionRow) -> Order:
    content = row.content
    words = {
        "total": f"{content.total / 100:.2f} 元", "valid": f"{content.valid_days} 日内有效", "payer": "以结算为准",
        "date": f"{local(row.written_at):%Y-%m-%d}", "sex": SEXES.get(content.patient_sex, "未说明"),
        "digest": row.digest.hex()[:16],
        "stated": "；".join(stated_words(content.stated or Stated(), await queries.taken_elsewhere(session, row))),
    }  # fmt: skip
    signers = [Signer("prescriber", DOCTOR, "开具处方", content.prescriber)]
    # Not before the prescription holds: until then nobody knows whether another pharmacist has to sign, too.
    reviewed = row.reviewed_at is not None and row.state not in BEFORE_REVIEW
    confirmed = reviewed and row.confirmed_by is not None
    if reviewed:
        verdict = "endorsed" if confirmed else "approved"
        signers.append(
            await _pharmacist(session, PHARMACIST, (REVIEWER, "审核通过", verdict), row.pharmacist_id)
        )
    if confirmed:
        signers.append(
            await _pharmacist(session, SECOND, (CONFIRMER, "复核通过", "approved"), row.confirmed_by)
        )
    return Order(
        SUBJECT, row.id, "prescription", canonical(content), words, row.written_at, tuple(signers),
        (DOCTOR, PHARMACIST, SECOND), whole=reviewed,
    )  # fmt: skip


async def _pharmacist(
    session: AsyncSession, field: Field, said: tuple[str, str, str], who: UUID | None
) -> Signer:
    """`said` is purpose, reason, verdict: `endorsed` asks for another pharmacist's signature after it."""
    assert who is not None
    purpose, reason, verdict = said
    return Signer(purpose, field, reason, (await practitioners.practitioner(session, who)).name, verdict)


async def make_sheet(work: Work[Context]) -> None:
    """Bring the sheet to where the prescription is."""
    async with unit_of_work(work.context.db) as session:
        order = await _order(session, await queries.prescription(session, work.subject))
    await make(work.context, order)


async def finished(session: AsyncSession, row: PrescriptionRow) -> Sheet:
    """The sheet with all signatures. `NotFound` before the review, `Conflict` in the seconds after it."""
    if row.reviewed_at is None or await signatures.standing(session, SUBJECT, row.id, REVIEWER) is None:
        raise NotFound("处方经药师审核后才有处方笺", code="no_sheet")
    found = await at_stage(session, SUBJECT, row.id, row.digest, 2 if row.confirmed_by is None else 3)
    if found is None:
        raise Conflict("处方笺正在生成，请稍后再试", code="sheet_pending")
    return found


async def proof(context: Context, row: PrescriptionRow) -> bytes:
    """Content and signatures as a file for `backend/sheet/verify_sheet.py`."""
    async with unit_of_work(context.db) as session:
        doctor = await signatures.standing(session, SUBJECT, row.id, "prescriber")
        found = [await signatures.standing(session, SUBJECT, row.id, one) for one in (REVIEWER, CONFIRMER)]
    if doctor is None:
        raise NotFound("处方尚未签名", code="no_sheet")
    said = [(one, verdict_of(one.signer_id, row, doctor.value)) for one in found if one is not None]
    return await evidence(context, row.content, [(doctor, row.content), *said])
