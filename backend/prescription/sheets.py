"""The prescription as a sheet of paper (处方笺, 处方管理办法 附件 1) and as a file of evidence."""

from sqlalchemy.ext.asyncio import AsyncSession

from backend.context import Context
from backend.practitioner import queries as practitioners
from backend.prescription import queries
from backend.prescription.model import PrescriptionRow
from backend.prescription.reviewing import verdict_of
from backend.prescription.rules import stated_words
from backend.prescription.service import SUBJECT
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

DOCTOR = Field("Prescriber", (30, 78, 188, 106))
PHARMACIST = Field("Pharmacist", (212, 78, 370, 106))
SEXES = {"male": "男", "female": "女"}


async def _order(session: AsyncSession, row: PrescriptionRow) -> Order:
    content = row.content
    words = {
        "total": f"{content.total / 100:.2f} 元", "valid": f"{content.valid_days} 日内有效", "payer": "以结算为准",
        "date": f"{local(row.written_at):%Y-%m-%d}", "sex": SEXES.get(content.patient_sex, "未说明"),
        "digest": row.digest.hex()[:16],
        "stated": "；".join(stated_words(content.stated or Stated(), await queries.taken_elsewhere(session, row))),
    }  # fmt: skip
    pharmacist = await practitioners.practitioner(session, row.pharmacist_id) if row.pharmacist_id else None
    return Order(
        SUBJECT, row.id, "prescription", canonical(content), words, row.written_at,
        (
            Signer("prescriber", DOCTOR, "开具处方", content.prescriber),
            Signer("pharmacist", PHARMACIST, "审核通过", pharmacist.name if pharmacist else "", "approved"),
        ),
    )  # fmt: skip


async def make_sheet(work: Work[Context]) -> None:
    """Bring the sheet to where the prescription is."""
    async with unit_of_work(work.context.db) as session:
        order = await _order(session, await queries.prescription(session, work.subject))
    await make(work.context, order)


async def finished(session: AsyncSession, row: PrescriptionRow) -> Sheet:
    """The sheet with both signatures. `NotFound` before the review, `Conflict` in the seconds after it."""
    if row.reviewed_at is None or await signatures.standing(session, SUBJECT, row.id, "pharmacist") is None:
        raise NotFound("处方经药师审核后才有处方笺", code="no_sheet")
    found = await at_stage(session, SUBJECT, row.id, row.digest, 2)
    if found is None:
        raise Conflict("处方笺正在生成，请稍后再试", code="sheet_pending")
    return found


async def proof(context: Context, row: PrescriptionRow) -> bytes:
    """Content and signatures as a file for `tools/verify_sheet.py`."""
    async with unit_of_work(context.db) as session:
        doctor = await signatures.standing(session, SUBJECT, row.id, "prescriber")
        pharmacist = await signatures.standing(session, SUBJECT, row.id, "pharmacist")
    if doctor is None:
        raise NotFound("处方尚未签名", code="no_sheet")
    if pharmacist is None:
        return await evidence(context, row.content, [(doctor, row.content)])
    verdict = verdict_of(pharmacist.signer_id, row, doctor.value)
    return await evidence(context, row.content, [(doctor, row.content), (pharmacist, verdict)])
