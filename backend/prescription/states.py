"""Prescription as a table."""

from enum import StrEnum

from foundation.states import Machine, move


class PrescriptionState(StrEnum):
    """电子处方."""

    DRAFT = "draft"
    IN_REVIEW = "in-review"
    APPROVED = "approved"
    RETURNED = "returned"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


P = PrescriptionState

SIGNED = (P.IN_REVIEW, P.APPROVED, P.COMPLETED)
"""Its drugs are or will be the patient's."""

PRESCRIPTION = Machine(
    "prescription",
    P.DRAFT,
    [
        move(P.DRAFT, "sign", P.IN_REVIEW, "doctor", event="prescription.signed"),
        move(P.DRAFT, "cancel", P.CANCELLED, "doctor", "system"),
        move(P.IN_REVIEW, "approve", P.APPROVED, "pharmacist", event="prescription.approved"),
        move(P.IN_REVIEW, "return_to_doctor", P.RETURNED, "pharmacist", event="prescription.returned"),
        move(P.IN_REVIEW, "cancel", P.CANCELLED, "doctor", "system", event="prescription.cancelled"),
        move(P.RETURNED, "redraft", P.DRAFT, "doctor"),
        move(P.RETURNED, "cancel", P.CANCELLED, "doctor", "system", event="prescription.cancelled"),
        # Ordering (choosing delivery, opening the bill) is possible from `approved` alone.
        move(P.APPROVED, "order", P.APPROVED, "patient"),
        move(P.APPROVED, "fill", P.COMPLETED, "pharmacist", "system"),
        move(P.APPROVED, "cancel", P.CANCELLED, "doctor", "system", event="prescription.cancelled"),
        move(P.APPROVED, "expire", P.EXPIRED, "system", event="prescription.expired"),
    ],
    labels={
        P.DRAFT: "草稿",
        P.IN_REVIEW: "待药师审核",
        P.APPROVED: "审核通过",
        P.RETURNED: "已退回医生",
        P.COMPLETED: "已完成",
        P.CANCELLED: "已作废",
        P.EXPIRED: "已过期",
    },
    fhir={
        P.DRAFT: "draft",
        P.IN_REVIEW: "on-hold",
        P.APPROVED: "active",
        P.RETURNED: "draft",
        P.COMPLETED: "completed",
        P.CANCELLED: "cancelled",
        P.EXPIRED: "stopped",
    },
)
