"""Channels of the number pool and which of its places each may have. Pure; `service.take` says the same in one statement."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from foundation.clock import local
from foundation.errors import Issue


class Channel(StrEnum):
    """How somebody comes to a place. All but `GENERAL` can have places kept for them until the shares end."""

    GENERAL = "general"
    FOLLOW_UP = "follow-up"
    """A patient whom this doctor has seen online before."""
    STAFF_ASSISTED = "staff-assisted"
    """At the counter, for people without a phone."""
    REFERRAL = "referral"
    """Sent by a partner hospital."""


HELD = {
    Channel.FOLLOW_UP: "held_follow_up",
    Channel.STAFF_ASSISTED: "held_staff",
    Channel.REFERRAL: "held_referral",
}
"""The column of `slot` that counts the places still kept for a channel."""


@dataclass(frozen=True)
class Pool:
    """What can be sold of one slot, as the rule sees it; `held` lies within `remaining`."""

    capacity: int
    remaining: int
    held: Mapping[Channel, int] = field(default_factory=dict)
    released_at: datetime | None = None
    shares_end_at: datetime | None = None
    stopped_at: datetime | None = None
    fresh_until: datetime | None = None
    surplus: int = 0
    """So many places vanish when they come back."""


def on_sale(pool: Pool, now: datetime) -> bool:
    """Released, not stopped, and when mirrored still to be trusted."""
    released = pool.released_at is None or pool.released_at <= now
    fresh = pool.fresh_until is None or pool.fresh_until > now
    return pool.stopped_at is None and released and fresh


def not_on_sale(pool: Pool, now: datetime) -> Issue | None:
    """Why nothing of the slot is sold now, however many places are left."""
    if pool.stopped_at is not None:
        return Issue("slot_id", "slot_stopped", "医生该时段已停诊，请选择其他时段")
    if pool.released_at is not None and pool.released_at > now:
        at = local(pool.released_at)
        return Issue("slot_id", "not_released", f"该时段将于{at.month}月{at.day}日 {at:%H:%M} 放号")
    if not on_sale(pool, now):
        return Issue("slot_id", "slot_stale", "该时段号源正在与医院核对，请稍后再试")
    return None


def shares_over(pool: Pool, now: datetime) -> bool:
    """Whether what is left belongs to everybody."""
    return pool.shares_end_at is not None and pool.shares_end_at <= now


def take(
    pool: Pool, channel: Channel, now: datetime, *, only_kept: bool = False
) -> tuple[Pool, Channel] | None:
    """The pool without one place, and whose place it was; None when there is none for `channel`.

    `only_kept`: nothing but a place that is kept for this channel will do.
    """
    if not on_sale(pool, now) or pool.remaining <= 0:
        return None
    if only_kept and not kept_for(pool, channel, now):
        return None
    left = replace(pool, remaining=pool.remaining - 1)
    if shares_over(pool, now):
        return replace(left, held={}), Channel.GENERAL
    if pool.held.get(channel, 0) > 0:
        return replace(left, held={**pool.held, channel: pool.held[channel] - 1}), channel
    if pool.remaining > sum(pool.held.values()):
        return left, Channel.GENERAL
    return None


def give_back(pool: Pool, place: Channel, now: datetime) -> Pool:
    """The pool with the place returned to whom it was kept for, while shares last; a surplus one is returned to nobody."""
    if pool.remaining >= pool.capacity:
        return pool
    if pool.surplus:
        return replace(pool, capacity=pool.capacity - 1, surplus=pool.surplus - 1)
    more = replace(pool, remaining=pool.remaining + 1)
    if place is Channel.GENERAL or shares_over(pool, now):
        return more
    return replace(more, held={**pool.held, place: pool.held.get(place, 0) + 1})


def left_for_everybody(pool: Pool, now: datetime) -> int:
    """Places that nobody is kept for."""
    return pool.remaining if shares_over(pool, now) else pool.remaining - sum(pool.held.values())


def kept_for(pool: Pool, channel: Channel, now: datetime) -> int:
    """Places that only `channel` can have."""
    return 0 if shares_over(pool, now) else pool.held.get(channel, 0)
