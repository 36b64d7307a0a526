"""Who goes where and who leaves first, as properties."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as some

from backend.policy import Policy
from backend.rescheduling import rules
from backend.rescheduling.rules import Room, Somebody
from backend.schedule.rules import Channel

NOW = datetime(2026, 11, 20, 1, 10, tzinfo=UTC)
persons = some.integers(1, 6).map(lambda number: UUID(int=number))
crowds = some.lists(persons, max_size=12).map(
    lambda found: [Somebody(UUID(int=100 + place), person) for place, person in enumerate(found)]
)
houses = some.lists(some.tuples(some.integers(0, 4), some.frozensets(persons, max_size=3)), max_size=5).map(
    lambda found: [Room(UUID(int=1000 + place), left, inside) for place, (left, inside) in enumerate(found)]
)


@given(people=crowds, rooms=houses)
def test_nobody_is_lost_no_room_is_overfull_and_nobody_sits_twice(
    people: list[Somebody], rooms: list[Room]
) -> None:
    found = rules.allot(people, rooms)

    assert [*found.to, *found.without].__len__() == len(people)
    assert set(found.to) | set(found.without) == {one.appointment_id for one in people}
    person_of = {one.appointment_id: one.person_id for one in people}
    for room in rooms:
        inside = [person_of[booked] for booked, to in found.to.items() if to == room.slot_id]
        assert len(inside) <= room.left
        assert len(inside) == len(set(inside))
        assert not room.persons.intersection(inside)


@given(people=crowds, rooms=houses)
def test_who_finds_no_room_has_none(people: list[Somebody], rooms: list[Room]) -> None:
    found = rules.allot(people, rooms)

    person_of = {one.appointment_id: one.person_id for one in people}
    for booked in found.without:
        for room in rooms:
            there = [one for one, to in found.to.items() if to == room.slot_id]
            full = len(there) >= room.left
            inside = person_of[booked] in room.persons or person_of[booked] in {
                person_of[one] for one in there
            }
            assert full or inside


def test_the_order_of_people_is_kept() -> None:
    people = [Somebody(UUID(int=number), UUID(int=number)) for number in range(1, 6)]
    rooms = [Room(UUID(int=11), 2), Room(UUID(int=12), 2)]

    found = rules.allot(people, rooms)

    assert list(found.to.values()) == [UUID(int=11)] * 2 + [UUID(int=12)] * 2
    assert found.without == [UUID(int=5)]


@given(people=crowds, capacity=some.integers(-2, 14))
def test_those_who_would_be_seen_last_leave(people: list[Somebody], capacity: int) -> None:
    leaving = rules.surplus(people, capacity)

    assert len(people) - len(leaving) <= max(capacity, 0)
    assert people[: len(people) - len(leaving)] + leaving == people


@given(
    free=some.integers(0, 3),
    held=some.fixed_dictionaries({one: some.integers(0, 2) for one in Channel if one is not Channel.GENERAL}),
)
def test_a_displaced_patient_gets_any_place_there_is(free: int, held: dict[Channel, int]) -> None:
    remaining = free + sum(held.values())
    while (place := rules.take_any(remaining, held)) is not None:
        remaining -= 1
        if place is not Channel.GENERAL:
            held[place] -= 1
        assert min(held.values()) >= 0
        assert sum(held.values()) <= remaining
    assert remaining == 0


def test_she_has_a_day_to_answer_and_never_longer_than_until_the_new_start() -> None:
    policy = Policy()

    assert rules.answer_by(NOW, NOW + timedelta(days=3), policy) == NOW + timedelta(hours=24)
    assert rules.answer_by(NOW, NOW + timedelta(hours=2), policy) == NOW + timedelta(hours=2)
