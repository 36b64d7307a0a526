"""Every mapped table of the backend, imported once for migrations and for the tests that look at all columns."""

from backend.account import model as account
from backend.adverse_event import model as adverse_event
from backend.alarm import model as alarm
from backend.appointment import model as appointment
from backend.appraisal import model as appraisal
from backend.cds_hooks import model as cds_hooks
from backend.chat import model as chat
from backend.complaint import model as complaint
from backend.content import model as content
from backend.counter import model as counter
from backend.dispensing import model as dispensing
from backend.e_bill import model as e_bill
from backend.e_prescription import model as e_prescription
from backend.eligibility import model as eligibility
from backend.encounter import model as encounter
from backend.escalation import model as escalation
from backend.evaluation import model as evaluation
from backend.fairness import model as fairness
from backend.fairness_report import model as fairness_report
from backend.fee_lock import model as fee_lock
from backend.formulary import model as formulary
from backend.hospital_hint import model as hospital_hint
from backend.inquiry import model as inquiry
from backend.insurance import model as insurance
from backend.kept_copy import model as kept_copy
from backend.notification import model as notification
from backend.papers import model as papers
from backend.patient import model as patient
from backend.payment import model as payment
from backend.practitioner import model as practitioner
from backend.prescription import model as prescription
from backend.pricing import model as pricing
from backend.reconciliation import model as reconciliation
from backend.record import model as record
from backend.rescheduling import model as rescheduling
from backend.schedule import model as schedule
from backend.sheet import model as sheet
from backend.shift import model as shift
from backend.signature import model as signature
from backend.stock import model as stock
from backend.timetable import model as timetable
from backend.video import model as video
from backend.waiting import model as waiting
from backend.writeback import model as writeback
from foundation.db import audit, idempotency, inbox, intents, outbox, sealer
from foundation.db.base import Base

MODULES = (
    account, adverse_event, alarm, appointment, appraisal, cds_hooks, chat, complaint, content, counter, dispensing, e_bill, e_prescription, eligibility, encounter, escalation, evaluation, fairness, fairness_report, fee_lock, formulary, hospital_hint, inquiry, insurance,
    kept_copy, notification, papers, patient, payment, practitioner, prescription, pricing, reconciliation, record, rescheduling, schedule, sheet, shift, signature, stock, timetable, video,
    waiting, writeback, audit, idempotency, inbox, intents, outbox, sealer,
)  # fmt: skip
METADATA = Base.metadata
TABLES = frozenset(
    str(mapper.local_table.key)  # type: ignore[attr-defined]
    for mapper in Base.registry.mappers
    if mapper.class_.__module__.startswith(("backend.", "foundation."))
)
"""Names of the backend's tables; in a test process the adapter's tables share the metadata."""
