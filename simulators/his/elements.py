"""Reading values out of resources: by path, as patient, as index entries."""

from collections.abc import Iterator
from typing import Any

from simulators.his.outcomes import Json
from simulators.his.parameters import DATE, INDEXED, REFERENCE, STRING, Parameter


def values_at(value: Any, path: tuple[str, ...]) -> Iterator[Any]:
    """Every value under `path`, lists flattened."""
    if isinstance(value, list):
        for one in value:
            yield from values_at(one, path)
    elif not path:
        if value is not None:
            yield value
    elif isinstance(value, dict) and path[0] in value:
        yield from values_at(value[path[0]], path[1:])


def patient_of(resource: Json) -> str:
    """The id of the patient it is about; empty when it is about none. A patient is about himself."""
    if resource.get("resourceType") == "Patient":
        return str(resource.get("id", ""))
    for name in ("subject", "patient"):
        reference = resource.get(name)
        if isinstance(reference, dict):
            return _id_of_patient(reference)
    for actor in values_at(resource, ("participant", "actor")):
        if isinstance(actor, dict) and (found := _id_of_patient(actor)):
            return found
    return ""


def _id_of_patient(reference: Json) -> str:
    literal = reference.get("reference", "")
    return (
        literal.removeprefix("Patient/")
        if isinstance(literal, str) and literal.startswith("Patient/")
        else ""
    )


def index_entries(resource: Json) -> set[tuple[str, str]]:
    """(parameter, value) for every indexed parameter."""
    return {
        (parameter.name, text)
        for parameter in INDEXED[resource["resourceType"]]
        for value in values_at(resource, parameter.path)
        for text in index_texts(parameter, value)
    }


def index_texts(parameter: Parameter, value: Any) -> list[str]:
    if parameter.kind == STRING:
        return [text.lower() for text in string_parts(value)]
    if parameter.kind == DATE:
        return [value] if isinstance(value, str) else []
    if parameter.kind == REFERENCE:
        literal = value.get("reference") if isinstance(value, dict) else None
        return [literal] if isinstance(literal, str) else []
    text = value.get("value") if isinstance(value, dict) else value
    return [text] if isinstance(text, str) else []


def string_parts(value: Any) -> list[str]:
    """What a string parameter compares: a text, or the parts of a name or an address."""
    if isinstance(value, str):
        return [value]
    if not isinstance(value, dict):
        return []
    parts = [value.get("text"), value.get("family"), *(value.get("given") or []), *(value.get("line") or [])]
    return [part for part in parts if isinstance(part, str)]
