"""Does a resource fit one search parameter? (https://hl7.org/fhir/R4/search.html#ptypes)"""

from dataclasses import dataclass
from typing import Any

from simulators.his.elements import string_parts, values_at
from simulators.his.moments import PREFIXES, Span, compare, span_of, span_of_value
from simulators.his.outcomes import Json, refuse
from simulators.his.parameters import DATE, REFERENCE, STRING, TOKEN, Parameter

_MODIFIERS = {
    TOKEN: {"not"},
    STRING: {"exact", "contains"},
    DATE: set[str](),
    REFERENCE: {"Patient", "Practitioner"},
}


@dataclass(frozen=True)
class Criterion:
    """One `name:modifier=a,b`: any of the values must fit."""

    parameter: Parameter
    modifier: str
    values: tuple[str, ...]
    spans: tuple[tuple[str, Span], ...] = ()

    def fits(self, resource: Json) -> bool:
        found = values_at(resource, self.parameter.path)
        if self.modifier == "missing":
            return (next(found, None) is None) is (self.values[0] == "true")
        match self.parameter.kind:
            case "token":
                fits = any(_token(wanted, value) for value in found for wanted in self.values)
                return not fits if self.modifier == "not" else fits
            case "string":
                return any(_string(self.modifier, wanted, value) for value in found for wanted in self.values)
            case "reference":
                return any(_literal(value) in self.values for value in found)
        spans = [span for value in found if (span := span_of_value(value)) is not None]
        return any(compare(prefix, wanted, span) for span in spans for prefix, wanted in self.spans)

    @property
    def plain(self) -> bool:
        """It says what must be there, so an index can narrow the search to it."""
        return self.modifier not in {"missing", "not", "contains"}


def criterion(parameter: Parameter, modifier: str, text: str) -> Criterion:
    """From a query's name and value. Raises Refusal 400."""
    name = parameter.name
    if modifier == "missing":
        if text not in {"true", "false"}:
            raise refuse(400, "value", f"{name}:missing is neither true nor false")
        return Criterion(parameter, modifier, (text,))
    if modifier and modifier not in _MODIFIERS[parameter.kind]:
        raise refuse(400, "not-supported", f"modifier :{modifier} of {name} is not supported")
    values = tuple(value for value in _split(text) if value)
    if not values:
        raise refuse(400, "value", f"search parameter {name} is empty")
    if parameter.kind == REFERENCE:
        target = modifier or parameter.target
        return Criterion(parameter, modifier, tuple(_reference(name, target, value) for value in values))
    if parameter.kind == DATE:
        return Criterion(parameter, modifier, values, tuple(_moment(name, value) for value in values))
    return Criterion(parameter, modifier, values)


def _split(text: str) -> list[str]:
    """At commas that are not escaped."""
    parts, part, escaped = [], "", False
    for letter in text:
        if escaped:
            part, escaped = part + letter, False
        elif letter == "\\":
            escaped = True
        elif letter == ",":
            parts.append(part)
            part = ""
        else:
            part += letter
    return [*parts, part]


def _moment(name: str, value: str) -> tuple[str, Span]:
    prefix, rest = (value[:2], value[2:]) if value[:2] in PREFIXES else ("eq", value)
    span = span_of(rest.replace(" ", "+"))  # a plus of a zone that was not escaped
    if span is None:
        raise refuse(400, "value", f"{name} is no date: {value}")
    return prefix, span


def _reference(name: str, target: str, value: str) -> str:
    """`1`, `Patient/1` and an absolute address all become `Patient/1`."""
    parts = value.rstrip("/").split("/")
    if len(parts) == 1:
        if not target:
            raise refuse(400, "value", f"{name} needs a type: {value}")
        return f"{target}/{value}"
    return "/".join(parts[-2:])


def _literal(value: Any) -> str:
    literal = value.get("reference") if isinstance(value, dict) else None
    return literal if isinstance(literal, str) else ""


def _string(modifier: str, wanted: str, value: Any) -> bool:
    parts = string_parts(value)
    if modifier == "exact":
        return wanted in parts
    if modifier == "contains":
        return any(wanted.lower() in part.lower() for part in parts)
    return any(part.lower().startswith(wanted.lower()) for part in parts)


def _token(wanted: str, value: Any) -> bool:
    """`code`, `system|code`, `|code`, `system|` against a code, Coding, CodeableConcept, Identifier or ContactPoint."""
    system, bar, code = wanted.rpartition("|")
    for found_system, found_code in _tokens(value):
        if (not bar or system == found_system) and (not code or code == found_code):
            return True
    return False


def _tokens(value: Any) -> list[tuple[str, str]]:
    if isinstance(value, bool):
        return [("", str(value).lower())]
    if not isinstance(value, dict):
        return [("", str(value))]
    if "coding" in value or "text" in value:
        return [pair for one in value.get("coding") or [] for pair in _tokens(one)]
    code = value.get("code", value.get("value"))
    return [(str(value.get("system", "")), code)] if isinstance(code, str) else []
