"""Blocks that events are made of: people, places, what a visit is. `contracts.events` gives them on under the same names."""

from datetime import date, datetime
from uuid import UUID

import msgspec

from contracts.money import Fen


class Person(msgspec.Struct, frozen=True):
    """The patient (or the person verified). `sex`: male, female; `id_kind` 01 = resident identity card (CV02.01.101)."""

    person_id: UUID
    name: str
    id_number: str
    sex: str
    birth_date: date
    phone: str
    id_kind: str = "01"


class Guardian(msgspec.Struct, frozen=True):
    """Who answers for a child under six (诊疗办法 Art 19)."""

    name: str
    id_number: str
    phone: str
    relation: str


class Practitioner(msgspec.Struct, frozen=True):
    """A doctor or pharmacist as filed; `title_code` is Tianjin 3.3 (231 主任医师 … 245 药士)."""

    practitioner_id: UUID
    code: str
    name: str
    id_number: str
    licence_number: str
    title_code: str
    title_name: str


class Department(msgspec.Struct, frozen=True):
    """`subject_code` is the licensed subject (诊疗科目), such as 03.10."""

    code: str
    name: str
    subject_code: str
    subject_name: str


class Diagnosis(msgspec.Struct, frozen=True):
    """ICD-10, national clinical edition 2.0."""

    code: str
    name: str


class Money(msgspec.Struct, frozen=True):
    """What was paid: `channel` 2 = WeChat (paymentChannel), `trade_number` the provider's transaction.

    What cost nothing has amount 0, channel 9 (other) and no trade number.
    """

    amount: Fen
    channel: str
    trade_number: str
    price_list_version: str


class Visit(msgspec.Struct, frozen=True):
    """The block every event of one visit carries. `kind`: follow_up or consultation; `mode`: text or video.

    `eligibility_id` is the decision (`eligibility.decided`) that a follow-up rests on.
    """

    appointment_id: UUID
    encounter_id: UUID | None
    patient: Person
    practitioner: Practitioner
    department: Department
    starts_at: datetime
    ends_at: datetime
    serial_number: int
    kind: str = "follow_up"
    mode: str = "video"
    guardian: Guardian | None = None
    eligibility_id: UUID | None = None
