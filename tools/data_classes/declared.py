"""`declared.toml`, typed."""

from functools import cache
from pathlib import Path

import msgspec

from foundation.db.columns import DataClass

FILE = Path(__file__).with_name("declared.toml")
SHORT = 600
"""Seconds that a key with content of the hospital may live."""


class Keys(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A family of keys in Valkey; `seconds` is the longest life, 0 for what arq keeps up itself."""

    holds: DataClass
    seconds: int
    says: str
    sealed: bool = False


class Declared(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file. In `hospital`, `structs` and `logs` names are listed under their class."""

    valkey: dict[str, Keys]
    objects: dict[str, DataClass]
    logs: dict[DataClass, list[str]]
    documents: dict[str, str]
    """JSON columns whose type does not say what is in them: the structs, or the name of a list of `keys`."""
    keys: dict[str, dict[DataClass, list[str]]]
    structs: dict[str, dict[DataClass, list[str]]]
    hospital: dict[str, dict[DataClass, list[str]]]


@cache
def read() -> Declared:
    """What is declared; `msgspec.ValidationError` names a class that does not exist."""
    return msgspec.toml.decode(FILE.read_bytes(), type=Declared)


def by_name(listed: dict[DataClass, list[str]]) -> dict[str, DataClass]:
    """Class of each name."""
    return {name: held for held, names in listed.items() for name in names}
