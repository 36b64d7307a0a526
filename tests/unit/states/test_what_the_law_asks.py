"""Cells that a law or a rule of the hospital stands behind, each as a sentence."""

import pytest

from backend.appointment.states import APPOINTMENT, OPEN, AppointmentState
from backend.complaint.states import COMPLAINT, ComplaintState
from backend.dispensing.states import DISPENSE, DispenseState
from backend.encounter.states import ENCOUNTER, RUNNING, EncounterState
from backend.payment.states import PAYMENT, REFUND, PaymentState, RefundState
from backend.prescription.states import PRESCRIPTION, PrescriptionState
from foundation.states import Machine

P, E, A, D, M, R, C = (
    PrescriptionState, EncounterState, AppointmentState, DispenseState, PaymentState, RefundState, ComplaintState,
)  # fmt: skip


def who(machine: Machine, verb: str) -> set[str]:
    """Everybody who may ever do it."""
    return {role for line in machine.moves if line.verb == verb for role in line.roles}


def events(machine: Machine, verb: str) -> set[str | None]:
    return {line.event for line in machine.moves if line.verb == verb}


def test_only_a_doctor_signs_a_prescription_and_only_a_pharmacist_approves_it() -> None:
    """医院办法 Art 20: signed by the doctor, effective only after a pharmacist has passed it."""
    assert who(PRESCRIPTION, "sign") == {"doctor"}
    assert who(PRESCRIPTION, "approve") == {"pharmacist"}
    assert who(PRESCRIPTION, "return_to_doctor") == {"pharmacist"}


def test_a_prescription_is_approved_only_out_of_review() -> None:
    """医院办法 Art 20."""
    assert set(PRESCRIPTION.sources("approve")) == {P.IN_REVIEW, P.CHECKING}


def test_only_a_pharmacists_word_brings_a_prescription_before_the_second_pharmacist() -> None:
    """practice.md 12: the other pair of eyes comes after the first, and can only pass it, return it or see it withdrawn."""
    into = [
        (line.source, line.verb, set(line.roles)) for line in PRESCRIPTION.moves if line.target is P.CHECKING
    ]

    assert into == [(P.IN_REVIEW, "endorse", {"pharmacist"})]
    assert {line.verb for line in PRESCRIPTION.moves if line.source is P.CHECKING} == {
        "approve",
        "return_to_doctor",
        "cancel",
    }


def test_nothing_but_a_signature_brings_a_prescription_into_review() -> None:
    """医院办法 Art 20; 监管细则 2022: no machine signs or drafts."""
    into = [(line.source, line.verb) for line in PRESCRIPTION.moves if line.target is P.IN_REVIEW]

    assert into == [(P.DRAFT, "sign")]
    assert "system" not in who(PRESCRIPTION, "sign") | who(PRESCRIPTION, "approve") | who(
        PRESCRIPTION, "redraft"
    )


@pytest.mark.parametrize("verb", ["order", "fill"])
def test_paying_and_dispensing_need_an_approved_prescription(verb: str) -> None:
    """监管细则 2022: no drugs to the patient before a prescription exists that has been passed."""
    assert PRESCRIPTION.sources(verb) == (P.APPROVED,)


def test_an_approved_prescription_is_not_edited() -> None:
    """Any edit voids both signatures: from review it goes back through the pharmacist, from approved it does not go back."""
    assert not [
        line
        for line in PRESCRIPTION.moves
        if line.source is P.APPROVED and line.target in (P.DRAFT, P.RETURNED)
    ]
    assert PRESCRIPTION.sources("redraft") == (P.RETURNED,)


def test_what_was_dispensed_expired_or_withdrawn_stays_so() -> None:
    assert {state for state in P if PRESCRIPTION.final(state)} == {P.COMPLETED, P.CANCELLED, P.EXPIRED}


def test_a_signed_prescription_that_ends_unfilled_is_told_to_the_supervisor() -> None:
    """Tianjin 2.2.4: expiry and withdrawal are reported."""
    for state in (P.IN_REVIEW, P.CHECKING, P.RETURNED, P.APPROVED):
        assert PRESCRIPTION.find(state, "cancel").event == "prescription.cancelled"
    assert PRESCRIPTION.find(P.APPROVED, "expire").event == "prescription.expired"
    assert PRESCRIPTION.find(P.DRAFT, "cancel").event is None


def test_no_other_person_or_machine_stands_in_for_the_doctor() -> None:
    """监管细则 2022, Art 13: the doctor herself receives the patient; no other person or AI."""
    for verb in ("accept", "finish", "refer_offline", "hold", "resume"):
        assert who(ENCOUNTER, verb) == {"doctor"}


def test_a_visit_can_be_stopped_and_referred_at_any_moment_it_runs() -> None:
    """诊疗办法 Art 16: stop at once and direct the patient to a physical hospital."""
    assert set(ENCOUNTER.sources("refer_offline")) == set(RUNNING)
    assert events(ENCOUNTER, "refer_offline") == {"encounter.discontinued"}


def test_a_visit_that_nobody_accepts_is_declined_by_the_system() -> None:
    """Supervision record: refuseType 2."""
    assert who(ENCOUNTER, "decline") == {"doctor", "system"}
    assert ENCOUNTER.sources("decline") == (E.PLANNED,)


def test_beginning_and_end_of_a_visit_are_told_to_the_supervisor() -> None:
    """诊疗办法 Art 24: the whole process leaves traces."""
    assert events(ENCOUNTER, "accept") == {"encounter.started"}
    assert events(ENCOUNTER, "finish") == {"encounter.completed"}
    assert events(ENCOUNTER, "decline") == {"encounter.declined"}


def test_a_place_is_only_the_patients_when_money_proved_it() -> None:
    assert who(APPOINTMENT, "confirm") == {"system"}
    assert APPOINTMENT.sources("confirm") == (A.PENDING,)
    assert set(OPEN) == {A.PENDING, A.BOOKED, A.CHECKED_IN}


def test_a_visit_that_was_accepted_is_not_cancelled() -> None:
    assert not APPOINTMENT.already(A.FULFILLED, "cancel")
    assert APPOINTMENT.final(A.FULFILLED)
    assert set(APPOINTMENT.sources("cancel")) == set(OPEN)


def test_a_waiting_patient_is_no_no_show() -> None:
    assert APPOINTMENT.sources("mark_noshow") == (A.BOOKED,)


def test_a_booked_place_given_back_is_told_to_the_supervisor_and_a_mere_hold_is_not() -> None:
    assert APPOINTMENT.find(A.BOOKED, "cancel").event == "appointment.cancelled"
    assert APPOINTMENT.find(A.CHECKED_IN, "cancel").event == "appointment.cancelled"
    assert APPOINTMENT.find(A.PENDING, "cancel").event is None


def test_money_that_arrives_late_is_still_money() -> None:
    """practice.md 17: paid after the hold expired is refunded, so it must first be confirmed."""
    assert set(PAYMENT.sources("confirm")) == set(M) - {M.CONFIRMED}
    assert who(PAYMENT, "confirm") == {"system"}
    assert PAYMENT.final(M.CONFIRMED)


def test_a_refund_counts_when_the_provider_has_proven_it_and_never_by_a_person() -> None:
    assert who(REFUND, "succeed") == {"system"}
    assert events(REFUND, "succeed") == {"refund.succeeded"}
    assert REFUND.final(R.SUCCEEDED)


def test_an_abnormal_refund_may_still_arrive() -> None:
    assert REFUND.find(R.ABNORMAL, "succeed").target is R.SUCCEEDED


def test_drugs_are_handed_over_by_a_pharmacist_alone() -> None:
    """医院办法 Art 20; four checks and ten matches are a pharmacist's."""
    assert who(DISPENSE, "hand_over") == {"pharmacist"}
    assert DISPENSE.sources("hand_over") == (D.PREPARATION,)


def test_what_left_the_pharmacy_is_not_cancelled_but_completed_or_stopped() -> None:
    """practice.md 16: delivered drugs are not taken back except for quality."""
    assert {line.verb for line in DISPENSE.moves if line.source is D.IN_PROGRESS} == {"complete", "stop"}


def test_nothing_deletes_a_complaint_and_only_the_quality_department_answers_an_escalated_one() -> None:
    """医院办法 Art 32; seeds 003, 2.2."""
    assert COMPLAINT.find(C.ESCALATED, "answer").roles == {"quality"}
    assert COMPLAINT.sources("close") == (C.ANSWERED,)
    assert {state for state in C if COMPLAINT.final(state)} == {C.CLOSED}


def test_fhir_sees_a_prescription_as_the_design_says() -> None:
    """style.md 3.6."""
    assert {state.value: PRESCRIPTION.fhir[state] for state in P} == {
        "draft": "draft", "returned": "draft", "in-review": "on-hold", "checking": "on-hold", "approved": "active", "completed": "completed",
        "cancelled": "cancelled", "expired": "stopped",
    }  # fmt: skip
