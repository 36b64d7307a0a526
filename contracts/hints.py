"""What the hospital's systems push, as far as the cloud may know it: `POST /hospital/v1/hints`, from the gateways, over mTLS.

A hint says that something changed and about whom, as digests; what changed is asked for through the gateway like everything
else. The backend keeps each `key` once: the same hint again changes nothing. 200 `HintTaken`; 403 for any other caller,
422 `invalid`, 503 when it could not be kept (the gateway then tells the sender to send again).
"""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

Digest = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]


class HintKind(StrEnum):
    """What happened at the hospital."""

    REPORT_READY = "report_ready"
    ORDER_CHANGED = "order_changed"
    PATIENT_CHANGED = "patient_changed"
    PATIENT_MERGED = "patient_merged"


class HospitalHint(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`key` is SHA-256 over sender, message and persons; `subjects` are SHA-256 of "Patient/<number>", the surviving number first.

    `source` is the sender's name in the whitelist, `at` when the gateway had it.
    """

    key: Digest
    source: Annotated[str, Meta(min_length=1, max_length=60)]
    kind: HintKind
    subjects: Annotated[list[Digest], Meta(min_length=1, max_length=10)]
    at: Annotated[datetime, Meta(tz=True)]


class HintTaken(msgspec.Struct, frozen=True):
    """`fresh` is False when this hint was there already."""

    fresh: bool
