"""docs/events.md and contracts/schema/*.json: what processes say to each other."""

import json
import typing
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from contracts import envelope, events, hints, his, supervision
from tools.pages.markdown import code, first_line, page, table

BLOCKS = (
    events.Person, events.Guardian, events.Practitioner, events.Department, events.Diagnosis, events.Money,
    events.Visit, events.PrescriptionItem, events.Prescription, events.CatalogueDrug,
)  # fmt: skip
"""Structs inside events."""


def _fields(kind: Any) -> Iterator[tuple[str, str, str]]:
    hints = typing.get_type_hints(kind)
    for field in msgspec.structs.fields(kind):
        yield code(field.name), _type(hints[field.name]), "" if field.required else "may be absent"


def _type(hint: Any) -> str:
    arguments = [one for one in typing.get_args(hint) if one is not type(None)]
    if type(None) in typing.get_args(hint):
        return f"{_type(arguments[0])} or null"
    if typing.get_origin(hint) is list:
        return f"list of {_type(arguments[0])}"
    if typing.get_origin(hint) is dict:
        return f"object of {_type(arguments[1])}"
    name = str(getattr(hint, "__name__", hint))
    return f"[{name}](#{name.lower()})" if hint in BLOCKS else name


def _section(title: str, kind: Any) -> list[str]:
    return [f"## {title}", "", first_line(kind.__doc__), "", *table(("field", "type", ""), _fields(kind))]


def build() -> dict[str, str]:
    """Documents by path."""
    introduction = (
        "Written to the outbox in the transaction that caused them, sealed into one hash chain, sent to the adapter as "
        "`contracts.envelope.Envelope`. Fields are added, never renamed or used for something else; a correction is a new "
        "event. Money is in fen, times are UTC, dates are calendar days in Shanghai."
    )
    overview = table(
        ("event", "version", "says"),
        ((code(kind.TYPE), str(kind.VERSION), first_line(kind.__doc__)) for kind in events.ALL),
    )
    parts = [overview, *(_section(f"`{kind.TYPE}`", kind) for kind in events.ALL)]
    parts += [_section(kind.__name__, kind) for kind in BLOCKS]
    return {"docs/events.md": page("Events", introduction, *parts)} | _schemas()


def _schemas() -> dict[str, str]:
    return {
        "contracts/schema/events.json": _schema({kind.TYPE: kind for kind in events.ALL}, "Events by type"),
        "contracts/schema/envelope.json": _schema(
            {"delivery": envelope.Delivery, "received": envelope.Received},
            "POST /events of the adapter, and its answer",
        ),
        "contracts/schema/hints.json": _schema(
            {"hint": hints.HospitalHint, "hint reply": hints.HintTaken},
            "POST /hospital/v1/hints of the backend, and its answer",
        ),
        "contracts/schema/his.json": _operations(
            his.REQUESTS, "POST /his/v1/{operation} of the gateway, and its answers"
        ),
        "contracts/schema/supervision.json": _operations(
            supervision.REQUESTS, "POST /supervision/v1/{operation} of the gateway, and its answers"
        ),
    }


def _operations(kinds: Sequence[Any], title: str) -> str:
    requests = {kind.OPERATION: kind for kind in kinds}
    return _schema(requests | {f"{name} reply": kind.REPLY for name, kind in requests.items()}, title)


def _schema(kinds: dict[str, Any], title: str) -> str:
    found, components = msgspec.json.schema_components(kinds.values(), ref_template="#/$defs/{name}")
    document = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        "properties": dict(zip(kinds, found, strict=True)),
        "$defs": dict(sorted(components.items())),
    }
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"
