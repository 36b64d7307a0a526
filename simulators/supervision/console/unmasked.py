"""What a reveal opens: the persons of a visit in the clear, each field once. Never the clinical text."""

from collections.abc import Sequence

from simulators.supervision.console.masking import is_personal
from simulators.supervision.console.reading import Item
from simulators.supervision.console.wording import METHODS, name_of
from simulators.supervision.validate import is_empty


def persons(steps: Sequence[Item]) -> list[tuple[str, str]]:
    """(label, value) as the feed first had them."""
    found: dict[tuple[str, str], None] = {}
    for step in steps:
        for field in METHODS[step.method].fields:
            value = step.body.get(field.name)
            if is_personal(step.method, field.name) and isinstance(value, str) and not is_empty(value):
                found.setdefault((name_of(field), value), None)
    return list(found)
