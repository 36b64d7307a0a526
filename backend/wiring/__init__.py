"""The one table of upward calls: when this is paid, refunded or to be written back, call that.

Lower features know subjects by (kind, id) only; here the kinds meet the features above them.
"""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.appointment import tasks as appointment
from backend.appraisal import tasks as appraisal
from backend.chat import tasks as chat
from backend.complaint import tasks as complaint
from backend.context import Context, Insured, Wiring
from backend.dispensing import service as dispensing
from backend.dispensing import tasks as dispensing_tasks
from backend.e_bill import queries as e_bill_queries
from backend.e_bill import service as e_bill_service
from backend.e_bill import tasks as e_bill
from backend.e_prescription import service as e_prescription_service
from backend.e_prescription import tasks as e_prescription
from backend.encounter import service as encounter
from backend.encounter import tasks as encounter_tasks
from backend.escalation import tasks as escalation
from backend.fairness_report import tasks as fairness_report
from backend.insurance import queries as insurance_queries
from backend.insurance import service as insurance_service
from backend.insurance import tasks as insurance
from backend.notification import tasks as notification
from backend.papers import tasks as papers
from backend.payment import tasks as payment
from backend.prescription import service as prescribing
from backend.prescription import tasks as prescription
from backend.reconciliation import tasks as reconciliation
from backend.record import sheets as record_sheets
from backend.rescheduling import tasks as rescheduling
from backend.signature import tasks as signature
from backend.stock import tasks as stock
from backend.timetable import tasks as timetable
from backend.video import tasks as video
from backend.waiting import tasks as waiting
from backend.wiring import hospital_steps
from backend.wiring.hospital_places import standings
from backend.wiring.seen_on_video import seen_on_video
from backend.writeback import tasks as writeback
from foundation.db.intents import Handler


def wiring() -> Wiring:
    """The tables, filled."""
    return Wiring(
        insured=Insured(
            insurance.settle,
            insurance.close,
            insurance.refund,
            insurance_service.by_cash,
            insurance_service.job_of,
            insurance_queries.returns,
        ),
        panels=[insurance_queries.panels, e_bill_queries.panels],
        on_money=[e_bill_service.on_money],
        on_paid={"appointment": encounter.on_paid, "prescription": dispensing.on_paid},
        on_refunded={},
        on_withdrawn={"prescription": _withdrawn},
        on_approved=[e_prescription_service.on_approved],
        on_stopped=[prescribing.on_stopped],
        seen_on_video=seen_on_video,
        standings=standings,
        write_back={
            "registration": hospital_steps.registration,
            "charge.registration": hospital_steps.charge,
            "record": hospital_steps.record,
            "prescription": hospital_steps.prescription,
            "charge.prescription": hospital_steps.charge,
            "dispense": hospital_steps.dispense,
            "move": hospital_steps.move,
            "cancellation": hospital_steps.cancellation,
            "refund": hospital_steps.refund,
        },
    )


async def _withdrawn(session: AsyncSession, context: Context, prescription_id: UUID) -> None:
    """A prescription is no more: nothing is dispensed, and it leaves circulation."""
    await dispensing.on_withdrawn(session, context, prescription_id)
    await e_prescription_service.on_withdrawn(session, context, prescription_id)


def handlers() -> dict[str, Handler]:
    """Every kind of intent with its handler; a kind claimed twice is a mistake."""
    found: dict[str, Handler] = {}
    for feature in (
        notification, payment, writeback, appointment, encounter_tasks, waiting, escalation, chat, prescription, dispensing_tasks, complaint,
        timetable, video, rescheduling, reconciliation, insurance, e_bill, fairness_report, appraisal, e_prescription,
        signature, record_sheets, stock, papers,
    ):  # fmt: skip
        if twice := found.keys() & feature.HANDLERS.keys():
            raise RuntimeError(f"intents with two handlers: {sorted(twice)}")
        found |= feature.HANDLERS
    return found


def standing() -> tuple[str, ...]:
    """Kinds of intents that are always open, with the hospital as their subject: the daily and periodic work."""
    return (
        *timetable.STANDING,
        *video.STANDING,
        *reconciliation.STANDING,
        *fairness_report.STANDING,
        *appraisal.STANDING,
        *stock.STANDING,
    )
