"""链上占位 `uploadChainLink`: the place in the chain of an event that goes to another profile, or to none, without content."""

from typing import Any

from regulator_adapter.mapping.kind import RecordKind
from regulator_adapter.mapping.shanghai.blocks import PROFILE, header
from regulator_adapter.mapping.source import Source

NUMBER = "link"


def numbers(_: Any) -> list[str]:
    """One per event; the event's id is the number."""
    return [NUMBER]


def build(source: Source[Any], number: str) -> dict[str, Any]:
    """Place and hashes only."""
    return header(source) | {"reportedBy": source.reported_by}


KIND = RecordKind(PROFILE, "uploadChainLink", numbers, build)
