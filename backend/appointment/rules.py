"""Who may hold a place, and the windows of a booking. Pure; numbers are configuration (`backend.policy`).

`decide` is the one place that says when a request is refused, for one request as for hundreds at once (`holding`).
"""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from backend.eligibility.rules import require_department, require_usable
from backend.fairness.rules import draw_open, paused, quota_issues
from backend.patient.rules import GUARDIAN_PRESENT_BELOW, SCOPES, age_on, may
from backend.policy import Policy
from backend.practitioner.rules import may_practise
from backend.schedule.rules import Channel, Pool, not_on_sale, take
from contracts.events import Guardian
from foundation.errors import AppError, Conflict, Forbidden, Issue, NotFound

MODES = {"video": "视频", "text": "图文"}
COUNTER = "counter"
"""`booked_by` of a place that staff took for somebody at the counter, who brought her papers instead of an account."""


@dataclass(frozen=True, slots=True)
class SlotFacts:
    """The slot, its pool, and whether its doctor may practise there then."""

    id: UUID
    practitioner_id: UUID
    department_code: str
    day: date
    starts_at: datetime
    ends_at: datetime
    price_code: str
    mode: str
    pool: Pool
    active: bool
    years: int
    filed: bool
    filed_until: date | None


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known about one request before a place is taken; None where there is no such row."""

    grant_kind: str | None
    grant_relation: str | None
    grant_scope: list[str] | None
    birth_date: date | None
    guardian: tuple[str, str, str] | None
    """Name, id number and phone of the account's owner."""
    consented: bool
    outcome: str | None
    booking_day: date | None
    slot: SlotFacts | None
    held_on_day: int
    held_with_doctor: int
    held_here: bool
    paused_until: datetime | None
    seen_before: bool
    """By this doctor, online, not long ago."""
    only_department: str = ""
    """Where alone the eligibility decision lets her book; empty for anywhere."""


@dataclass(frozen=True)
class Wish:
    """What is asked for. `channel` None: the rule decides; `by` is set where the account needs no grant.

    `only_kept`: lots are being drawn for the slot, so that only a place kept for the channel may be had.
    """

    mode: str
    channel: Channel | None = None
    by: str = ""
    only_kept: bool = False


@dataclass(frozen=True)
class Terms:
    """On which terms a place may be held."""

    booked_by: str
    channel: Channel
    guardian: Guardian | None


def decide(facts: Facts, wish: Wish, limits: Policy, *, now: datetime, today: date) -> Terms:
    """The terms; raises what refuses: no grant, no consent, not eligible, not filed, over, quota used, paused, not on sale."""
    booked_by = _booked_by(facts, wish)
    if not facts.consented:
        raise Forbidden("请先阅读并签署知情同意书", code="no_consent")
    require_usable(facts.outcome, facts.booking_day, today)
    slot = facts.slot
    if slot is None:
        raise NotFound("没有找到该时段")
    require_department(facts.only_department, slot.department_code)
    issues = may_practise(
        active=slot.active, years=slot.years, filed_until=slot.filed_until, filed=slot.filed, today=slot.day
    )
    if issues:
        raise Forbidden(issues[0].message, code="not_licensed", issues=issues)
    if facts.held_here:
        raise already_booked()
    issues = bookable(ends_at=slot.ends_at, now=now) + fitting(slot_mode=slot.mode, mode=wish.mode)
    issues += quota_issues(limits, on_day=facts.held_on_day, with_doctor=facts.held_with_doctor)
    if issues:
        raise Conflict(issues[0].message, code=issues[0].code, issues=issues)
    if facts.paused_until is not None:
        raise paused(facts.paused_until)
    guardian = _guardian(facts, today)
    channel = wish.channel or (Channel.FOLLOW_UP if facts.seen_before else Channel.GENERAL)
    if take(slot.pool, channel, now, only_kept=wish.only_kept) is None:
        raise no_place(slot.pool, now, wish)
    return Terms(booked_by, channel, guardian)


def _booked_by(facts: Facts, wish: Wish) -> str:
    if facts.birth_date is None:
        raise NotFound
    if wish.by:
        return wish.by
    if facts.grant_kind is None:
        raise NotFound
    if not may(facts.grant_kind, facts.grant_scope or [], "book"):
        raise Forbidden(f"本人没有授权您{SCOPES['book']}", code="scope_missing")
    return facts.grant_kind


def _guardian(facts: Facts, today: date) -> Guardian | None:
    """Who answers for a child under six: the verified guardian who books (诊疗办法 Art 19)."""
    assert facts.birth_date is not None
    if age_on(facts.birth_date, today) >= GUARDIAN_PRESENT_BELOW:
        return None
    if facts.grant_kind != "guardian" or facts.guardian is None:
        raise Forbidden("6 岁以下儿童须由已实名的监护人预约", code="guardian_needed")
    return Guardian(*facts.guardian, facts.grant_relation or "监护人")


def held_until(limits: Policy, by: str, *, now: datetime, starts_at: datetime, ends_at: datetime) -> datetime:
    """When an unpaid place goes back: never after the slot, for nobody may pay for a visit that is over.

    At the counter somebody has to be found who pays, but not beyond the visit's start.
    """
    until = now + limits.hold
    if by == COUNTER:
        until = max(min(now + limits.counter_hold, starts_at), until)
    return min(until, ends_at)


def missed(limits: Policy, *, ends_at: datetime, now: datetime) -> bool:
    """Whether nobody can come to the slot any more."""
    return now >= ends_at + limits.check_in_late


def missed_at(limits: Policy, *, ends_at: datetime, free_until: datetime) -> datetime:
    """When a booked visit counts as missed: not while she may still give it back for nothing."""
    return max(ends_at + limits.check_in_late, free_until)


def no_place(pool: Pool, now: datetime, wish: Wish) -> AppError:
    """Why there is no place: not on sale, being drawn, or all are taken."""
    issue = not_on_sale(pool, now)
    if issue is None and wish.only_kept:
        return draw_open()
    issue = issue or Issue("slot_id", "sold_out", "该时段号源已约满")
    return Conflict(issue.message, code=issue.code, issues=[issue])


def already_booked() -> AppError:
    """The person holds a place of this very slot."""
    return Conflict("您已预约该时段", code="already_booked")


def bookable(*, ends_at: datetime, now: datetime) -> list[Issue]:
    """Why a slot cannot be booked any more."""
    return [Issue("slot_id", "slot_over", "该时段已结束")] if now >= ends_at else []


def fitting(*, slot_mode: str, mode: str) -> list[Issue]:
    """Why the doctor does not see patients in this way then."""
    if slot_mode in ("any", mode):
        return []
    return [Issue("mode", "mode_not_offered", f"该时段医生只以{MODES.get(slot_mode, slot_mode)}方式接诊")]


def check_in_window(limits: Policy, *, starts_at: datetime, ends_at: datetime, now: datetime) -> list[Issue]:
    """Why it is too early or too late to wait."""
    if now < starts_at - limits.check_in_early:
        return [Issue("at", "too_early", f"就诊开始前 {limits.check_in_early_minutes} 分钟可以候诊")]
    if missed(limits, ends_at=ends_at, now=now):
        return [Issue("at", "too_late", "就诊时段已结束")]
    return []


def cancellable_by_patient(
    *, starts_at: datetime, now: datetime, checked_in: bool, free_until: datetime
) -> list[Issue]:
    """A patient cancels before the start or within the grace after paying, and while she waits and nobody has accepted."""
    if not checked_in and now >= starts_at and now > free_until:
        return [Issue("at", "too_late", "就诊时段已开始，不能自行取消，请联系医院")]
    return []
