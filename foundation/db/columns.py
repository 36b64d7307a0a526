"""Column types and the declaration of what class of data a column holds."""

from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, TypeVar

import msgspec
from sqlalchemy import BigInteger, DateTime, Dialect, LargeBinary, String, TypeDecorator
from sqlalchemy.orm import MappedColumn, mapped_column

from foundation.crypto import Keyring

S = TypeVar("S", bound=StrEnum)


class DataClass(StrEnum):
    """What may be in a column; every stored column declares one, and a test refuses a column that does not.

    Clinical content of the hospital's own systems has a class so that its places can be named (tools/data_classes); a
    column never has it, for such content is never stored.
    """

    OPERATIONAL = "operational"
    """Ids, states, times, counters, configuration, public facts."""
    PERSONAL = "personal"
    """Names, id numbers, phones, addresses: always encrypted, found by a keyed index."""
    CONTENT = "content"
    """Clinical content made by the internet hospital itself: always encrypted."""
    EVIDENCE = "evidence"
    """The few hospital facts a decision rests on: visit id, ICD code, date, rule id, hash."""
    MONEY = "money"
    """Amounts in fen and the provider's references."""
    SECRET = "secret"  # noqa: S105 - the name of a class of data
    """Hashes of passwords and tokens; encrypted credentials."""
    HOSPITAL = "hospital"
    """Clinical content of the hospital's own systems: for display, in memory, for minutes (design.md 5.1)."""


def stored(data_class: DataClass, *args: Any, **options: Any) -> MappedColumn[Any]:
    """`mapped_column` that says what it holds."""
    return mapped_column(*args, info={"data_class": data_class}, **options)


class _Ring:
    """The process's keyring, bound once at start; columns cannot be given one any other way."""

    bound: Keyring | None = None


def bind_keyring(keyring: Keyring) -> None:
    """Give encrypted columns of this process their keys."""
    _Ring.bound = keyring


def keyring() -> Keyring:
    """The bound keyring; `RuntimeError` before `bind_keyring`."""
    if _Ring.bound is None:
        raise RuntimeError("no keyring bound")
    return _Ring.bound


class UtcDateTime(TypeDecorator[datetime]):
    """`timestamptz`; naive values are refused, values come back in UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse what has no zone."""
        if value is not None and value.tzinfo is None:
            raise ValueError("naive datetime")
        return value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Into UTC."""
        return None if value is None else value.astimezone(UTC)


class State(TypeDecorator[S]):
    """A state of a machine, stored as its text."""

    impl = String(32)
    cache_ok = True

    def __init__(self, states: type[S]) -> None:
        super().__init__()
        self.states = states

    def process_bind_param(self, value: S | None, dialect: Dialect) -> str | None:
        """Enum to text."""
        return None if value is None else self.states(value).value

    def process_result_value(self, value: str | None, dialect: Dialect) -> S | None:
        """Text to enum."""
        return None if value is None else self.states(value)


class EncryptedText(TypeDecorator[str]):
    """Text sealed by the keyring; `field` is `table.column`, so that a value moved elsewhere does not open."""

    impl = LargeBinary
    cache_ok = True

    def __init__(self, field: str) -> None:
        super().__init__()
        self.field = field

    def process_bind_param(self, value: str | None, dialect: Dialect) -> bytes | None:
        """Seal."""
        return None if value is None else keyring().seal(value.encode(), self.field)

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> str | None:
        """Open."""
        return None if value is None else keyring().open(value, self.field).decode()


class EncryptedJson(TypeDecorator[Any]):
    """A msgspec struct (or plain JSON value) sealed by the keyring."""

    impl = LargeBinary
    cache_ok = True

    def __init__(self, field: str, kind: Any = Any) -> None:
        super().__init__()
        self.field = field
        self.kind = kind

    def process_bind_param(self, value: Any, dialect: Dialect) -> bytes | None:
        """Encode and seal."""
        return None if value is None else keyring().seal(msgspec.json.encode(value), self.field)

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> Any:
        """Open and decode."""
        return (
            None if value is None else msgspec.json.decode(keyring().open(value, self.field), type=self.kind)
        )


def blind_index(field: str, value: str) -> bytes:
    """Index bytes of `value` for the look-up column of `field`."""
    return keyring().index(value, field)


Fen = BigInteger
"""Money: whole fen."""

Defaults = Callable[[], Any]
