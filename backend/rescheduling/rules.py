"""Who goes where, who leaves first, until when she may answer. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from backend.policy import Policy
from backend.schedule.rules import Channel


@dataclass(frozen=True)
class Somebody:
    """A patient with a place that goes; in the order in which she would have been seen."""

    appointment_id: UUID
    person_id: UUID


@dataclass(frozen=True)
class Room:
    """A slot with `left` places, in which `persons` have one already."""

    slot_id: UUID
    left: int
    persons: frozenset[UUID] = frozenset()


@dataclass(frozen=True)
class Allotment:
    """Where each goes, and who found no room."""

    to: dict[UUID, UUID]
    without: list[UUID]


def allot(people: Sequence[Somebody], rooms: Sequence[Room]) -> Allotment:
    """Everybody to the first room in time that has a place and in which she has none yet; the order of people is kept."""
    left = {room.slot_id: room.left for room in rooms}
    inside = {room.slot_id: set(room.persons) for room in rooms}
    found = Allotment({}, [])
    for one in people:
        room = next((key for key in left if left[key] > 0 and one.person_id not in inside[key]), None)
        if room is None:
            found.without.append(one.appointment_id)
            continue
        left[room] -= 1
        inside[room].add(one.person_id)
        found.to[one.appointment_id] = room
    return found


def surplus(people: Sequence[Somebody], capacity: int) -> list[Somebody]:
    """Who no longer fits into so many places: those who would have been seen last."""
    return list(people[max(capacity, 0) :])


def take_any(remaining: int, held: dict[Channel, int]) -> Channel | None:
    """Whose place a displaced patient gets: one kept for nobody, else one of a share; None when there is none at all.

    She had a place and lost it through no fault of hers: neither release nor shares stand before her.
    """
    if remaining <= 0:
        return None
    if remaining > sum(held.values()):
        return Channel.GENERAL
    return next(channel for channel, count in held.items() if count > 0)


def answer_by(now: datetime, starts_at: datetime, policy: Policy) -> datetime:
    """Until when she may choose: so many hours, and never beyond the new start."""
    return min(now + timedelta(hours=policy.move_answer_hours), starts_at)
