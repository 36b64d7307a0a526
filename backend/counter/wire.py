"""Structs of the counter and of paying by a code."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from backend.counter.rules import Authority
from contracts.money import Fen


class OpenCase(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who is helped, from her identity card, and on what authority.

    `phone` is any number under which she can be reached and may be empty; `callback_phone` is needed for a call,
    `proxy_name` for a paper.
    """

    name: Annotated[str, Meta(min_length=1, max_length=60)]
    id_number: Annotated[str, Meta(min_length=1, max_length=30)]
    authority: Authority = Authority.IN_PERSON
    phone: Annotated[str, Meta(pattern=r"^(1\d{10}|0\d{9,11})?$")] = ""
    callback_phone: Annotated[str, Meta(max_length=20)] = ""
    proxy_name: Annotated[str, Meta(max_length=30)] = ""
    note: Annotated[str, Meta(max_length=200)] = ""


class CaseView(msgspec.Struct, frozen=True):
    """A case; name and numbers are masked."""

    id: UUID
    person_id: UUID
    person_name: str
    id_number: str
    authority: str
    authority_words: str
    consented: bool
    paused_until: datetime | None
    opened_at: datetime
    appointment_ids: list[UUID]


class PaperConsent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which text was signed on paper: version and hash as `GET /documents/informed_consent` shows them; `signed` must be true."""

    version: Annotated[str, Meta(max_length=20)]
    content_hash: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
    signed: bool = False


class AskAtCounter(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A diagnosis of the hospital (ICD-10 code as listed)."""

    diagnosis_code: Annotated[str, Meta(min_length=3, max_length=20)]


class BookAtCounter(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A place in a slot, resting on an eligibility decision of today."""

    slot_id: UUID
    eligibility_id: UUID
    complaint: Annotated[str, Meta(max_length=500)] = ""
    mode: Annotated[str, Meta(pattern="^(video|text)$")] = "video"


class AssistedView(msgspec.Struct, frozen=True):
    """An appointment of a case with the code that pays its bill; both empty once nothing is to be paid."""

    appointment_id: UUID
    state: str
    state_label: str
    practitioner_name: str
    starts_at: datetime
    serial_number: int
    channel: str
    amount: Fen
    payment_id: UUID
    payment_state: str
    pay_code: str
    pay_url: str
    pay_before: datetime


class PayCodeView(msgspec.Struct, frozen=True):
    """What somebody with a code sees before she pays for another: whose visit (masked), what and how much."""

    person_name: str
    description: str
    amount: Fen
    open: bool
    expires_at: datetime


class TakenBill(msgspec.Struct, frozen=True):
    """The bill is this account's to pay."""

    payment_id: UUID
