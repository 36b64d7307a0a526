from decimal import Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from backend.desk.rendering import yuan as printed
from backend.payment.rules import (
    REFUND_RULES,
    TENDERS,
    Line,
    RefundReason,
    balance,
    tender_issues,
    total,
)
from contracts.money import parse_yuan, yuan

FEN = st.integers(0, 10**9)
LINES = st.builds(
    Line,
    st.just("c"),
    st.just("药"),
    st.integers(0, 10**6),
    st.integers(1, 200),
    st.sampled_from(["2026.1", "d1"]),
)


@given(st.integers(-(10**9), 10**9))
def test_what_is_printed_is_read_back(fen: int) -> None:
    assert parse_yuan(yuan(fen)) == fen
    assert Decimal(yuan(fen)) * 100 == fen


@given(FEN)
def test_the_desk_prints_the_same_amount(fen: int) -> None:
    assert printed(fen).replace(",", "") == f"¥{yuan(fen)}"


@pytest.mark.parametrize(
    ("text", "fen"),
    [("0", 0), ("30", 3000), ("30.5", 3050), ("30.50", 3050), ("0.01", 1), ("-0.07", -7), ("007.10", 710)],
)
def test_an_amount_in_yuan_may_be_written_in_several_ways(text: str, fen: int) -> None:
    assert parse_yuan(text) == fen


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "1.",
        ".5",
        "1.234",
        "1,000",
        "1e3",
        "--1",
        "+1",
        " 1",
        "１",
        "1.٣",
        "NaN",
        "-",
        "1.2.3",
        "0x10",
    ],
)
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not an amount in yuan"):
        parse_yuan(text)


@given(st.text(max_size=12))
def test_nothing_but_digits_and_a_point_is_an_amount(text: str) -> None:
    try:
        fen = parse_yuan(text)
    except ValueError:
        return
    assert set(text) <= set("-.0123456789")
    assert abs(Decimal(text) * 100 - fen) == 0


@given(st.lists(LINES, min_size=1, max_size=6))
def test_a_bill_is_the_sum_of_its_lines(lines: list[Line]) -> None:
    assert total(lines) == sum(line.unit * line.quantity for line in lines)
    assert total([*lines, lines[0]]) == total(lines) + lines[0].amount


@given(st.dictionaries(st.sampled_from(TENDERS), FEN, min_size=1))
def test_tenders_that_add_up_are_taken_and_a_fen_more_or_less_is_not(tenders: dict[str, int]) -> None:
    amount = sum(tenders.values())

    assert tender_issues(amount, tenders) == []
    for wrong in (amount + 1, amount - 1):
        assert [issue.code for issue in tender_issues(wrong, tenders)] == ["does_not_add_up"]


@given(FEN, FEN)
def test_a_negative_or_unknown_tender_is_named(cash: int, other: int) -> None:
    assume(other > 0)

    issues = tender_issues(cash, {"wechat_cash": cash + other, "ins_gov": -other, "gold": 0})

    assert {(issue.field, issue.code) for issue in issues} == {
        ("tenders.ins_gov", "negative"), ("tenders.gold", "unknown_tender"),
    }  # fmt: skip


@given(st.sampled_from(RefundReason), FEN)
def test_a_refund_is_never_more_than_was_paid(reason: RefundReason, amount: int) -> None:
    rule = REFUND_RULES[reason]

    assert 0 <= rule.share(amount) <= amount
    assert rule.share(amount) * 100 >= amount * rule.percent
    if rule.percent in (0, 100):
        assert rule.share(amount) == amount * rule.percent // 100


def test_words_of_a_refund_name_neither_diagnosis_nor_drug() -> None:
    assert not [rule.words for rule in REFUND_RULES.values() if "诊断" in rule.words]


@given(st.lists(st.tuples(st.sampled_from(["received", "refunded", "noted"]), FEN), max_size=8))
def test_a_balance_is_what_came_in_less_what_went_back(events: list[tuple[str, int]]) -> None:
    received = sum(amount for kind, amount in events if kind == "received")
    refunded = sum(amount for kind, amount in events if kind == "refunded")

    assert balance(events) == received - refunded
    assert balance([*events, ("received", 7), ("refunded", 7)]) == balance(events)
