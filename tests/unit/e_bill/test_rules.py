"""Which step comes next for the bill of a payment, and what stands on it."""

from hypothesis import given
from hypothesis import strategies as st

from backend.e_bill.rules import OTHER, PATENT, WESTERN, Fee, Step, drug_category, items, net_split, next_step
from backend.outside.insurance import Split
from backend.payment.tenders import ORDER_OF_USE

fen = st.integers(0, 10_000_00)
splits = st.builds(Split, fen, fen, fen, fen)
fees = st.lists(st.builds(Fee, st.sampled_from([WESTERN, PATENT, OTHER]), fen), min_size=1, max_size=8)
NOBODY = Split(0, 0, 0, 0)


@given(fees, st.data())
def test_categories_add_up_to_what_was_paid_and_not_refunded(lines: list[Fee], data: st.DataObject) -> None:
    total = sum(line.amount for line in lines)
    net = data.draw(st.integers(0, total))

    found = items(lines, net)

    assert sum(item.amount for item in found) == net
    assert all(item.amount > 0 for item in found)
    assert len({item.name for item in found}) == len(found)


@given(st.dictionaries(st.sampled_from(ORDER_OF_USE), st.integers(1, 10_000_00), min_size=1), st.data())
def test_the_bill_says_who_paid_what_is_left(tenders: dict[str, int], data: st.DataObject) -> None:
    refunded = {tender: data.draw(st.integers(0, amount)) for tender, amount in tenders.items()}

    net = net_split(tenders, refunded)

    assert net.total == sum(tenders.values()) - sum(refunded.values())
    assert min(net.gov, net.self_, net.other, net.cash) >= 0


@given(splits)
def test_a_bill_that_agrees_with_the_money_is_left_alone(net: Split) -> None:
    assert next_step(net, net, issued=True) is Step.NOTHING


@given(splits, splits)
def test_a_bill_is_reversed_only_when_it_was_issued_and_money_has_gone_back(net: Split, live: Split) -> None:
    step = next_step(net, live, issued=True)

    assert step in (Step.NOTHING, Step.REVERSE)
    assert (step is Step.REVERSE) is (net != live)


@given(splits, splits)
def test_a_bill_that_was_never_issued_is_dropped_and_not_reversed(net: Split, live: Split) -> None:
    assert next_step(net, live, issued=False) is (Step.ISSUE if net == live else Step.DROP)


@given(splits)
def test_no_bill_is_wanted_for_nothing(net: Split) -> None:
    assert next_step(net, None, issued=False) is (Step.WANT if net.total else Step.NOTHING)
    assert next_step(NOBODY, None, issued=False) is Step.NOTHING


@given(splits, splits)
def test_the_steps_come_to_an_end(net: Split, live: Split) -> None:
    """Whatever stands there, four steps make bill and money agree."""
    bill: Split | None = live
    issued = True
    for _ in range(4):
        step = next_step(net, bill, issued=issued)
        if step is Step.NOTHING:
            break
        if step in (Step.REVERSE, Step.DROP):
            bill, issued = None, False
        elif step is Step.WANT:
            bill, issued = net, False
        else:
            issued = True

    assert next_step(net, bill, issued=issued) is Step.NOTHING


def test_a_drug_is_not_named_on_the_bill() -> None:
    assert (drug_category("1801"), drug_category("0102"), drug_category("")) == (PATENT, WESTERN, WESTERN)
