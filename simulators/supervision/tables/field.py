"""What a field table says: fields with their need and kind, methods, profiles."""

import operator
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

_COMPARE = {"<": operator.lt, ">=": operator.ge}


@dataclass(frozen=True)
class Condition:
    """`field=a|b`, `field!=a`, `age<6`, `age>=14`; what cannot be judged does not hold."""

    field: str
    sign: str
    values: tuple[str, ...]

    def holds(self, record: Mapping[str, Any]) -> bool:
        value = record.get(self.field)
        if value is None or value == "":
            return False
        if self.sign == "=":
            return str(value) in self.values
        if self.sign == "!=":
            return str(value) not in self.values
        try:
            return bool(_COMPARE[self.sign](int(value), int(self.values[0])))
        except (TypeError, ValueError):
            return False

    def __str__(self) -> str:
        return f"{self.field}{self.sign}{'|'.join(self.values)}"


@dataclass(frozen=True)
class Kind:
    """`name` picks the check (`checks.py`); the other parts are its arguments."""

    name: str
    length: int = 0
    scale: int = 0
    low: int | None = None
    high: int | None = None
    table: str = ""


@dataclass(frozen=True)
class Field:
    """One row of a table: mandatory `always`, or when all `conditions` hold."""

    name: str
    always: bool
    conditions: tuple[Condition, ...]
    kind: Kind
    kind_text: str
    documented: bool
    label: str
    notes: tuple[str, ...] = ()
    items: "tuple[Field, ...]" = ()

    def is_needed(self, record: Mapping[str, Any]) -> bool:
        return self.always or (bool(self.conditions) and all(one.holds(record) for one in self.conditions))


@dataclass(frozen=True)
class Method:
    """`register` is (kind, field): the business number an accepted record makes known.

    `needs` are (kind or naming field, field): numbers that must be known already; a kind that is itself a field
    of the record is looked up in `dependencies.py`.
    """

    name: str
    label: str
    fields: tuple[Field, ...]
    register: tuple[str, str]
    needs: tuple[tuple[str, str], ...] = ()
    events: tuple[str, ...] = ()
    quota: int = 0
    empty_allowed: bool = False

    def field(self, name: str) -> Field:
        return next(one for one in self.fields if one.name == name)


class Answers(StrEnum):
    """How a list is answered: as a whole, as a whole with a receipt for each record, or row by row."""

    LIST = "list"
    RECEIPTS = "receipts"
    ROWS = "rows"


@dataclass(frozen=True)
class Profile:
    """`once_by` is the field by which a repetition is known again; empty where whatever comes twice is stored twice.

    `organ` and `unit` are the fields that name the hospital and its access. `signed_by_key`: the headers carry a signature
    of the hospital's own key instead of a digest.
    """

    name: str
    service_id: str
    methods: Mapping[str, Method]
    answers: Answers = Answers.LIST
    once_by: str = ""
    organ: str = "organID"
    unit: str = "unitID"
    signed_by_key: bool = False
    chained: bool = False
    refuse_unknown: bool = False
