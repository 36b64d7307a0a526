"""What is gathered about one call on its way, for the audit line and the metrics."""

from dataclasses import dataclass


@dataclass(slots=True)
class Note:
    """Only ids' hashes, never names, numbers or content. `reason` says why a call was refused. `object` is a kept
    object's key, `sha256` of its sealed bytes."""

    caller: str = ""
    entry: str = ""
    purpose: str = ""
    subject: str = ""
    resources: int = 0
    offending: str = ""
    reason: str = ""
    bytes_in: int = 0
    object: str = ""
    sha256: str = ""
