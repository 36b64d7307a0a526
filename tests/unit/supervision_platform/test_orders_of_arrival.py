"""Which alerts stand is a matter of what was sent, never of what came first."""

from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.supervision_platform.arrivals import Arrival, rules, sample_row, standing
from tests.unit.supervision_platform.shanghai_records import ORDER, Hospital
from tests.unit.supervision_platform.tianjin_records import STAFF

FEED = Hospital()
SUBJECT = STAFF["subjectCode"]


def day(number: int, clock: str = "09:00") -> str:
    return f"2026-11-{number:02d}T{clock}:00+08:00"


def filed(at: str, **changes: Any) -> Arrival:
    return "uploadPractitioner", FEED.filed(occurredAt=at, changedAt=at, **changes)


def pharmacist(at: str, **changes: Any) -> Arrival:
    return filed(at, staffId="PH-1", staffType="2", name="周药师", practiceScope=None, **changes)


def started(visit: str, at: str, **changes: Any) -> Arrival:
    return "uploadFollowUp", FEED.started(visit, at, **changes)


def eligible(number: str, at: str, **changes: Any) -> Arrival:
    return "uploadFollowUp", FEED.eligible(at, eligibilityNo=number, **changes)


def booked(visit: str, at: str, **changes: Any) -> Arrival:
    return "uploadBooking", FEED.booked(visit, at, **changes)


def approved(at: str, number: str = "R-1", **changes: Any) -> Arrival:
    return "uploadPrescription", FEED.approved(at, recipeUniqueID=number, recipeID=f"X{number}", **changes)


def signed(number: str) -> Arrival:
    return "uploadPrescription", FEED.signed(recipeUniqueID=number, recipeID=f"X{number}")


def paid(at: str, number: str) -> Arrival:
    return "uploadPayment", FEED.paid(at, subjectNo=number, paymentNo=f"P {number} {at}")


def busy_hour() -> list[Arrival]:
    begin = datetime.fromisoformat(day(20, "09:30"))
    return [
        started(
            f"B-{number}",
            (begin + timedelta(minutes=4 * number)).isoformat(),
            doctorId="DOC-9",
            patientId="P-9",
        )
        for number in range(15)
    ]


def rows_of_a_prescription(number: str, checked: str) -> list[Arrival]:
    state = {"cfbs": number, "cfbh": f"X{number}", "jzlsh": f"V {number}", "cfshyjssj": checked}
    name = "prescription-approved"
    return [
        sample_row(
            "bb_pi_prescription_detail", name, **state, mxxh=line, cfmxbs=f"{number}-{line}", sjbs=f"e:{line}"
        )
        for line in (1, 2)
    ]


HISTORY: list[Arrival] = [
    # DOC-1 is filed, suspended on the 23rd and filed again for another subject on the 25th; DOC-2 is filed too late.
    filed(day(20, "08:00")),
    filed(day(23, "08:00"), status="2"),
    filed(day(25, "08:00"), practiceScope=["07"]),
    filed(day(22, "12:00"), staffId="DOC-2"),
    *(booked(f"V-{number}", day(number)) for number in (19, 21, 22, 23, 24, 25)),
    booked("V-23a", day(23, "07:30")),
    booked("V-23b", day(23, "09:30")),
    booked("V-a", day(22), doctorId="DOC-2"),
    booked("V-b", day(23), doctorId="DOC-2"),
    booked("V-c", day(23), doctorId="DOC-3"),
    # PH-1 is suspended on the 22nd; PH-2 is never filed.
    pharmacist(day(20, "08:00")),
    pharmacist(day(22, "08:00"), status="2"),
    approved(day(21), "R-21"),
    approved(day(23), "R-23"),
    approved(day(21), "R-22", auditDoctorId="PH-2"),
    # Paid before its review, after it, without one, by either number.
    approved(day(21, "10:00"), "R-a"),
    paid(day(21, "09:00"), "XR-a"),
    approved(day(21, "10:00"), "R-b"),
    paid(day(21, "10:30"), "R-b"),
    signed("R-c"),
    paid(day(21, "10:30"), "XR-c"),
    paid(day(21, "10:30"), "R-d"),
    *rows_of_a_prescription("G-a", "2026-11-21 10:00:00"),
    paid(day(21, "09:00"), "G-a"),
    *rows_of_a_prescription("G-b", "2026-11-21 10:00:00"),
    paid(day(21, "10:01"), "G-b"),
    # Who was verified, which decision a visit rests on.
    ("uploadRealName", FEED.verified()),
    eligible("Q-1", day(20)),
    eligible("Q-2", day(20), eligibilityResult="3", ineligibleReason="没有依据"),
    started("E-1", day(21), eligibilityNo="Q-1"),
    started("E-2", day(21, "10:10"), eligibilityNo="Q-2"),
    started("E-3", day(21, "11:20"), eligibilityNo="Q-3"),
    started("E-4", day(21, "13:00")),
    started("E-5", day(21, "14:00"), patientId="P-8"),
    *busy_hour(),
]
STANDS = standing(HISTORY)


def test_a_history_raises_what_it_should() -> None:
    found = [(rule, subject) for rule, subject, _ in STANDS]

    assert set(found) >= {
        ("outside_licence", f"DOC-1 {SUBJECT} 2026-11-25"),
        ("not_filed", "DOC-1 2026-11-19"), ("filing_lapsed", "DOC-1 2026-11-23"), ("filing_lapsed", "DOC-1 2026-11-24"),
        ("not_filed", "DOC-2 2026-11-22"), ("not_filed", "DOC-3 2026-11-23"),
        ("reviewer_lapsed", "R-23"), ("reviewer_not_filed", "R-22"),
        ("late_review", "R-a"), ("late_review", "G-a"), ("unreviewed", "R-c"), ("unreviewed", "R-d"),
        ("no_evidence", "E-2"), ("no_evidence", "E-3"), ("no_evidence", "E-5"), ("unverified", "E-5"),
    }  # fmt: skip
    assert ("too_many", "DOC-9 2026-11-20T02") in found
    assert not {one for _, one in found} & {"R-21", "R-b", "E-1", "E-4", "DOC-1 2026-11-21"}
    assert not {("unreviewed", "G-b"), ("late_review", "G-b")} & set(found)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32))
def test_any_order_of_arrival_raises_the_same(seed: int) -> None:
    shuffled = list(HISTORY)
    Random(seed).shuffle(shuffled)

    assert standing(shuffled) == STANDS


def test_the_newest_first_raises_the_same() -> None:
    assert standing(HISTORY[::-1]) == STANDS


def test_an_own_filing_that_comes_after_anothers_takes_the_alert_back() -> None:
    others = filed(day(20), staffId="DOC-5")
    arrivals = [others, booked("V-1", day(21))]

    assert rules(arrivals) == ["not_filed"]
    assert rules([*arrivals, filed(day(20))]) == []


def test_an_act_before_a_suspension_that_came_first_is_in_order() -> None:
    assert rules([filed(day(20)), filed(day(23), status="2"), booked("V-1", day(21))]) == []


def test_the_next_days_violation_is_another_alert_and_the_same_days_is_not() -> None:
    lapsed = filed(day(20), filedUntil="2026-11-20")
    acts = [
        booked("V-1", day(21)),
        booked("V-2", day(21, "15:00")),
        booked("V-3", day(22, "00:01")),
    ]

    assert [one[:2] for one in standing([lapsed, *acts])] == [
        ("filing_lapsed", "DOC-1 2026-11-21"), ("filing_lapsed", "DOC-1 2026-11-22"),
    ]  # fmt: skip


def test_a_subject_outside_the_filing_is_seen_again_the_next_day() -> None:
    other = filed(day(20), practiceScope=["07"])

    assert rules([other, booked("V-1", day(21)), booked("V-2", day(22))]) == ["outside_licence"] * 2


def test_visits_that_come_newest_first_are_too_many_all_the_same() -> None:
    hour = busy_hour()
    seen = [one for one in standing(hour[::-1]) if one[0] == "too_many"]

    assert seen == [one for one in standing(hour) if one[0] == "too_many"]
    assert seen != []


@pytest.mark.parametrize("filing", [{"status": "2"}, {"filedUntil": "2026-11-20"}])
def test_a_pharmacist_whose_filing_does_not_hold_is_seen(filing: dict[str, str]) -> None:
    assert rules([pharmacist(day(20), **filing), approved(day(21))]) == ["reviewer_lapsed"]


def test_a_pharmacist_who_was_suspended_after_the_review_is_in_order() -> None:
    assert rules([pharmacist(day(20)), pharmacist(day(22), status="2"), approved(day(21))]) == []


def test_a_visit_that_names_its_decision_rests_on_no_other() -> None:
    other = eligible("Q-1", day(20))
    visit = started("V-1", day(21), eligibilityNo="Q-2")

    assert rules([other, visit]) == ["no_evidence"]
    assert rules([other, visit, eligible("Q-2", day(20))]) == []


def test_a_decision_for_somebody_else_is_no_evidence() -> None:
    others = eligible("Q-1", day(20), patientId="P-7")

    assert rules([others, started("V-1", day(21), eligibilityNo="Q-1")]) == ["no_evidence"]


def test_a_long_way_ahead_is_no_reason_to_fail() -> None:
    assert rules([started("V-1", "2199-12-31T23:30:00+08:00")]) == ["no_evidence"]


def test_a_supply_in_rows_has_no_place_for_its_reason() -> None:
    """The row-by-row tables have no column for it: it is judged where the doctor's signature is told."""
    [row, _] = rows_of_a_prescription("G-1", "2026-11-21 10:00:00")

    assert rules([(row[0], row[1] | {"yyts": 60})]) == []
    assert rules([("uploadPrescription", FEED.signed(orderList=[ORDER | {"useDays": 60}]))]) == [
        "long_supply"
    ]
