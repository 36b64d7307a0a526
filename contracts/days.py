"""What the backend tells the adapter of a day, so that what was sent and what arrived can be compared: `POST /days/{day}/sent`."""

from datetime import date, datetime

import msgspec


class Sent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The outbox's totals: `events` of the day numbered up to `last_number` in the whole feed, where the chain stood at `head`.

    Of a day without events it says 0, and `last_number` is where the feed stood at its end. `unsealed`: events of the day that have no number yet.
    """

    events: int
    last_number: int
    head: str
    unsealed: int


class DaysWanted(msgspec.Struct, frozen=True):
    """`GET /days/wanted`: the adapter wants to hear what was sent of these days. It needs to hear of no day in the runs `closed`,
    `(first, last)`; the sender knows which other days there were, also where nothing of them arrived."""

    days: list[date]
    closed: list[tuple[date, date]] = []


class DayHeard(msgspec.Struct, frozen=True):
    """The answer to `Sent`: numbers that did not arrive, as runs `[first, last]`, and when the day was closed."""

    missing: list[list[int]]
    closed_at: datetime | None


class ClosedDay(msgspec.Struct, frozen=True):
    """`GET /days/{day}`: `through` is the number up to which the day's events are settled on both sides, None while open."""

    day: date
    state: str
    through: int | None
    closed_at: datetime | None
