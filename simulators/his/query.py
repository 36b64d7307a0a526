"""A search request, read from its query string."""

from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from simulators.his.matching import Criterion, criterion
from simulators.his.outcomes import Issue, refuse
from simulators.his.parameters import PARAMETERS, REFERENCE, RESULT_PARAMETERS

DEFAULT_COUNT, LARGEST_COUNT = 20, 200
Pairs = list[tuple[str, str]]


@dataclass
class Query:
    """`ignored`: what a lenient request asked for and did not get."""

    kind: str
    criteria: list[Criterion] = field(default_factory=list)
    count: int = DEFAULT_COUNT
    sort: list[tuple[str, bool]] = field(default_factory=list)
    includes: list[tuple[str, str]] = field(default_factory=list)
    reverse_includes: list[tuple[str, str]] = field(default_factory=list)
    only_count: bool = False
    used: Pairs = field(default_factory=list)
    ignored: list[Issue] = field(default_factory=list)


def pairs_of(text: str) -> Pairs:
    """Of a query string or a form."""
    return parse_qsl(text, keep_blank_values=True)


def read(kind: str, pairs: Pairs, *, strict: bool) -> Query:
    """Raises Refusal 400 for what is malformed and, when strict, for what is unknown."""
    query = Query(kind)
    for name, value in pairs:
        plain, _, modifier = name.partition(":")
        parameter = PARAMETERS[kind].get(plain)
        if parameter is not None:
            query.criteria.append(criterion(parameter, modifier, value))
        elif name in RESULT_PARAMETERS:
            _read_result(query, name, value, strict=strict)
        else:
            _unknown(query, f"search parameter {name} of {kind} is not supported", strict=strict)
            continue
        query.used.append((name, value))
    return query


def _unknown(query: Query, text: str, *, strict: bool) -> None:
    if strict:
        raise refuse(400, "not-supported", text)
    query.ignored.append(Issue("not-supported", text, severity="warning"))


def _read_result(query: Query, name: str, value: str, *, strict: bool) -> None:
    match name:
        case "_count":
            if not (value.isascii() and value.isdigit()):
                raise refuse(400, "value", f"_count is no number: {value}")
            query.count = min(int(value[:9]), LARGEST_COUNT)
            query.only_count = query.only_count or query.count == 0
        case "_summary" if value in {"count", "false"}:
            query.only_count = query.only_count or value == "count"
        case "_sort":
            _read_sort(query, value, strict=strict)
        case "_include" | "_revinclude":
            _read_include(query, name, value, strict=strict)
        case "_format" if "json" not in value:
            raise refuse(406, "not-supported", "only application/fhir+json is spoken here")
        case "_summary":
            _unknown(query, f"_summary={value} is not supported", strict=strict)


def _read_sort(query: Query, value: str, *, strict: bool) -> None:
    for part in value.split(","):
        parameter = part.removeprefix("-")
        if parameter in PARAMETERS[query.kind]:
            query.sort.append((parameter, part.startswith("-")))
        else:
            _unknown(query, f"cannot sort {query.kind} by {parameter}", strict=strict)


def _read_include(query: Query, name: str, value: str, *, strict: bool) -> None:
    kind, _, rest = value.partition(":")
    parameter = PARAMETERS.get(kind, {}).get(rest.partition(":")[0])
    if parameter is None or parameter.kind != REFERENCE or (name == "_include" and kind != query.kind):
        _unknown(query, f"{name}={value} is not supported", strict=strict)
    elif name == "_include":
        query.includes.append((kind, parameter.name))
    else:
        query.reverse_includes.append((kind, parameter.name))
