"""Quotas, pauses after no-shows, the order of a draw. Pure; numbers come from `backend.policy`."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from backend.policy import Policy
from foundation.clock import local
from foundation.errors import Conflict, Issue


def quota_issues(limits: Policy, *, on_day: int, with_doctor: int) -> list[Issue]:
    """Why a person who holds or used so many places on a day may not have another one of it."""
    issues = []
    if on_day >= limits.quota_person_day:
        issues.append(
            Issue("person_id", "quota_used", f"同一就诊人每天最多预约 {limits.quota_person_day} 次")
        )
    if with_doctor >= limits.quota_doctor_day:
        words = f"同一就诊人每天最多预约同一位医生 {limits.quota_doctor_day} 次"
        issues.append(Issue("person_id", "doctor_quota_used", words))
    return issues


def paused(until: datetime) -> Conflict:
    """The refusal while a pause is in force; it says until when and whom to ask."""
    day = local(until)
    words = f"多次预约未到，{day.month}月{day.day}日前暂停线上预约；如有特殊情况，请联系医院窗口恢复"
    return Conflict(words, code="booking_paused", issues=[Issue("person_id", "booking_paused", words)])


def draw_open() -> Conflict:
    """The refusal while lots are drawn for a slot: whoever books past the draw would have come first by speed."""
    words = "号源刚刚放出，正在排队抽号"
    return Conflict(words, code="draw_open", issues=[Issue("slot_id", "draw_open", words)])


def pause_after(limits: Policy, absences: Sequence[datetime]) -> tuple[datetime, datetime] | None:
    """From when until when booking pauses, given the no-shows that still count; None while they are too few.

    The newest `noshow_limit` of them must lie within the window; the pause begins with the newest.
    """
    newest = sorted(absences)[-limits.noshow_limit :]
    if len(newest) < limits.noshow_limit or newest[-1] - newest[0] > timedelta(
        days=limits.noshow_window_days
    ):
        return None
    return newest[-1], newest[-1] + timedelta(days=limits.noshow_pause_days)


@dataclass(frozen=True)
class Wish:
    """What one person asks for in a draw: the slot she would like best first."""

    person: UUID
    slots: tuple[UUID, ...]


def order_of(seed: bytes, persons: Iterable[UUID]) -> list[UUID]:
    """The draw: by a hash over the seed, which is made only after the last ticket. Same seed, same order, for anybody to check."""
    return sorted(persons, key=lambda person: hashlib.sha256(seed + person.bytes).digest())


def allot(wishes: Sequence[Wish], free: Mapping[UUID, int]) -> dict[UUID, UUID]:
    """Person → slot, one after the other in the order given: each gets the first of her slots that has a place left."""
    left = dict(free)
    given: dict[UUID, UUID] = {}
    for wish in wishes:
        if wish.person in given:
            continue
        found = next((slot for slot in wish.slots if left.get(slot, 0) > 0), None)
        if found is not None:
            left[found] -= 1
            given[wish.person] = found
    return given
