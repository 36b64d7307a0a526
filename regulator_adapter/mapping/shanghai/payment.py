"""支付与退款 `uploadPayment`."""

from typing import Any

from contracts.events import PaymentConfirmed, PrescriptionSigned, RefundSucceeded
from regulator_adapter import codesets
from regulator_adapter.mapping.kind import RecordKind
from regulator_adapter.mapping.local import iso
from regulator_adapter.mapping.shanghai.blocks import PROFILE, header
from regulator_adapter.mapping.source import Source

Movement = PaymentConfirmed | RefundSucceeded


def numbers(event: Movement) -> list[str]:
    """The payment's, or the refund's."""
    return [str(event.payment_id if isinstance(event, PaymentConfirmed) else event.refund_id)]


def build(source: Source[Movement], number: str) -> dict[str, Any]:
    """Money in (1) or back (2)."""
    event = source.event
    shared = header(source) | {
        "paymentNo": str(event.payment_id),
        "subject": codesets.translate(codesets.PAY_SUBJECT, event.subject_kind),
        "subjectNo": _subject(source),
        "patientId": str(event.person.person_id),
    }
    if isinstance(event, RefundSucceeded):
        return shared | {
            "direction": "2",
            "amountFen": event.amount,
            "tradeNo": event.provider_refund_number,
            "refundNo": number,
            "refundReason": event.reason,
            "refundedAt": iso(event.succeeded_at),
        }
    return shared | {
        "direction": "1",
        "amountFen": event.payment.amount,
        "tenders": [
            {"tender": tender, "amountFen": amount}
            for tender, amount in sorted(event.tenders.items())
            if amount
        ],
        "paymentChannel": event.payment.channel,
        "tradeNo": event.payment.trade_number,
        "paidAt": iso(event.paid_at),
    }


def _subject(source: Source[Movement]) -> str:
    """What was paid for, by the number the platform knows it by: a prescription by its look-up number, a booking by its own."""
    event = source.event
    signed = source.last(PrescriptionSigned, lambda one: one.prescription.prescription_id == event.subject_id)
    return signed.prescription.lookup_id if signed else str(event.subject_id)


KIND = RecordKind(PROFILE, "uploadPayment", numbers, build, looks_back=True)
