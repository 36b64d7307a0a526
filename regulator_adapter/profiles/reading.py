"""Reads a profile's TOML: transport, timing, order, field tables, code tables.

`suite` is commercial or international, `signature` digest or key. `row_key` names the field by which each row of a list is answered.
Timing is `at once` or `next-day HH:MM` (Shanghai): `timing` for the profile, a line of `[timings]` for a record of its own.
`repeats` names records that may be sent again under one business number; `sign_in` those of which every day wants one, empty or not.

Kinds of a field: `text n` · `strings n` (list of texts) · `code t` · `codes t` (list) · `subject`, `subjects` (诊疗科目, one or a list) ·
`drugclass` · `certificate n` · `icd`, `icds` (ICD-10, one or joined with `|`) · `texts n` (joined with `|`) · `integer a..b` ·
`decimal p,s` (a string of digits) · `fen` · `time` (yyyy-MM-dd HH:mm:ss) · `date` · `span` (date HH:mm-HH:mm) ·
`iso` (ISO 8601 with offset) · `hex n` · `eventtype` · `list` (objects, table of its own).
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time
from statistics import median_low
from typing import Any

from foundation.suites import Suite, suite

_CONDITION = re.compile(r"(\w+)(=|<|>=)(.+)")


@dataclass(frozen=True)
class Condition:
    """`field` compared with `values`: `=` one of them, `<` and `>=` with the only one, as whole numbers."""

    field: str
    operator: str
    values: tuple[str, ...]

    def holds(self, record: Mapping[str, Any]) -> bool:
        """Whether it holds for `record`; a missing or odd value does not."""
        value = record.get(self.field)
        if value is None:
            return False
        if self.operator == "=":
            return str(value) in self.values
        try:
            number = int(value)
        except (TypeError, ValueError):
            return False
        limit = int(self.values[0])
        return number < limit if self.operator == "<" else number >= limit


@dataclass(frozen=True)
class Field:
    """One line of a field table. `when` is None for an optional field, empty for one that is always mandatory."""

    name: str
    when: tuple[Condition, ...] | None
    kind: str
    argument: str
    clip: bool

    def mandatory(self, record: Mapping[str, Any]) -> bool:
        """Whether `record` must have it."""
        return self.when is not None and all(one.holds(record) for one in self.when)


@dataclass(frozen=True)
class Method:
    """One kind of record: its fields, the tables of its lists, the number it makes known, the events it may stand for.

    `next_day` is the Shanghai time of T+1, None for real time. `once`: a business number goes out once, in its terminal state.
    """

    name: str
    fields: tuple[Field, ...]
    lists: Mapping[str, tuple[Field, ...]]
    makes: tuple[str, str]
    events: tuple[str, ...]
    needs: tuple[tuple[str, str], ...]
    batch: int
    rank: int | None
    next_day: time | None
    once: bool


@dataclass(frozen=True)
class Profile:
    """One platform. `next_day` is the timing of records that have none of their own; `by_events`: a stream goes in its events' order.

    `suite`: the algorithms of its envelope; `signed_by_key`: the headers are signed by the hospital's own key instead of digested.
    `row_key`: the field that an answer names its rows by, where every row is answered for itself; empty where the list is.
    `sign_in`: methods of which the platform wants to hear every day, with an empty list when there is nothing.
    `states_days`: it answers the day's statement with its own; elsewhere a person reads its counts from a page.
    """

    name: str
    path: str
    service: str
    suite: Suite
    signed_by_key: bool
    row_key: str
    next_day: time | None
    deduplicates: bool
    states_days: bool
    by_events: bool
    unordered: frozenset[str]
    sign_in: tuple[str, ...]
    methods: Mapping[str, Method]
    codes: Mapping[str, frozenset[str]]
    kinds: Mapping[str, Mapping[str, str]]

    @property
    def usual_batch(self) -> int:
        """How many records a list of most methods may hold."""
        return median_low(method.batch for method in self.methods.values())


def read(text: str) -> Profile:
    """A profile from TOML; `KeyError` or `ValueError` when it is malformed."""
    data = tomllib.loads(text)
    header = _table(data["header"])
    order = data["order"]
    ranks = {} if order == "events" else {name: at for at, name in enumerate(order)}
    _known("timings, repeats, sign_in, order", data)
    methods = {
        name: Method(
            name=name,
            fields=header + _table(body["fields"]),
            lists={key: _table(lines) for key, lines in body.get("lists", {}).items()},
            makes=_pair(body["makes"]),
            events=tuple(body.get("events", ())),
            needs=tuple(_pair(need) for need in data.get("needs", {}).get(name, ())),
            batch=data.get("batches", {}).get(name, data["batch"]),
            rank=ranks.get(name),
            next_day=_next_day(data.get("timings", {}).get(name, data["timing"])),
            once=not data["deduplicates"] and name not in data.get("repeats", ()),
        )
        for name, body in data["methods"].items()
    }
    return Profile(
        name=data["name"],
        path=data["path"],
        service=data["service"],
        suite=suite(data.get("suite", "commercial")),
        signed_by_key=data.get("signature", "digest") == "key",
        row_key=data.get("row_key", ""),
        next_day=_next_day(data["timing"]),
        deduplicates=data["deduplicates"],
        states_days=data.get("states_days", False),
        by_events=order == "events",
        unordered=frozenset(data.get("unordered", ())),
        sign_in=tuple(data.get("sign_in", ())),
        methods=methods,
        codes={name: _codes(line) for name, line in data["codes"].items()},
        kinds=data.get("kinds", {}),
    )


def _known(sections: str, data: Mapping[str, Any]) -> None:
    """Every method that a section names must be one: a misspelt exception would be none."""
    for section in sections.split(", "):
        names = data.get(section, ())
        unknown = set() if names == "events" else set(names) - set(data["methods"])
        if unknown:
            raise ValueError(f"{section} names {', '.join(sorted(unknown))}, which is no method")


def _next_day(timing: str) -> time | None:
    return None if timing == "at once" else time.fromisoformat(timing.removeprefix("next-day "))


def _codes(line: str) -> frozenset[str]:
    return frozenset(entry.split()[0] for entry in line.split(", "))


def _pair(text: str) -> tuple[str, str]:
    first, second = text.split()
    return first, second


def _table(lines: str) -> tuple[Field, ...]:
    return tuple(_field(line.split()) for line in lines.splitlines() if line.strip())


def _field(words: list[str]) -> Field:
    name, need, kind, *rest = words
    clip = rest[-1:] == ["clip"]
    return Field(name, _need(need), kind, " ".join(rest[:-1] if clip else rest), clip)


def _need(need: str) -> tuple[Condition, ...] | None:
    if need == "O":
        return None
    if need == "M":
        return ()
    return tuple(_condition(part) for part in need.removeprefix("C:").split("&"))


def _condition(text: str) -> Condition:
    match = _CONDITION.fullmatch(text)
    if match is None:
        raise ValueError(f"not a condition: {text}")
    return Condition(match[1], match[2], tuple(match[3].split("|")))
