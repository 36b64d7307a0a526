"""The ladder: which rung is due when, and how notices are bundled. Pure; the numbers are `backend.policy`."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from backend.policy import Policy


class Kind(StrEnum):
    """What waits for the doctor, or for the pharmacists."""

    VISIT = "visit_waiting"
    RETURNED = "prescription_returned"
    REVIEW = "review_waiting"


PHARMACY = UUID("00000000-0000-7000-8000-00000000da01")
"""Who waits are for that no one person is answerable for: all pharmacists, as if they were one."""


class Rung(StrEnum):
    """Louder from one to the next; the last one speaks for itself and sends nothing."""

    WECHAT = "wechat"
    SMS = "sms"
    DUTY_DESK = "duty_desk"
    REFUND = "refund"


NOW = timedelta(0)
AT_ONCE = timedelta(days=-1)
"""Also before the clock begins: a doctor may look at who came early."""


def ladder(kind: Kind, limits: Policy) -> Mapping[Rung, timedelta]:
    """After how long without anybody looking each rung is climbed."""
    if kind is Kind.VISIT:
        text, desk = limits.escalate_sms_minutes, limits.remind_minutes
    elif kind is Kind.REVIEW:
        # The queue is before their eyes: even the first notice waits until it has lain too long.
        text, desk = limits.review_sms_minutes, limits.review_desk_minutes
        return {Rung.WECHAT: NOW, Rung.SMS: timedelta(minutes=text), Rung.DUTY_DESK: timedelta(minutes=desk)}
    else:
        text, desk = limits.returned_sms_minutes, limits.returned_desk_minutes
    return {Rung.WECHAT: AT_ONCE, Rung.SMS: timedelta(minutes=text), Rung.DUTY_DESK: timedelta(minutes=desk)}


@dataclass(frozen=True)
class Climb:
    """One escalation as the rule sees it: since when it is unseen, and the rungs climbed since then."""

    kind: Kind
    unseen_since: datetime
    climbed: frozenset[Rung]


def due(climb: Climb, now: datetime, limits: Policy) -> list[Rung]:
    """The rungs whose time has come and that were not climbed yet, the quietest first."""
    steps = ladder(climb.kind, limits)
    return [
        rung for rung, after in steps.items() if rung not in climb.climbed and climb.unseen_since + after <= now
    ]  # fmt: skip


def next_at(climb: Climb, limits: Policy) -> datetime | None:
    """When the next rung is due; None at the top."""
    steps = ladder(climb.kind, limits)
    times = [climb.unseen_since + after for rung, after in steps.items() if rung not in climb.climbed]
    return min(times, default=None)


def bundle_until(last_sent: datetime | None, now: datetime, limits: Policy) -> datetime | None:
    """Until when a notice waits for others to the same doctor over the same channel; None: it goes now."""
    if last_sent is None:
        return None
    opens = last_sent + timedelta(seconds=limits.bundle_seconds)
    return opens if now < opens else None


def earliest(times: Iterable[datetime | None]) -> datetime | None:
    """The first of them."""
    return min((one for one in times if one is not None), default=None)
