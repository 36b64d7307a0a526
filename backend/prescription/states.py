"""Prescription as a table."""

from enum import StrEnum

from foundation.states import Machine, move


class PrescriptionState(StrEnum):
    """电子处方."""

    DRAFT = "draft"
    IN_REVIEW = "in-review"
    CHECKING = "checking"
    APPROVED = "approved"
    RETURNED = "returned"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


P = PrescriptionState
WAITING = (P.IN_REVIEW, P.CHECKING)
"""A pharmacist has to look."""

SIGNED = (P.IN_REVIEW, P.CHECKING, P.APPROVED, P.COMPLETED)
"""Its drugs are or will be the patient's."""

PRESCRIPTION = Machine(
    "prescription",
    P.DRAFT,
    [
        move(P.DRAFT, "sign", P.IN_REVIEW, "doctor", event="prescription.signed"),
        move(P.DRAFT, "cancel", P.CANCELLED, "doctor", "system"),
        move(P.IN_REVIEW, "approve", P.APPROVED, "pharmacist", event="prescription.approved"),
        # Where the engine asked the doctor for a reason, another pharmacist looks too.
        move(P.IN_REVIEW, "endorse", P.CHECKING, "pharmacist"),
        move(P.CHECKING, "approve", P.APPROVED, "pharmacist", event="prescription.approved"),
        move(P.CHECKING, "return_to_doctor", P.RETURNED, "pharmacist", event="prescription.returned"),
        move(P.CHECKING, "cancel", P.CANCELLED, "doctor", "system", event="prescription.cancelled"),
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
        P.CHECKING: "待第二药师复核",
        P.APPROVED: "审核通过",
        P.RETURNED: "已退回医生",
        P.COMPLETED: "已完成",
        P.CANCELLED: "已作废",
        P.EXPIRED: "已过期",
    },
    fhir={
        P.DRAFT: "draft",
        P.IN_REVIEW: "on-hold",
        P.CHECKING: "on-hold",
        P.APPROVED: "active",
        P.RETURNED: "draft",
        P.COMPLETED: "completed",
        P.CANCELLED: "cancelled",
        P.EXPIRED: "stopped",
    },
)
