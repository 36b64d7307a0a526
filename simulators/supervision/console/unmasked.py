"""What a reveal opens: the persons of a visit in the clear, each field once. Never the clinical text."""

from collections.abc import Sequence

from simulators.supervision.console.masking import is_personal
from simulators.supervision.console.reading import Item
from simulators.supervision.console.wording import METHODS, name_of
from simulators.supervision.validate import is_empty


def persons(steps: Sequence[Item]) -> list[tuple[str, str]]:
    """(label, value), each value under the name it first came with."""
    found: dict[str, str] = {}
    for step in steps:
        for field in METHODS[step.method].fields:
            value = step.body.get(field.name)
            if (
                is_personal(step.method, field.name, step.body)
                and isinstance(value, str)
                and not is_empty(value)
            ):
                found.setdefault(value, name_of(field))
    return [(name, value) for value, name in found.items()]
