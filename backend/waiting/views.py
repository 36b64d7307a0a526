"""Rows of the waiting room as its readers see them."""

from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from backend.appointment.model import Appointment
from backend.encounter import queries as encounters
from backend.encounter.model import Encounter
from backend.patient import queries as patients
from backend.policy import policy
from backend.practitioner import queries as practitioners
from backend.waiting import queries, rules
from backend.waiting.model import Handover
from backend.waiting.states import HANDOVER
from backend.waiting.wire import HandoverView, ProposalView, WaitingView, WaitingVisit
from foundation.db.unit_of_work import clock_of
from foundation.masking import mask_name


def minutes(length: timedelta) -> int:
    """Whole minutes, never negative."""
    return max(int(length.total_seconds()) // 60, 0)


async def waiting_view(session: AsyncSession, booked: Appointment) -> WaitingView:
    """A patient's place, wait and choices, as of now."""
    visit = await encounters.encounter(session, booked.encounter_id) if booked.encounter_id else None
    place = await queries.place_of(session, booked, visit)
    clock, left = place.clock, place.time_left
    proposed = await queries.proposal(session, visit.id) if visit else None
    return WaitingView(
        appointment_id=booked.id, state=booked.state, encounter_state=visit.state if visit else "", ahead=place.ahead,
        low_minutes=place.wait.low, high_minutes=place.wait.high, measured=place.pace.measured,
        words=rules.words(place.wait, ahead=place.ahead, doctor_busy=place.doctor_busy), doctor_busy=place.doctor_busy,
        clock_running=bool(clock and clock.in_service and not clock.doctor_busy),
        clock_left_minutes=None if left is None else minutes(left), waited_minutes=minutes(clock.waited) if clock else 0,
        late=bool(clock and visit and visit.late_offered_at), place_kept=bool(visit and visit.place_kept_at),
        proposal=await _proposal(session, proposed) if clock else None,
        check_in_from=booked.starts_at - policy().check_in_early,
        check_in_until=booked.ends_at + policy().check_in_late, as_of=clock_of(session).now(),
    )  # fmt: skip


async def waiting_visit(session: AsyncSession, visit: Encounter, booked: Appointment) -> WaitingVisit:
    """Somebody who waits, as the duty desk sees her."""
    place = await queries.place_of(session, booked, visit)
    assert place.clock is not None
    assert place.time_left is not None
    person = await patients.person(session, booked.person_id)
    doctor = await practitioners.practitioner(session, booked.practitioner_id)
    department = await practitioners.department(session, booked.department_code)
    return WaitingVisit(
        encounter_id=visit.id, appointment_id=booked.id, patient_name=mask_name(person.name),
        practitioner_id=doctor.id, practitioner_name=doctor.name, department_name=department.name,
        starts_at=booked.starts_at, waited_minutes=minutes(place.clock.waited),
        clock_left_minutes=minutes(place.time_left), clock_running=place.clock.in_service and not place.clock.doctor_busy,
        doctor_busy=place.doctor_busy, late=visit.late_offered_at is not None,
        place_kept=visit.place_kept_at is not None,
        proposal=await _proposal(session, await queries.proposal(session, visit.id)),
    )  # fmt: skip


async def _proposal(session: AsyncSession, row: Handover | None) -> ProposalView | None:
    if row is None:
        return None
    doctor = await practitioners.practitioner(session, row.to_practitioner_id)
    return ProposalView(row.id, doctor.name, doctor.title_name)


def handover_view(row: Handover) -> HandoverView:
    """From the row."""
    return HandoverView(
        row.id, row.encounter_id, row.from_practitioner_id, row.to_practitioner_id, row.state,
        HANDOVER.labels[row.state],
    )  # fmt: skip
