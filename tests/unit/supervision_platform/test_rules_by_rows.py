"""The same rules for a hospital that tells its visits row by row."""

from typing import Any

import pytest

from tests.unit.supervision_platform.arrivals import Arrival, rules, sample_row, standing
from tests.unit.supervision_platform.shanghai_records import Hospital

PERSON = "01930000-0000-7000-8000-0000000000a1"
"""The patient of the samples."""


def started(**changes: Any) -> Arrival:
    return sample_row("bb_pi_treatment", "encounter-started", **changes)


def approved(**changes: Any) -> Arrival:
    return sample_row("bb_pi_prescription_detail", "prescription-approved", **changes)


def dispensed(**changes: Any) -> Arrival:
    return sample_row("bb_pi_prescription_detail", "dispense-completed", **changes)


def staff(**changes: Any) -> Arrival:
    return sample_row("bb_pi_staff", "practitioner-changed", **changes)


def pharmacist(**changes: Any) -> Arrival:
    return staff(**{"rydm": "P0001", "ryxm": "陆静", "rylb": "2", "zyfw": "药学"} | changes)


def verified(**changes: Any) -> Arrival:
    return sample_row("bb_pi_person", "identity-verified", **changes)


def eligible(**changes: Any) -> Arrival:
    at = "2026-11-20T08:10:00+08:00"
    return "uploadFollowUp", Hospital().eligible(at, patientId=PERSON, **changes)


def paid(number: str, at: str) -> Arrival:
    return "uploadPayment", Hospital().paid(at, subjectNo=number)


ORDERLY = [staff(), pharmacist(), verified(), eligible(), started(), approved(), dispensed()]


def test_a_visit_by_the_rules_raises_nothing() -> None:
    assert rules(ORDERLY) == []
    assert rules(ORDERLY[::-1]) == []


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"zyfw": "皮肤科专业"}, "outside_licence"),
        ({"bayxq": "2026-11-19"}, "filing_lapsed"),
        ({"ryzt": "0"}, "filing_lapsed"),
        ({"rydm": "D0002"}, "not_filed"),
    ],
)
def test_a_doctor_is_held_to_her_row(change: dict[str, str], rule: str) -> None:
    assert rules([staff(**change), verified(), eligible(), started()]) == [rule]


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"ryzt": "0"}, "reviewer_lapsed"),
        ({"bayxq": "2026-11-19"}, "reviewer_lapsed"),
        ({"rydm": "P0009"}, "reviewer_not_filed"),
    ],
)
@pytest.mark.parametrize("told", [approved, dispensed])
def test_a_reviewer_is_held_to_her_row(change: dict[str, str], rule: str, told: Any) -> None:
    assert rules([pharmacist(**change), told()]) == [rule]
    assert rules([told(), pharmacist(**change)]) == [rule]


def test_a_visit_of_a_person_who_was_not_verified_is_seen_until_she_was() -> None:
    other, late = verified(grdm="P-9"), [eligible(), started()]

    assert rules([other, *late]) == ["unverified"]
    assert rules([other, *late, verified()]) == []


def test_a_visit_without_eligibility_is_seen_until_it_comes() -> None:
    assert rules([started()]) == ["no_evidence"]
    assert rules([started(), eligible()]) == []


def test_a_first_visit_is_seen() -> None:
    assert rules([eligible(), started(sfcz="1")]) == ["first_visit"]


def test_too_many_visits_are_seen() -> None:
    hour = [started(jzlsh=f"V-{at}", sjscsj=f"2026-11-20 09:{at:02d}:00") for at in range(2, 16)]

    assert rules([eligible(), *hour]) == ["too_many"]


@pytest.mark.parametrize(
    ("rows", "seen"),
    [
        ([approved(ypmc="艾司唑仑片")], ["banned_drug"]),
        ([approved(mxxh=at, cfmxbs=f"line-{at}") for at in range(1, 7)], ["too_many_drugs"]),
        ([approved(mxxh=at, cfmxbs=f"line-{at}") for at in range(1, 6)], []),
    ],
)
def test_what_is_prescribed_row_by_row_is_looked_at(rows: list[Arrival], seen: list[str]) -> None:
    assert rules(rows) == seen


@pytest.mark.parametrize("told", [approved, dispensed])
@pytest.mark.parametrize(("at", "seen"), [("09:00", ["late_review"]), ("11:00", [])])
def test_a_payment_is_held_to_the_time_of_the_review(told: Any, at: str, seen: list[str]) -> None:
    row = told(cfshyjssj="2026-11-20 10:00:00")
    both = [row, paid(row[1]["cfbs"], f"2026-11-20T{at}:00+08:00")]

    assert rules(both) == seen
    assert rules(both[::-1]) == seen


def test_a_payment_by_the_prescriptions_other_number_is_the_same() -> None:
    row = approved(cfshyjssj="2026-11-20 10:00:00")
    [alert] = standing([paid(row[1]["cfbh"], "2026-11-20T09:00:00+08:00"), row])

    assert alert[:2] == ("late_review", row[1]["cfbs"])


@pytest.mark.parametrize(
    ("damage", "seen"),
    [("轻度", []), ("未造成严重后果", []), ("重度残疾", ["severe_event"]), ("患者死亡", ["severe_event"])],
)
def test_a_severe_event_is_known_by_its_words(damage: str, seen: list[str]) -> None:
    assert rules([sample_row("bb_pi_adverse_event", "adverse_event-reported", shcd=damage)]) == seen
