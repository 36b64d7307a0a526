"""What every handler and job of the backend is given: one object, built once in the composition root."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncSession

from backend.live import Live
from backend.outside.ca import SignatureProvider
from backend.outside.courier import Courier
from backend.outside.e_bill import EBill
from backend.outside.e_prescription import EPrescriptions, NoEPrescriptions
from backend.outside.his import Hospital
from backend.outside.identity import IdentityService
from backend.outside.insurance import MedicalInsurance
from backend.outside.review_server import NoReviewServer, ReviewServer
from backend.outside.sms import SmsProvider
from backend.outside.wechat import WeChat
from backend.outside.wechat_pay import WeChatPay
from backend.settings import Settings
from foundation.actor import Actor
from foundation.clock import Clock
from foundation.db.unit_of_work import Database
from foundation.object_store import ObjectStore

Settled = Callable[[AsyncSession, "Context", UUID], Awaitable[None]]
"""Called in the transaction that settles, refunds or withdraws a subject, with the subject's id."""

Step = Callable[["Context", UUID, UUID], Awaitable[Any]]
"""Builds the write-back request of one step from the subject's id and the request id."""


@dataclass(frozen=True)
class Insured:
    """What is done otherwise for a bill that insurance pays a part of. Called outside any transaction.

    `settle` and `close` answer False for a bill that is not insured; `refund` drives the insurance's parts of a refund.
    `by_cash` is asked in the transaction in which a patient wants to pay all of a bill herself: it refuses what she has
    not chosen, and writes down what she has. `job_of` names the job that a notice about an order's or a refund's number of
    theirs wakes, None for a number that is not theirs. `returns`: what goes back to her of orders that insurance did not pay,
    by our own numbers of these refunds.
    """

    settle: Callable[["Context", UUID], Awaitable[bool]]
    close: Callable[["Context", UUID], Awaitable[bool]]
    refund: Callable[["Context", UUID], Awaitable[None]]
    by_cash: Callable[[AsyncSession, "Context", Actor, UUID], Awaitable[None]]
    job_of: Callable[[AsyncSession, str, str], Awaitable[tuple[str, UUID] | None]]
    returns: Callable[[AsyncSession, Iterable[str]], Awaitable[Mapping[str, int]]]


@dataclass(frozen=True)
class Panel:
    """Something that a higher feature adds to an order on the cashier's desk: a title, and facts with their labels."""

    title: str
    facts: Sequence[tuple[str, str]]


Panels = Callable[[AsyncSession, UUID], Awaitable[Sequence[Panel]]]
"""Of the payment with this id."""


Seen = Callable[[AsyncSession, UUID], Awaitable[timedelta]]
"""How long patient and doctor were in the video of this encounter together."""


Standings = Callable[[AsyncSession, Sequence[UUID]], Awaitable[Mapping[UUID, str]]]
"""What the hospital was told of the places of these slots (`timetable.rules.Standing`); nothing of slots not named."""


@dataclass
class Wiring:
    """Upward calls by table: what a lower feature calls without knowing who is above it. Filled by `backend.wiring`."""

    on_paid: dict[str, Settled] = field(default_factory=dict)
    on_refunded: dict[str, Settled] = field(default_factory=dict)
    on_withdrawn: dict[str, Settled] = field(default_factory=dict)
    on_approved: list[Settled] = field(default_factory=list)
    """Called in the transaction in which a prescription was approved, with its id."""
    on_stopped: list[Settled] = field(default_factory=list)
    """Called in the transaction that stops a visit and refers the patient to the hospital, with the encounter's id."""
    write_back: dict[str, Step] = field(default_factory=dict)
    on_money: list[Settled] = field(default_factory=list)
    """Called in the transaction in which a receipt or a refund is proven, with the payment's id."""
    insured: Insured | None = None
    panels: list[Panels] = field(default_factory=list)
    seen_on_video: Seen | None = None
    standings: Standings | None = None


@dataclass
class Context:
    """Settings, stores and counterparts of one process."""

    settings: Settings
    clock: Clock
    db: Database
    redis: Redis
    wechat: WeChat
    pay: WeChatPay
    hospital: Hospital
    identity: IdentityService
    ca: SignatureProvider
    courier: Courier
    insurance: MedicalInsurance
    e_bills: EBill
    sms: SmsProvider
    objects: ObjectStore
    live: Live
    e_prescriptions: EPrescriptions = field(default_factory=NoEPrescriptions)
    wiring: Wiring = field(default_factory=Wiring)
    reviewer: ReviewServer = field(default_factory=NoReviewServer)
