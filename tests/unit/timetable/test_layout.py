"""What may happen to slots that are there: property tests over every plan and every state of selling."""

import itertools
from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as some

from backend.timetable import rules
from backend.timetable.layout import Layout, Piece, Present, arrange

DAY = date(2026, 11, 23)


def piece(begins: int, length: int = 60, capacity: int = 6, held: int = 0, mode: str = "any") -> Piece:
    """A slot of that day from minute `begins`."""
    start = rules.at(DAY, begins)
    end = start + timedelta(minutes=length)
    return Piece("0310", DAY, start, end, capacity, 0, held, 0, mode, "visit")


def there(number: int, of: Piece, sold: int = 0, *, stopped: bool = False) -> Present:
    return Present(UUID(int=number), of, sold, stopped)


def after(present: list[Present], layout: Layout) -> list[Present]:
    """The slots as they are when the layout is done."""
    change = {slot.id: new for slot, new in layout.change}
    closed = {slot.id for slot in layout.close}
    kept = [
        replace(slot, piece=change.get(slot.id, slot.piece), stopped=(slot.stopped or slot.id in closed) and slot.id not in change)
        for slot in present
    ]  # fmt: skip
    return kept + [Present(UUID(int=1000 + number), new, 0) for number, new in enumerate(layout.open)]


def test_nothing_happens_when_the_plan_is_what_is_there() -> None:
    slot = there(1, piece(480), sold=3)

    assert arrange([piece(480)], [slot]) == Layout()


def test_what_is_new_is_opened_and_what_nobody_wants_is_closed() -> None:
    slot = there(1, piece(480))

    assert arrange([piece(540)], [slot]) == Layout(open=[piece(540)], close=[slot])


def test_places_may_be_added_or_taken_down_to_what_is_sold() -> None:
    slot = there(1, piece(480), sold=3)

    for capacity in (3, 4, 9):
        assert arrange([piece(480, capacity=capacity)], [slot]).change == [
            (slot, piece(480, capacity=capacity))
        ]
    assert arrange([piece(480, capacity=2)], [slot]).in_the_way == [slot]


def test_other_hours_or_another_way_of_talking_would_be_noticed_by_who_has_a_place() -> None:
    slot = there(1, piece(480), sold=1)

    assert arrange([piece(480, length=30)], [slot]).in_the_way == [slot]
    assert arrange([piece(480, mode="text")], [slot]).in_the_way == [slot]
    assert arrange([], [slot]).in_the_way == [slot]


def test_nothing_is_opened_across_a_slot_that_stays() -> None:
    slot = there(1, piece(480), sold=1)

    layout = arrange([piece(510)], [slot])

    assert (layout.open, layout.in_the_way) == ([], [slot])


def test_a_stopped_slot_that_is_wanted_again_is_opened_in_its_new_form() -> None:
    slot = there(1, piece(480), stopped=True)

    assert arrange([piece(480, capacity=2)], [slot]).change == [(slot, piece(480, capacity=2))]


@some.composite
def plans(draw: some.DrawFn) -> list[Piece]:
    """Pieces of a day that do not overlap."""
    found, minute = [], 0
    for gap, length, capacity, mode in draw(
        some.lists(
            some.tuples(some.sampled_from([0, 0, 30]), some.sampled_from([30, 60, 90]), some.integers(1, 4),
                        some.sampled_from(["any", "video"])),
            max_size=8,
        )
    ):  # fmt: skip
        found.append(piece(minute + gap, length, capacity, mode=mode))
        minute += gap + length
    return found


@some.composite
def days(draw: some.DrawFn) -> list[Present]:
    """Slots of a day, some sold, some stopped."""
    return [
        there(number, one, draw(some.integers(0, one.capacity)), stopped=draw(some.booleans()))
        for number, one in enumerate(draw(plans()), start=1)
    ]


@given(wanted=plans(), present=days())
def test_whatever_is_planned_nobody_who_has_a_place_notices(
    wanted: list[Piece], present: list[Present]
) -> None:
    layout = arrange(wanted, present)

    now = {slot.id: slot for slot in after(present, layout)}
    for slot in present:
        if not slot.sold:
            continue
        left = now[slot.id]
        assert left.stopped == slot.stopped
        assert left.piece.capacity >= slot.sold
        assert (left.piece.starts_at, left.piece.ends_at, left.piece.mode) == (
            slot.piece.starts_at, slot.piece.ends_at, slot.piece.mode,
        )  # fmt: skip


@given(wanted=plans(), present=days())
def test_open_slots_never_overlap_and_one_time_is_one_slot(
    wanted: list[Piece], present: list[Present]
) -> None:
    found = after(present, arrange(wanted, present))

    on_sale = sorted((one.piece.starts_at, one.piece.ends_at) for one in found if not one.stopped)
    assert all(one[1] <= other[0] for one, other in itertools.pairwise(on_sale))
    starts = [one.piece.starts_at for one in found]
    assert len(starts) == len(set(starts))


@given(wanted=plans(), present=days())
def test_when_nothing_is_sold_the_day_becomes_exactly_the_plan(
    wanted: list[Piece], present: list[Present]
) -> None:
    unsold = [replace(slot, sold=0) for slot in present]

    layout = arrange(wanted, unsold)

    assert layout.in_the_way == []
    assert (
        sorted((one.piece for one in after(unsold, layout) if not one.stopped), key=lambda one: one.starts_at)
        == wanted
    )


@given(wanted=plans(), present=days())
def test_arranging_twice_changes_nothing_more(wanted: list[Piece], present: list[Present]) -> None:
    first = arrange(wanted, present)

    again = arrange(wanted, after(present, first))

    assert (again.open, again.change, again.close) == ([], [], [])
    assert {one.id for one in again.in_the_way} == {one.id for one in first.in_the_way}
