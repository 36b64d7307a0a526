"""What is gathered about one call on its way, for the audit line and the metrics."""

from dataclasses import dataclass


@dataclass(slots=True)
class Note:
    """Only ids' hashes, never names, numbers or content. `reason` says why a call was refused."""

    caller: str = ""
    entry: str = ""
    purpose: str = ""
    subject: str = ""
    resources: int = 0
    offending: str = ""
    reason: str = ""
    bytes_in: int = 0
