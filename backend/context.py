"""What every handler and job of the backend is given: one object, built once in the composition root."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncSession

from backend.live import Live
from backend.outside.ca import SignatureProvider
from backend.outside.courier import Courier
from backend.outside.e_bill import EBill
from backend.outside.his import Hospital
from backend.outside.identity import IdentityService
from backend.outside.insurance import MedicalInsurance
from backend.outside.wechat import WeChat
from backend.outside.wechat_pay import WeChatPay
from backend.settings import Settings
from foundation.clock import Clock
from foundation.db.unit_of_work import Database
from foundation.object_store import ObjectStore

Settled = Callable[[AsyncSession, "Context", UUID], Awaitable[None]]
"""Called in the transaction that settles, refunds or withdraws a subject, with the subject's id."""

Step = Callable[["Context", UUID, UUID], Awaitable[Any]]
"""Builds the write-back request of one step from the subject's id and the request id."""


@dataclass
class Wiring:
    """Upward calls by table: what a lower feature calls without knowing who is above it. Filled by `backend.wiring`."""

    on_paid: dict[str, Settled] = field(default_factory=dict)
    on_refunded: dict[str, Settled] = field(default_factory=dict)
    on_withdrawn: dict[str, Settled] = field(default_factory=dict)
    write_back: dict[str, Step] = field(default_factory=dict)


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
    objects: ObjectStore
    live: Live
    wiring: Wiring = field(default_factory=Wiring)
