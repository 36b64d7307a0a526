import csv
import io
from dataclasses import replace
from datetime import UTC, date, datetime

from hypothesis import given
from hypothesis import strategies as st

from backend.reconciliation.rules import (
    RESOLUTIONS,
    WORDS,
    Booked,
    Books,
    Kind,
    Money,
    Moved,
    Resolution,
    Traded,
    compare,
    csv_file,
    due_at,
)
from tests.unit.reconciliation.books import Fact, books_of, facts, spoils

CHARGE = Fact(Money.CHARGE, "4200001", 3000, 3000, True)
REFUND = Fact(Money.REFUND, "5030001", 3000, 3000, True)


@given(facts())
def test_books_that_agree_have_no_difference(found: list[Fact]) -> None:
    assert compare(books_of(found)) == []


@given(facts(least=1), st.data())
def test_exactly_what_was_planted_is_found(found: list[Fact], data: st.DataObject) -> None:
    """One fen is enough; nothing else is accused."""
    books, planted = books_of(found), set()
    for fact in data.draw(st.lists(st.sampled_from(found), unique_by=lambda one: one.number, min_size=1)):
        kind = data.draw(st.sampled_from(sorted(spoils(fact))))
        books = spoils(fact)[kind](books, fact)
        planted.add((kind, fact.number))

    assert {(one.kind, one.number) for one in compare(books)} == planted


@given(facts(least=2), st.data())
def test_the_order_of_the_books_does_not_matter(found: list[Fact], data: st.DataObject) -> None:
    spoilt = data.draw(st.sampled_from(found))
    kind = data.draw(st.sampled_from(sorted(spoils(spoilt))))
    books = spoils(spoilt)[kind](books_of(found), spoilt)
    shuffled = Books(
        ours=data.draw(st.permutations(books.ours)), traded=data.draw(st.permutations(books.traded)),
        moved=data.draw(st.permutations(books.moved)), booked=data.draw(st.permutations(books.booked)),
        refunds=dict(data.draw(st.permutations(list(books.refunds.items())))),
    )  # fmt: skip

    assert compare(shuffled) == compare(books)


@given(facts(), st.data())
def test_a_difference_is_named_once(found: list[Fact], data: st.DataObject) -> None:
    other = data.draw(facts())
    mixed = replace(books_of(found), traded=books_of(other).traded, booked=[*books_of(found).booked] * 2)

    keys = [one.key for one in compare(mixed)]

    assert len(keys) == len(set(keys))


def test_money_that_only_the_provider_knows_is_a_difference() -> None:
    """The notification was lost, and nobody asked."""
    books = replace(books_of([CHARGE]), ours=[], booked=[])

    [found] = compare(books)

    assert (found.kind, found.number, found.own, found.mine, found.theirs) == (
        Kind.MISSING_OURS, "4200001", "o4200001", None, 3000,
    )  # fmt: skip


def test_money_that_only_we_know_is_two_differences() -> None:
    """A forged proof: neither bill nor account has it."""
    books = replace(books_of([CHARGE]), traded=[], moved=[])

    assert {one.kind for one in compare(books)} == {Kind.MISSING_PROVIDER}


def test_money_that_moved_without_a_trade_is_a_difference() -> None:
    books = replace(books_of([]), moved=[Moved(Money.CHARGE, "42", "o42", 5)])

    assert [(one.kind, one.theirs) for one in compare(books)] == [(Kind.UNKNOWN_FLOW, 5)]


def test_a_charge_of_the_hospitals_that_nobody_paid_is_a_difference() -> None:
    books = replace(books_of([]), booked=[Booked(Money.CHARGE, "42", 5)])

    assert [(one.kind, one.theirs) for one in compare(books)] == [(Kind.UNKNOWN_HOSPITAL, 5)]


def test_a_refund_accepted_today_and_done_tomorrow_is_no_difference() -> None:
    full = books_of([REFUND])

    today = Books([], full.traded, [], [], full.refunds)
    tomorrow = Books(full.ours, [], full.moved, full.booked, full.refunds)

    assert compare(today) == compare(tomorrow) == []


def test_a_voucher_makes_the_account_receive_less_and_is_no_difference() -> None:
    books = replace(
        books_of([CHARGE]), traded=[Traded(Money.CHARGE, "4200001", "o4200001", 3000, 2500)],
        moved=[Moved(Money.CHARGE, "4200001", "o4200001", 2500)],
    )  # fmt: skip

    assert compare(books) == []


def test_a_bill_that_is_wrong_about_one_trade_is_one_difference() -> None:
    """The account received what we know; that the bill says otherwise is said once."""
    wrong = replace(books_of([CHARGE]), traded=[Traded(Money.CHARGE, "4200001", "o4200001", 3001, 3001)])
    only_settled = replace(
        books_of([CHARGE]), traded=[Traded(Money.CHARGE, "4200001", "o4200001", 3000, 2999)]
    )

    assert [one.kind for one in compare(wrong)] == [Kind.AMOUNT_PROVIDER]
    assert [one.kind for one in compare(only_settled)] == [Kind.AMOUNT_FLOW]


def test_a_bill_that_contradicts_itself_is_a_difference() -> None:
    books = replace(books_of([CHARGE]), sums=[("应结订单总金额", 3001, 3000)])

    assert [(one.kind, one.mine, one.theirs) for one in compare(books)] == [(Kind.BILL_SUMS, 3000, 3001)]


def test_every_kind_and_every_way_to_settle_has_words() -> None:
    assert set(WORDS) == set(Kind)
    assert set(RESOLUTIONS) == set(Resolution)
    assert len(RESOLUTIONS) == 4


def test_a_bill_is_first_asked_for_at_ten_of_the_next_day() -> None:
    assert due_at(date(2026, 11, 20)) == datetime(2026, 11, 21, 2, tzinfo=UTC)


@given(
    st.lists(
        st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0\r\n")), min_size=2), min_size=1
    )
)
def test_a_file_for_excel_is_read_back_and_never_begins_a_formula(rows: list[list[str]]) -> None:
    content = csv_file(rows)

    assert content.startswith(b"\xef\xbb\xbf")
    back = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    for row, read in zip(rows, back, strict=True):
        for cell, seen in zip(row, read, strict=True):
            assert seen.removeprefix("'") == cell.removeprefix("'") or seen == f"'{cell}"
            assert not seen.startswith(("=", "+", "@", "\t"))


def test_numbers_stay_numbers_for_excel() -> None:
    assert (
        csv_file([["-30.50", "=1+1", "-1+1", "@x"]]).decode("utf-8-sig")
        == '"-30.50","\'=1+1","\'-1+1","\'@x"\r\n'
    )
