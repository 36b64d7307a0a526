"""The hospital's supervision desk: what the adapter shows the backend, and what a person may ask of it, over mutual TLS.

Every act names its person and says why; the adapter writes both down. No content of a record and no person's data travels here.
"""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

import msgspec

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=60)]
Reason = Annotated[str, msgspec.Meta(min_length=2, max_length=300)]
Count = Annotated[int, msgspec.Meta(ge=0, le=100_000_000)]


class Person(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who acts: the account's id, and the name that stands in the audit trail and in a closing."""

    id: UUID
    name: Name


class Act(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A person does something, and says why."""

    by: Person
    reason: Reason


class ActOnCode(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The same for all records that wait under one reply code."""

    by: Person
    reason: Reason
    code: Annotated[str, msgspec.Meta(min_length=1, max_length=40)]


class CountEntered(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a person read from a platform's page; `duplicates` of `count` are records stored twice there."""

    by: Person
    profile: Annotated[str, msgspec.Meta(min_length=1, max_length=40)]
    method: Annotated[str, msgspec.Meta(min_length=1, max_length=60)]
    count: Count
    duplicates: Count = 0


class Moved(msgspec.Struct, frozen=True):
    """How many records went on their way."""

    moved: int


class Missing(msgspec.Struct, frozen=True):
    """One field that keeps a record from going: its name in the interface, in Chinese, and what is wrong with it."""

    field: str
    name: str
    problem: str


class Carried(msgspec.Struct, frozen=True):
    """A named person let the day close without this record."""

    by: str
    reason: str
    at: datetime


class RecordView(msgspec.Struct, frozen=True):
    """One record without its content. `label` is the state's Chinese word, `kind` the record's; `seconds` its age."""

    id: UUID
    event_id: UUID
    event_type: str
    number: int
    day: date
    occurred_at: datetime
    profile: str
    method: str
    kind: str
    business_number: str
    state: str
    label: str
    attempts: int
    ambiguous: int
    waits_for: list[str]
    fields: list[Missing]
    reply_code: str
    reply_text: str
    receipt: str
    due_at: datetime
    seconds: int
    carried: Carried | None


class SignInView(msgspec.Struct, frozen=True):
    """One day's sign-in at a platform, `kind` the record's Chinese name: by `records` of the day, or by an empty list when it has none."""

    profile: str
    method: str
    kind: str
    day: date
    state: str
    label: str
    records: int
    attempts: int
    reply_code: str
    reply_text: str
    closed_at: datetime | None


class Records(msgspec.Struct, frozen=True):
    """The first of `total`, oldest first; with those that wait for people the sign-ins that were refused."""

    total: int
    records: list[RecordView]
    sign_ins: list[SignInView] = []


class Line(msgspec.Struct, frozen=True):
    """One kind of record of one platform: where all of them stand."""

    profile: str
    method: str
    kind: str
    routed: int
    accepted: int
    open: int
    rejected: int
    parked: int
    carried_over: int


class PlatformState(msgspec.Struct, frozen=True):
    """The way to one platform: when it last accepted, what it said last when it did not; `paused` while nothing gets through."""

    profile: str
    states_days: bool
    accepted_at: datetime | None
    lag_seconds: int
    waiting: int
    paused: str


class Overview(msgspec.Struct, frozen=True):
    """The whole feed at a glance; `routed`, `accepted` and `lines` of the last 31 days, what waits however old. `gaps` are runs `[first, last]` of numbers that did not arrive; lag is the oldest that is due."""

    received: int
    last_number: int
    gaps: list[list[int]]
    missing_numbers: int
    chain_breaks: int
    routed: int
    accepted: int
    open: int
    rejected: int
    parked: int
    carried_over: int
    blocked: int
    ambiguous: int
    lag_seconds: int
    unclosed_days: int
    last_closed: date | None
    lines: list[Line]
    platforms: list[PlatformState]
    sign_ins_refused: int = 0


class DifferenceView(msgspec.Struct, frozen=True):
    """What keeps a day open: `text` for people, `numbers` runs of feed numbers, `replayed` records sent again because of it."""

    kind: str
    text: str
    profile: str
    method: str
    record: str
    count: int
    numbers: list[list[int]]
    replayed: int


class DayLine(msgspec.Struct, frozen=True):
    """One kind of record of one day; `platform` is what the platform has, empty while nobody told."""

    profile: str
    method: str
    kind: str
    routed: int
    accepted: int
    open: int
    for_people: int
    carried_over: int
    twice: int
    by_hand: bool
    platform: int | None
    duplicates: int
    entered_by: str
    entered_at: datetime | None


class Repair(msgspec.Struct, frozen=True):
    """Records that the platform had lost and that went there again; `numbers` are runs of feed numbers."""

    at: datetime
    count: int
    numbers: list[list[int]]


class DayView(msgspec.Struct, frozen=True):
    """One statement of one day; `supplement` 0 is the day's own."""

    day: date
    supplement: int
    state: str
    label: str
    through: int
    events: int
    differences: list[DifferenceView]
    repairs: list[Repair]
    exchanged_at: datetime | None
    closed_at: datetime | None


class DayDetail(msgspec.Struct, frozen=True):
    """A day with its lines, its statements (newest first), the records that were carried over and its sign-ins."""

    newest: DayView
    statements: list[DayView]
    lines: list[DayLine]
    carried: list[RecordView]
    our_hash: str
    platform_hash: str
    head: str
    platform_says: str
    sign_ins: list[SignInView] = []


class DayList(msgspec.Struct, frozen=True):
    """The newest statement of each day, newest day first."""

    days: list[DayView]


PLATFORM_CERTIFICATE = "x-platform-certificate"
"""Header by which a gateway tells the adapter what the platform showed in the handshake (DER in base64): only the gateway sees it.
It stands on the first answer of each new connection."""


class CertificateView(msgspec.Struct, frozen=True):
    """A certificate as it is used or was shown to us. `problem` says why there is none."""

    what: str
    subject: str
    identity: str
    issuer: str
    not_after: datetime | None
    days_left: int | None
    problem: str


class Reach(msgspec.Struct, frozen=True):
    """Whether a neighbour answers: `milliseconds` of the handshake, or `problem`."""

    what: str
    address: str
    reachable: bool
    milliseconds: int
    problem: str


class Connections(msgspec.Struct, frozen=True):
    """Certificates, neighbours, and the platform's clock: `skew_seconds` is how far it is ahead of ours, at `skew_at`."""

    checked_at: datetime
    certificates: list[CertificateView]
    neighbours: list[Reach]
    accepted_at: datetime | None
    skew_seconds: int | None
    skew_at: datetime | None
