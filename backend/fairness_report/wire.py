"""Structs of the published report."""

from datetime import date, datetime

import msgspec


class Share(msgspec.Struct, frozen=True):
    """A part of the places (or persons): `count` of all, `percent` with one decimal."""

    key: str
    label: str
    count: int
    percent: str


class Draws(msgspec.Struct, frozen=True):
    """Draws after releases: how many, tickets in them, places given by them."""

    count: int = 0
    tickets: int = 0
    given: int = 0


class Figures(msgspec.Struct, frozen=True):
    """What is published.

    `by_repeat` are places by how many their person had in the period, `by_release` by the time from release to request,
    `persons` distinct persons, `most_of_one` the most places that any one of them had.
    """

    places: int
    persons: int
    most_of_one: int
    by_channel: list[Share]
    by_helper: list[Share]
    by_repeat: list[Share]
    by_first: list[Share]
    by_release: list[Share]
    draws: Draws
    refused: list[Share]
    pauses: int
    pauses_lifted: int


class Rules(msgspec.Struct, frozen=True):
    """The rules in force: places per person and day, per doctor and day, seconds of a draw, no-shows that pause, and for how long."""

    places_per_day: int
    places_per_doctor_and_day: int
    draw_seconds: int
    noshows: int
    noshow_days: int
    pause_days: int


class FairnessView(msgspec.Struct, frozen=True):
    """The report of `first_day` to `last_day`."""

    first_day: date
    last_day: date
    made_at: datetime
    figures: Figures
    rules: Rules


class ReportQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A past day's report; without it today's."""

    day: str | None = None
