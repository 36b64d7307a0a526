"""Believable records made from a profile's tables alone: every mandatory field, nobody's data."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import Any
from uuid import uuid4

from foundation.canonical import sha256
from foundation.chain import GENESIS, link
from foundation.clock import local
from regulator_adapter.organisation import Organisation
from regulator_adapter.profiles import Method, Profile
from regulator_adapter.profiles.reading import Field

CERTIFICATE = "11010519491231002X"
"""The example number of GB 11643: its check character is right, and it is nobody's."""
ADULT = 40
ANY_EVENT = "practitioner.changed"


@dataclass
class Chain:
    """A chain of its own for profiles that want one."""

    last: int = 0
    head: bytes = GENESIS

    def next(self) -> dict[str, Any]:
        """The fields of the next event, alone in its stream."""
        event = str(uuid4())
        digest = sha256(event.encode())
        self.last += 1
        self.head = link(self.head, self.last, digest)
        return {
            "eventId": event, "stream": f"conformance:{event}", "streamSeq": 1, "hospitalSeq": self.last,
            "eventDigest": digest.hex(), "chainHash": self.head.hex(),
        }  # fmt: skip


@dataclass
class Examples:
    """Makes records of one profile; their numbers begin with `prefix`, so that two runs do not meet."""

    profile: Profile
    organisation: Organisation
    prefix: str
    now: datetime
    chain: Chain = field(default_factory=Chain)
    _serial: Iterator[int] = field(default_factory=lambda: count(1))

    def number(self) -> str:
        """A business number nobody used."""
        return f"{self.prefix}{next(self._serial):05d}"

    def record(self, name: str, **fixed: Any) -> dict[str, Any]:
        """A whole record of method `name`; `fixed` are fields that must be so."""
        method = self.profile.methods[name]
        kind, makes = method.makes
        start = {makes: self.number()} if kind else {}
        record = {**self._known(method), **start, **fixed}
        while missing := [one for one in method.fields if one.name not in record and one.mandatory(record)]:
            record |= {one.name: self.value(method, one) for one in missing}
        return record

    def _known(self, method: Method) -> dict[str, Any]:
        """What the hospital is called, and where a chained record stands; only fields the method has."""
        ours = self.organisation
        known: dict[str, Any] = {
            "organID": ours.code, "unitID": ours.unit_id, "organName": ours.name,
            "jgdm": ours.code, "fwwddm": ours.unit_id, "jgmc": ours.name,
            "sjbs": f"{uuid4()}:1", "age": ADULT, "nls": ADULT,
        }  # fmt: skip
        if any(one.name == "chainHash" for one in method.fields):
            known |= self.chain.next()
        names = {one.name for one in method.fields}
        return {name: value for name, value in known.items() if name in names}

    def value(self, method: Method, one: Field) -> Any:
        """A value of the field's kind."""
        if one.kind == "list":
            inside = method.lists[one.name]
            return [{entry.name: self.value(method, entry) for entry in inside if entry.when == ()}]
        return _MAKERS[one.kind](self, method, one)

    def code(self, one: Field) -> str:
        """The first code of the field's table."""
        return min(self.profile.codes[one.argument], key=lambda value: (len(value), value))


Maker = Callable[[Examples, Method, Field], Any]


def _always(value: Any) -> Maker:
    return lambda examples, method, one: value


def _time(form: str) -> Maker:
    return lambda examples, method, one: local(examples.now).strftime(form)


def _integer(_: Examples, __: Method, one: Field) -> int:
    """The least that is allowed; of an age, which may be nothing, a grown-up's."""
    low, _dots, high = one.argument.partition("..")
    return int(low) or min(ADULT, int(high or ADULT))


_MAKERS: dict[str, Maker] = {
    "text": lambda examples, method, one: f"示例{one.name}"[: int(one.argument)],
    "texts": _always("高血压病"),
    "certificate": _always(CERTIFICATE),
    "strings": _always(["示例"]),
    "subject": _always("03.10"),
    "subjects": _always(["03.10"]),
    "drugclass": _always("060303"),
    "icd": _always("I10"),
    "icds": _always("I10"),
    "fen": _always(100),
    "decimal": _always("1"),
    "time": _time("%Y-%m-%d %H:%M:%S"),
    "date": _time("%Y-%m-%d"),
    "span": _time("%Y-%m-%d 09:00-09:15"),
    "iso": lambda examples, method, one: local(examples.now).isoformat(timespec="milliseconds"),
    "code": lambda examples, method, one: examples.code(one),
    "codes": lambda examples, method, one: [examples.code(one)],
    "integer": _integer,
    "hex": lambda examples, method, one: "0" * int(one.argument),
    "eventtype": lambda examples, method, one: ANY_EVENT if method.events == ("*",) else method.events[0],
}
