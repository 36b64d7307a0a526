"""A record as a sheet of paper, signed by its doctor, and as a file of evidence."""

from sqlalchemy.ext.asyncio import AsyncSession

from backend.content.service import hospital
from backend.context import Context
from backend.record.contents import content_of
from backend.record.model import MedicalRecord
from backend.record.service import SHEET, SUBJECT
from backend.sheet.evidence import evidence
from backend.sheet.fields import Field
from backend.sheet.model import Sheet
from backend.sheet.service import Order, Signer, at_stage, make
from backend.signature import service as signatures
from foundation.canonical import canonical
from foundation.clock import local
from foundation.db.intents import Handler, Work
from foundation.db.unit_of_work import unit_of_work
from foundation.errors import Conflict, NotFound

AUTHOR = Field("Author", (58, 78, 216, 106))
SEXES = {"male": "男", "female": "女"}


async def _order(session: AsyncSession, row: MedicalRecord) -> Order:
    content = row.written
    words = {
        "hospital": (await hospital(session)).name, "date": f"{local(row.written_at):%Y-%m-%d}",
        "sex": SEXES.get(content.patient_sex, "未说明"), "digest": row.digest.hex()[:16],
    }  # fmt: skip
    signer = Signer("author", AUTHOR, "书写病历", content.practitioner)
    return Order(SUBJECT, row.id, "record", canonical(content), words, row.written_at, (signer,), (AUTHOR,))


async def make_sheet(work: Work[Context]) -> None:
    """Render and sign this version."""
    async with unit_of_work(work.context.db) as session:
        order = await _order(session, await session.get_one(MedicalRecord, work.subject))
    await make(work.context, order)


async def finished(session: AsyncSession, row: MedicalRecord) -> Sheet:
    """The signed sheet of this version. `Conflict` in the seconds after signing."""
    found = await at_stage(session, SUBJECT, row.id, row.digest, 1)
    if found is None:
        raise Conflict("病历文件正在生成，请稍后再试", code="sheet_pending")
    return found


async def proof(context: Context, row: MedicalRecord) -> bytes:
    """Content and signature as a file for `backend/sheet/verify_sheet.py`."""
    async with unit_of_work(context.db) as session:
        author = await signatures.standing(session, SUBJECT, row.id, "author")
    if author is None:
        raise NotFound("病历尚未签名", code="no_sheet")
    content = await content_of(context, row)
    return await evidence(context, content, [(author, content)])


HANDLERS: dict[str, Handler] = {SHEET: make_sheet}
