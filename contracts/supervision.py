"""What the city's supervisors may ask of the hospital: `POST /supervision/v1/{operation}` at a gateway, over mTLS.

The platform answers for who its supervisors are and on which order (`authority`) they act; the hospital writes both down
and, as the rules ask, shows them to doctor and patient. Media never pass the gateway: a ticket opens one view-only connection
to the media process for sixty seconds. A visit is named by the number under which it was reported.
Problems: 400, 403 `not_listed`, 404 `not_found`, 409 (no video to look at), 410 `look_in_over`, 422 `invalid` (`issues` names the
fields), 429, 502 `backend_answer_unusable`, 503 `backend_unreachable`, 504 `backend_timeout`.
"""

from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

Reason = Annotated[str, Meta(min_length=4, max_length=300, pattern=r"\S.*\S", description="why, in words")]
Authority = Annotated[
    str, Meta(min_length=4, max_length=80, pattern=r"\S.*\S", description="number of the inspection order")
]


class Supervisor(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who asks: the account on the platform and the person behind it."""

    account: Annotated[str, Meta(min_length=1, max_length=60)]
    name: Annotated[str, Meta(min_length=1, max_length=40)]


class _Request(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    OPERATION: ClassVar[str]
    REPLY: ClassVar[type[Any]]
    supervisor: Supervisor


class _Inspection(_Request, frozen=True):
    visit_number: UUID
    authority: Authority
    reason: Reason


class LookInReply(msgspec.Struct, frozen=True):
    """A permission until `ends_at`; `shown` says whether doctor and patient are told."""

    look_in_id: UUID
    ends_at: datetime
    shown: bool


class OpenLookIn(_Inspection, frozen=True):
    """To watch one live consultation. Asked again while a permission lasts, the same one is given."""

    OPERATION: ClassVar[str] = "open-look-in"
    REPLY: ClassVar[type[Any]] = LookInReply


class Relay(msgspec.Struct, frozen=True, omit_defaults=True):
    """An entry of a browser's `iceServers`."""

    urls: list[str]
    username: str = ""
    credential: str = ""


class TicketReply(msgspec.Struct, frozen=True):
    """The media process's address, and the ticket that opens one connection there within `seconds`."""

    url: str
    ticket: str
    seconds: int
    relays: list[Relay]


class LookInTicket(_Request, frozen=True):
    """One connection, to see and hear one party."""

    OPERATION: ClassVar[str] = "look-in-ticket"
    REPLY: ClassVar[type[Any]] = TicketReply
    look_in_id: UUID
    watches: Literal["patient", "doctor"]


class EndedReply(msgspec.Struct, frozen=True):
    """It is over."""

    look_in_id: UUID


class EndLookIn(_Request, frozen=True):
    """Stop watching before the time is over; again is harmless."""

    OPERATION: ClassVar[str] = "end-look-in"
    REPLY: ClassVar[type[Any]] = EndedReply
    look_in_id: UUID


class ChatLine(msgspec.Struct, frozen=True):
    """One message. `sender`: patient, doctor, system; a program's name in `machine`; pictures and voices only say that they are there."""

    sequence: int
    sender: str
    machine: str
    kind: str
    text: str
    at: datetime


class ChatReply(msgspec.Struct, frozen=True):
    """The messages after the one asked for, in order; `more` when there are others behind them."""

    lines: list[ChatLine]
    more: bool


class ReadChat(_Inspection, frozen=True):
    """The written conversation of one visit, on demand; `after` is a sequence."""

    OPERATION: ClassVar[str] = "read-chat"
    REPLY: ClassVar[type[Any]] = ChatReply
    after: Annotated[int, Meta(ge=0, le=2**31 - 1)] = 0


class QuestionTaken(msgspec.Struct, frozen=True):
    """The hospital has it; its staff answer it."""

    question_id: UUID
    state: str


class AskHospital(_Request, frozen=True):
    """A question to the hospital's staff, kept once for its id; about a visit, or about something else without one."""

    OPERATION: ClassVar[str] = "ask-hospital"
    REPLY: ClassVar[type[Any]] = QuestionTaken
    question_id: UUID
    authority: Authority
    title: Annotated[str, Meta(min_length=1, max_length=100)]
    words: Annotated[str, Meta(min_length=4, max_length=500, pattern=r"\S.*\S", description="what is asked")]
    answer_by: datetime
    visit_number: UUID | None = None


class AnswerReply(msgspec.Struct, frozen=True):
    """Where the question stands; the answer once there is one, which never changes after."""

    question_id: UUID
    state: str
    answer: str
    answered_by: str
    answered_at: datetime | None


class ReadAnswer(_Request, frozen=True):
    """Has the hospital answered? Only who asked may know."""

    OPERATION: ClassVar[str] = "read-answer"
    REPLY: ClassVar[type[Any]] = AnswerReply
    question_id: UUID


REQUESTS: tuple[type[_Request], ...] = (
    OpenLookIn,
    LookInTicket,
    EndLookIn,
    ReadChat,
    AskHospital,
    ReadAnswer,
)
BY_OPERATION: dict[str, type[_Request]] = {kind.OPERATION: kind for kind in REQUESTS}

SupervisionRequest = _Request
"""What every request is, for those who take any of them."""
