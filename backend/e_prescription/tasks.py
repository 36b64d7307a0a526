"""The job that brings a prescription into circulation, or out of it."""

from backend.context import Context
from backend.e_prescription import queries, service
from backend.e_prescription.model import EPrescriptionRow
from backend.e_prescription.rules import Step
from backend.outside.e_prescription import Checked, EPrescriptionRefused
from backend.prescription import queries as prescriptions
from backend.prescription import sheets
from backend.prescription.model import PrescriptionRow
from foundation.canonical import canonical
from foundation.db.intents import Handler, TryLater, Work
from foundation.db.unit_of_work import unit_of_work
from foundation.errors import Conflict, NotFound, Unavailable

MOST_STEPS = 6
UNSIGNED = "处方笺尚未签署完毕，完成后自动上传"
SILENT = "医保电子处方中心暂时没有响应，稍后自动重试"


async def drive(work: Work[Context]) -> None:
    """One step after the other, each written down. What is refused waits for a person; silence is tried again."""
    context = work.context
    if not context.e_prescriptions.offered:
        return
    for _ in range(MOST_STEPS):
        async with unit_of_work(context.db) as session:
            step, row = await service.look(session, work.subject)
        if step is Step.NOTHING:
            return
        try:
            await _do(context, step, row)
        except EPrescriptionRefused as refused:
            async with unit_of_work(context.db) as session:
                await service.trouble(session, row.id, refused.detail or refused.title)
            return
        except TryLater:
            async with unit_of_work(context.db) as session:
                await service.trouble(session, row.id, UNSIGNED)
            raise
        except Unavailable:
            async with unit_of_work(context.db) as session:
                await service.trouble(session, row.id, SILENT)
            raise


async def _do(context: Context, step: Step, row: EPrescriptionRow) -> None:
    centre = context.e_prescriptions
    if step is Step.CHECK:
        async with unit_of_work(context.db) as session:
            one = await prescriptions.prescription(session, row.prescription_id)
            content = await queries.content(session, context.settings, one)
        answer = await centre.check(content)
        async with unit_of_work(context.db) as session:
            await service.checked(session, row.id, answer)
    elif step is Step.SIGN:
        async with unit_of_work(context.db) as session:
            one = await prescriptions.prescription(session, row.prescription_id)
        pdf = await _sheet(context, one)
        made = await centre.sign(row.hi_rxno, row.trace_code, canonical(one.content), pdf)
        async with unit_of_work(context.db) as session:
            await service.signed(session, row.id, made)
    elif step is Step.UPLOAD:
        assert row.signed is not None
        await centre.upload(row.hi_rxno, row.trace_code, row.signed)
        async with unit_of_work(context.db) as session:
            await service.uploaded(session, row.id)
    elif step is Step.DROP:
        await _drop(context, row)
    else:
        await centre.undo(row.hi_rxno, "医院已作废处方")
        async with unit_of_work(context.db) as session:
            await service.ended(session, row.id, "undo")


async def _sheet(context: Context, row: PrescriptionRow) -> bytes:
    """With every signature it needs. `TryLater` while it is being made: an unsigned one is never sent."""
    try:
        async with unit_of_work(context.db) as session:
            found = await sheets.finished(session, row)
    except (Conflict, NotFound) as pending:
        raise TryLater("the signed sheet is not there yet") from pending
    return b"".join([part async for part in context.objects.read(found.object_key)])


async def _drop(context: Context, row: EPrescriptionRow) -> None:
    """The answer of a pre-check may have been lost: what the centre knows after all is undone in the next step."""
    async with unit_of_work(context.db) as session:
        one = await prescriptions.prescription(session, row.prescription_id)
    known = await context.e_prescriptions.query(one.number)
    if known is None:
        async with unit_of_work(context.db) as session:
            await service.ended(session, row.id, "drop")
        return

    async with unit_of_work(context.db) as session:
        await service.checked(session, row.id, Checked("", known.hiRxno))


HANDLERS: dict[str, Handler] = {service.DRIVE: drive}
