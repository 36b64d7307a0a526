"""What is claimed, who may authorise, and that no fen is lost between bill, claim and purses."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.insurance.rules import (
    Fee,
    authorisation_issues,
    claim_line,
    covered,
    parts_of,
    quote_issues,
    services,
)
from backend.insurance.service import serial
from backend.outside.insurance import Authorisation, OrderType, Split
from backend.payment.tenders import CASH, INSURANCE
from foundation.ids import new_id

fen = st.integers(0, 10_000_00)
splits = st.builds(Split, fen, fen, fen, fen)


@pytest.mark.parametrize(
    ("icd10", "diagnosis", "paid"),
    [
        ([], "I10.x00", True),
        (["I10"], "I10.x00", True),
        (["I10"], "E11.900", False),
        (["E11.2"], "E11.200", True),
        (["E11.2"], "E11.900", False),
        (["M80-M82"], "M81.000", True),
        (["M80-M82"], "M82.x00", True),
        (["M80-M82"], "M83.000", False),
        (["J44", "B18.1"], "b18.100", True),
    ],
)
def test_a_restriction_is_met_by_the_illnesses_it_names(icd10: list[str], diagnosis: str, paid: bool) -> None:
    assert covered(icd10, [diagnosis]) is paid


def test_a_restricted_drug_without_a_diagnosis_is_not_paid() -> None:
    assert not covered(["I10"], [])


def test_what_the_catalogue_does_not_pay_is_claimed_without_a_grade() -> None:
    known = Fee("药", 2, 150, "XA01", "乙", ["I10"])

    assert claim_line(known, ["I10.x00"]).grade == "乙"
    assert (claim_line(known, ["E11.900"]).code, claim_line(known, ["E11.900"]).grade) == ("", "")
    assert claim_line(Fee("药", 1, 150, "", "乙"), ["I10.x00"]).grade == ""
    assert claim_line(Fee("药", 1, 150, "XA01", ""), ["I10.x00"]).grade == ""


@given(st.lists(st.builds(Fee, st.just("药"), st.integers(1, 99), st.integers(0, 99_999)), max_size=8))
def test_a_claim_is_as_much_as_its_fees(fees: list[Fee]) -> None:
    lines = [claim_line(fee, []) for fee in fees]

    assert sum(line.amount for line in lines) == sum(fee.amount for fee in fees)
    assert all(line.amount == line.quantity * line.unit_amount for line in lines)


@given(splits, fen)
def test_purses_add_up_to_the_claim_and_the_freight(split: Split, freight: int) -> None:
    parts = parts_of(split, freight)

    assert sum(parts.values()) == split.total + freight
    assert all(amount > 0 for amount in parts.values())
    assert sum(parts.get(tender, 0) for tender in INSURANCE) == split.insurance
    assert parts.get(CASH, 0) == split.cash + freight


@given(splits, splits)
def test_she_agrees_to_what_she_was_shown_and_to_nothing_else(shown: Split, quoted: Split) -> None:
    assert bool(quote_issues(shown, quoted)) is (shown != quoted)


@pytest.mark.parametrize(
    ("name", "number", "hers"),
    [
        ("林秀兰", "31011419580315902X", True),
        ("林秀兰", "31011419580315902x", True),
        ("林秀", "31011419580315902X", False),
        ("林秀兰", "310114198507019046", False),
    ],
)
def test_only_her_own_credential_counts(name: str, number: str, hers: bool) -> None:
    found = Authorisation("AUTH", name, number, "121.2,31.3")

    assert bool(authorisation_issues(found, "林秀兰", "31011419580315902X")) is not hers


def test_every_fee_of_the_list_is_known_by_a_code_and_a_kind() -> None:
    known = services()

    assert known["visit.follow_up"].order_type is OrderType.FOLLOW_UP
    assert known["visit.registration"].order_type is OrderType.REGISTRATION
    assert all(one.code.startswith("DEMO-") for one in known.values()), (
        "examples until an office fills them in"
    )


def test_numbers_for_the_bureau_are_short_and_their_own() -> None:
    made = {serial(new_id()) for _ in range(2000)}

    assert len(made) == 2000
    assert {len(one) for one in made} == {20}
