"""Structs that are stored or come from the hospital, and the leaves in them."""

import dataclasses
import importlib
import types
import typing
from collections.abc import Iterable
from typing import Any

import msgspec
from sqlalchemy import JSON, Column

from contracts import events, his
from foundation.db.columns import EncryptedJson
from tools.house_rules.columns import declared_columns

Leaves = dict[str, frozenset[str]]
"""Names of the leaves by the full name of their struct."""


def json_columns() -> list[Column[Any]]:
    """Columns that hold JSON, sealed or plain."""
    return [one for one in declared_columns() if isinstance(one.type, EncryptedJson | JSON)]


def says_its_type(column: Column[Any]) -> bool:
    """Whether the column's own type names structs."""
    return isinstance(column.type, EncryptedJson) and bool(leaves([column.type.kind]))


def stored_kinds(documents: Iterable[str]) -> list[Any]:
    """Types inside JSON columns and events; `documents` as in `declared.toml`."""
    own = [one.type.kind for one in json_columns() if isinstance(one.type, EncryptedJson)]
    named = [_named(part) for text in documents for part in text.split() if ":" in part]
    return [*own, *named, *events.ALL]


def hospital_kinds() -> list[Any]:
    """What the hospital answers."""
    return [request.REPLY for request in his.REQUESTS]


def leaves(kinds: Iterable[Any]) -> Leaves:
    """Every struct within reach with its fields that are no structs themselves."""
    found: Leaves = {}
    for kind in kinds:
        _walk(kind, found)
    return found


def _walk(kind: Any, found: Leaves) -> bool:
    """Whether a struct is inside."""
    if typing.get_origin(kind) is not None or isinstance(kind, types.UnionType):
        inside = [
            _walk(part, found) for part in typing.get_args(kind)
        ]  # all of them, whatever the first says
        return any(inside)
    if not isinstance(kind, type) or not (issubclass(kind, msgspec.Struct) or dataclasses.is_dataclass(kind)):
        return False
    name = f"{kind.__module__}.{kind.__qualname__}"
    if name not in found:
        found[name] = frozenset()
        hints = typing.get_type_hints(kind)
        fields = kind.__struct_fields__ if issubclass(kind, msgspec.Struct) else tuple(hints)
        found[name] = frozenset(field for field in fields if not _walk(hints[field], found))
    return True


def _named(text: str) -> Any:
    module, _, name = text.partition(":")
    return getattr(importlib.import_module(module), name)
