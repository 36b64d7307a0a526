"""Appointment as a table."""

from enum import StrEnum

from foundation.states import Machine, move


class AppointmentState(StrEnum):
    """预约挂号."""

    PENDING = "pending"
    BOOKED = "booked"
    CHECKED_IN = "checked-in"
    FULFILLED = "fulfilled"
    CANCELLED = "cancelled"
    NOSHOW = "noshow"


A = AppointmentState

APPOINTMENT = Machine(
    "appointment",
    A.PENDING,
    [
        move(A.PENDING, "confirm", A.BOOKED, "system", event="appointment.booked"),
        move(A.PENDING, "cancel", A.CANCELLED, "patient", "system", "clerk"),
        move(A.BOOKED, "check_in", A.CHECKED_IN, "patient", "clerk"),
        move(A.BOOKED, "cancel", A.CANCELLED, "patient", "system", "clerk", event="appointment.cancelled"),
        move(
            A.CHECKED_IN, "cancel", A.CANCELLED, "patient", "system", "doctor", event="appointment.cancelled"
        ),
        # The hospital gives her another time; whoever waited already waits again then.
        move(A.BOOKED, "move", A.BOOKED, "system", event="appointment.moved"),
        move(A.CHECKED_IN, "move", A.BOOKED, "system", event="appointment.moved"),
        move(A.CHECKED_IN, "fulfil", A.FULFILLED, "doctor", "system"),
        move(A.BOOKED, "mark_noshow", A.NOSHOW, "system"),
    ],
    labels={
        A.PENDING: "待支付",
        A.BOOKED: "已预约",
        A.CHECKED_IN: "候诊中",
        A.FULFILLED: "已接诊",
        A.CANCELLED: "已取消",
        A.NOSHOW: "未到",
    },
)

OPEN = (A.PENDING, A.BOOKED, A.CHECKED_IN)
"""States that hold a place."""
