"""Finds resources: narrows by index, then reads each candidate and checks every criterion."""

import re
from collections.abc import Iterable
from typing import Any

import msgspec

from simulators.his.elements import patient_of, values_at
from simulators.his.matching import Criterion
from simulators.his.moments import FOREVER, span_of_value
from simulators.his.outcomes import Json
from simulators.his.parameters import DAY_OF, PARAMETERS, REFERENCE, STRING, TOKEN
from simulators.his.query import Query
from simulators.his.store import Clue, Store

_decode = msgspec.json.Decoder(dict[str, Any]).decode
Candidates = list[tuple[int, bytes]]


def search(store: Store, query: Query) -> list[int]:
    """Rows of the matches, in order."""
    pairs = []
    for row, body in _candidates(store, query):
        resource = _decode(body)
        if all(one.fits(resource) for one in query.criteria):
            pairs.append((row, resource))
    for name, downwards in reversed(query.sort):
        pairs.sort(key=lambda pair: _sort_key(query.kind, name, pair[1]), reverse=downwards)
    return [row for row, _ in pairs]


def patients_asked(query: Query) -> list[str]:
    """Ids of the patients whose resources are wanted."""
    for one in query.criteria:
        if one.parameter.target == "Patient" and one.parameter.name in {"patient", "subject"} and one.plain:
            return [value.removeprefix("Patient/") for value in one.values]
    return []


def _candidates(store: Store, query: Query) -> Candidates:
    if patients := patients_asked(query):
        return store.of_patients(query.kind, patients)
    low, high = _days(query)
    by_index = [one for one in query.criteria if one.plain and _indexed(one)]
    elsewhere = store.gather(query.kind, [_clue(one) for one in by_index], low, high)
    if by_index:
        first = min(
            by_index, key=lambda one: (one.parameter.name != "_id", one.parameter.name != "identifier")
        )
        here = _by_index(store, query.kind, first)
    else:
        here = store.of_type(query.kind, high, low)
    return sorted({**dict(elsewhere), **dict(here)}.items()) if elsewhere else here


def _clue(one: Criterion) -> Clue:
    values = one.values
    if one.parameter.kind == TOKEN:
        values = tuple(value.rpartition("|")[2] for value in values)
    return Clue(one.parameter.name, values)


def _indexed(one: Criterion) -> bool:
    parameter = one.parameter
    if parameter.kind == "date":
        return parameter.indexed and all(
            prefix == "eq" and re.fullmatch(r"\d{4}-\d\d-\d\d", value)
            for (prefix, _), value in zip(one.spans, one.values, strict=True)
        )
    if parameter.kind == "token" and parameter.indexed:
        return all(value.rpartition("|")[2] for value in one.values)
    return parameter.indexed or parameter.name == "_id"


def _by_index(store: Store, kind: str, one: Criterion) -> Candidates:
    name, values = one.parameter.name, one.values
    if name == "_id":
        return store.of_ids(kind, values)
    if one.parameter.kind == STRING:
        return store.of_entries(
            kind, name, [value.lower() for value in values], starts_with=one.modifier != "exact"
        )
    if one.parameter.kind == REFERENCE:
        return store.of_entries(kind, name, values)
    return store.of_entries(kind, name, [value.rpartition("|")[2] for value in values])


def _days(query: Query) -> tuple[float, float]:
    """The range outside of which no day can fit."""
    low, high = -FOREVER, FOREVER
    for one in query.criteria:
        if one.parameter.name == DAY_OF.get(query.kind) and one.plain and len(one.spans) == 1:
            prefix, span = one.spans[0]
            if prefix in {"eq", "gt", "ge", "sa"}:
                low = max(low, span[0])
            if prefix in {"eq", "lt", "le", "eb"}:
                high = min(high, span[1])
    return low, high


def _sort_key(kind: str, name: str, resource: Json) -> tuple[bool, float, str]:
    """What has no value comes first, as in sqlite."""
    parameter = PARAMETERS[kind][name]
    value = next(values_at(resource, parameter.path), None)
    if parameter.kind == "date":
        span = span_of_value(value)
        return (span is not None, span[0] if span else 0.0, "")
    if isinstance(value, dict):
        value = value.get("reference") or value.get("value") or value.get("code") or value.get("text")
    return (value is not None, 0.0, str(value or ""))


def included(store: Store, query: Query, bodies: Iterable[bytes]) -> list[bytes]:
    """What was asked for along with these matches."""
    if not query.includes and not query.reverse_includes:
        return []
    resources = [_decode(body) for body in bodies]
    wanted: dict[str, set[str]] = {}
    for kind, name in query.includes:
        for resource in resources:
            for value in values_at(resource, (*PARAMETERS[kind][name].path, "reference")):
                target, _, number = str(value).partition("/")
                wanted.setdefault(target, set()).add(number)
    found = {row: body for kind, ids in wanted.items() for row, body in store.of_ids(kind, sorted(ids))}
    targets = {f"{query.kind}/{resource['id']}" for resource in resources}
    patients = sorted({patient_of(resource) for resource in resources} - {""})
    for kind, name in query.reverse_includes:
        path = (*PARAMETERS[kind][name].path, "reference")
        for row, body in store.of_patients(kind, patients):
            if targets.intersection(values_at(_decode(body), path)):
                found[row] = body
    return list(found.values())
