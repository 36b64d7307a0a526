"""A bill is made of purses: parts add up, go back in the reverse order, and never more than was received."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.payment.tenders import CASH, INSURANCE, LABELS, ORDER_OF_USE, remaining, take_back

amounts = st.integers(0, 10_000_00)
received = st.dictionaries(st.sampled_from(ORDER_OF_USE), st.integers(1, 10_000_00), min_size=1)


@given(received, st.data())
def test_a_part_goes_back_to_the_fen(bill: dict[str, int], data: st.DataObject) -> None:
    amount = data.draw(st.integers(0, sum(bill.values())))

    parts = take_back(amount, bill)

    assert sum(parts.values()) == amount
    assert all(0 < parts[tender] <= bill[tender] for tender in parts)


@given(received, st.data())
def test_whatever_goes_back_in_however_many_steps_is_what_was_received(
    bill: dict[str, int], data: st.DataObject
) -> None:
    """Σ refunds ≤ received, by purse and as a whole, and the last step gives back exactly the rest."""
    given_back: dict[str, int] = {}
    for _ in range(data.draw(st.integers(0, 6))):
        left = remaining(bill, given_back)
        for tender, part in take_back(data.draw(st.integers(0, sum(left.values()))), left).items():
            given_back[tender] = given_back.get(tender, 0) + part
        assert all(given_back.get(tender, 0) <= amount for tender, amount in bill.items())
    left = remaining(bill, given_back)
    for tender, part in take_back(sum(left.values()), left).items():
        given_back[tender] = given_back.get(tender, 0) + part

    assert given_back == bill
    assert take_back(0, remaining(bill, given_back)) == {}


@given(received)
def test_cash_goes_back_before_insurance_and_her_account_before_the_funds(bill: dict[str, int]) -> None:
    """The reverse of the order in which a bill is paid: her own money first."""
    first = next(tender for tender in reversed(ORDER_OF_USE) if tender in bill)

    assert take_back(1, bill) == {first: 1}
    assert ORDER_OF_USE[-2:] == ("ins_self", CASH)


@given(received, st.integers(1, 100))
def test_more_than_is_left_never_goes_back(bill: dict[str, int], more: int) -> None:
    with pytest.raises(ValueError, match="cannot give back"):
        take_back(sum(bill.values()) + more, bill)


@given(received)
def test_nothing_negative_goes_back(bill: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="cannot give back"):
        take_back(-1, bill)
    assert take_back(1, bill | {"ins_other": -5, CASH: bill.get(CASH, 0) + 1})[CASH] == 1


def test_every_purse_has_a_name_for_the_patient() -> None:
    assert set(ORDER_OF_USE) == set(LABELS) == {CASH, *INSURANCE}
