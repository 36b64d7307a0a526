"""What the families of operations share: what every request says, and what a write is answered with."""

from datetime import datetime
from typing import Annotated, Any, ClassVar
from uuid import UUID

import msgspec
from msgspec import Meta

Purpose = Annotated[str, Meta(pattern="^(eligibility|treatment|write_back|schedule|payment|supply)$")]
FeeNumber = Annotated[str, Meta(max_length=40, pattern="^[A-Za-z0-9._-]*$")]
Hash = Annotated[str, Meta(pattern="^[0-9a-f]{64}$", description="SHA-256 of the hospital's resource id")]


class Request(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What every request is; the class says which operation it is, and what answers it."""

    OPERATION: ClassVar[str]
    REPLY: ClassVar[type[Any]]
    purpose: Purpose


class Acknowledged(msgspec.Struct, frozen=True):
    """The hospital has it under `reference`; `also` are further resources of the same write (one per drug, diagnosis).

    `left_out` names resource types that the hospital would not have beside the main one, which stands nevertheless.
    """

    reference: str
    at: datetime
    also: list[str] = []
    left_out: list[str] = []


class WriteBack(Request, frozen=True):
    REPLY: ClassVar[type[Any]] = Acknowledged
    request_id: UUID
    patient_id: str
