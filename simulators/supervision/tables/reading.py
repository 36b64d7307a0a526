"""Reads the notation of `tianjin.txt` and `shanghai.txt` (explained at the top of those files)."""

import re
from typing import Any

from simulators.supervision.tables.codes import CODES
from simulators.supervision.tables.field import Condition, Field, Kind, Method, Profile

_CONDITION = re.compile(r"(\w+)(!=|>=|=|<)(.+)")
_SIZED = re.compile(r"(s|hex|names|texts)(\d+)")
_DECIMAL = re.compile(r"dec(\d+)\.(\d+)")
_INTEGER = re.compile(r"int(?:(\d+)\.\.(\d*))?")
_PLAIN = {
    "dt",
    "d",
    "span",
    "subject",
    "subjects",
    "drugclass",
    "icd",
    "icds",
    "cert",
    "iso",
    "fen",
    "birth",
    "event",
}


class TableError(ValueError):
    """The table itself is wrong: a mistake of ours."""


def read_profile(name: str, service_id: str, text: str, **more: Any) -> Profile:
    """`more` are the other attributes of the profile."""
    blocks: dict[str, list[list[str]]] = {}
    heads: dict[str, list[str]] = {}
    current: list[list[str]] = []
    for line in text.splitlines():
        words = line.split()
        if not words or words[0] == "#":
            continue
        if words[0] in ("block", "method"):
            current = blocks.setdefault(words[1], [])
            if words[0] == "method":
                heads[words[1]] = words[2:]
        else:
            current.append(words)
    methods = {key: _method(key, head, blocks) for key, head in heads.items()}
    return Profile(name, service_id, methods, **more)


def _method(name: str, head: list[str], blocks: dict[str, list[list[str]]]) -> Method:
    options = dict(part.split("=", 1) for part in head[1:])
    register = _pair(options["register"])
    return Method(
        name=name,
        label=head[0],
        fields=_fields(name, blocks),
        register=register,
        needs=tuple(_pair(one) for one in options.get("needs", "").split(",") if one),
        events=tuple(one for one in options.get("events", "").split(",") if one),
        quota=int(options.get("quota", "0")),
        empty_allowed=options.get("empty") == "allowed",
    )


def _pair(text: str) -> tuple[str, str]:
    kind, field = text.split(":")
    return kind, field


def _fields(block: str, blocks: dict[str, list[list[str]]]) -> tuple[Field, ...]:
    fields: list[Field] = []
    for words in blocks[block]:
        if words[0] == "use":
            fields += _fields(words[1], blocks)
        else:
            fields.append(_field(words, blocks))
    return tuple(fields)


def _field(words: list[str], blocks: dict[str, list[list[str]]]) -> Field:
    name, need, kind_text, mark, label, *notes = words
    kind = _kind(kind_text)
    return Field(
        name=name,
        always=need == "M",
        conditions=_conditions(need),
        kind=kind,
        kind_text=kind_text,
        documented=mark == "f",
        label=label,
        notes=tuple(notes),
        items=_fields(kind.table, blocks) if kind.name == "list" else (),
    )


def _conditions(need: str) -> tuple[Condition, ...]:
    if need in ("M", "O"):
        return ()
    conditions = []
    for part in need.removeprefix("C:").split("&"):
        found = _CONDITION.fullmatch(part)
        if found is None:
            raise TableError(f"need {need!r}")
        conditions.append(Condition(found[1], found[2], tuple(found[3].split("|"))))
    return tuple(conditions)


def _kind(text: str) -> Kind:
    if text in _PLAIN:
        return Kind(text)
    if found := _SIZED.fullmatch(text):
        return Kind(found[1], length=int(found[2]))
    if found := _DECIMAL.fullmatch(text):
        return Kind("dec", length=int(found[1]), scale=int(found[2]))
    if found := _INTEGER.fullmatch(text):
        return Kind("int", low=int(found[1] or 0), high=int(found[2]) if found[2] else None)
    name, _, table = text.partition(":")
    if name == "list" or (name in ("code", "codes") and table in CODES):
        return Kind(name, table=table)
    raise TableError(f"kind {text!r}")
