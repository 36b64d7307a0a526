"""Which profile and which records an event becomes: a table such as `routing.toml`, checked against events, profiles and mappings."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from contracts import events
from regulator_adapter import profiles
from regulator_adapter.mapping import KINDS
from regulator_adapter.mapping.kind import RecordKind

UNROUTED = "unrouted"
"""Method of the row that stands for an event we cannot read: stored, parked at once, never lost."""

NOT_REPORTED = "none"


@dataclass(frozen=True)
class Route:
    """One line of the table."""

    profile: str
    methods: tuple[str, ...]


@dataclass(frozen=True)
class Stop:
    """One record an event becomes: profile, method, business number."""

    profile: str
    method: str
    number: str


@dataclass(frozen=True)
class Routing:
    """The whole table; `chain` is the kind that carries an event's place where it has no record in that profile."""

    routes: Mapping[str, Route]
    chain: RecordKind

    @property
    def profiles(self) -> list[str]:
        """Those that anything goes to, in the order in which we know them."""
        used = {route.profile for route in self.routes.values()} | {self.chain.profile}
        return [name for name in profiles.NAMES if name in used]

    def stops(self, kind: str, event: Any) -> list[Stop]:
        """All records of an event of type `kind`, never none."""
        route = self.routes[kind]
        found = [
            Stop(route.profile, method, number)
            for method in route.methods
            for number in dict.fromkeys(KINDS[route.profile, method].numbers(event))
        ]
        if not any(stop.profile == self.chain.profile for stop in found):
            found += [
                Stop(self.chain.profile, self.chain.method, number) for number in self.chain.numbers(event)
            ]
        return found

    def reported_by(self, kind: str, event: Any) -> str:
        """The profile that reports the event's content, `none` when no record of it goes anywhere."""
        stops = self.stops(kind, event)
        content = [stop.profile for stop in stops if stop.method != self.chain.method]
        return content[0] if content else NOT_REPORTED


def read(text: str) -> Routing:
    """A table from TOML; `ValueError` names what is missing, unknown or unmapped."""
    data = tomllib.loads(text)
    routes = {kind: Route(line[0], tuple(line[1:])) for kind, line in data["routes"].items()}
    problems = [f"{kind} is not routed" for kind in events.BY_TYPE if kind not in routes]
    problems += [f"{kind} is no event" for kind in routes if kind not in events.BY_TYPE]
    for kind, route in routes.items():
        problems += [
            f"{kind}: no {method} in {route.profile}"
            for method in route.methods
            if (route.profile, method) not in KINDS or method not in profiles.profile(route.profile).methods
        ]
    if problems:
        raise ValueError("; ".join(problems))
    return Routing(routes, KINDS[data["chain"]["profile"], data["chain"]["method"]])


SHIPPED = {
    "city": "routing.toml",
    "shanghai": "routing-shanghai.toml",
    "guangdong": "routing-guangdong.toml",
}


def routing(table: str = "city") -> Routing:
    """The table this process works by: one that ships, or a file's path. `ValueError` when it cannot be read."""
    if table in SHIPPED:
        file = resources.files("regulator_adapter").joinpath(SHIPPED[table])
        return read(file.read_text(encoding="utf-8"))
    try:
        return read(Path(table).read_text(encoding="utf-8"))
    except (OSError, KeyError, tomllib.TOMLDecodeError) as error:
        raise ValueError(f"routing table {table}: {type(error).__name__}") from None
