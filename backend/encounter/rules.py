"""The acceptance clock, the conditions of accepting, the time to talk, whether advice was given. Pure; the numbers are `backend.policy`."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from backend.policy import Policy
from foundation.errors import Issue

LOOK_AGAIN = timedelta(seconds=30)
Moments = tuple[datetime, datetime]


def clock_start(starts_at: datetime, checked_in_at: datetime) -> datetime:
    """The clock starts at the later of slot start and check-in (practice.md 7)."""
    return max(starts_at, checked_in_at)


def counted(begun: datetime, now: datetime, service: Iterable[Moments], busy: Iterable[Moments]) -> timedelta:
    """How far the clock has run: time from `begun` to `now` in which there was service and the doctor was in no other visit."""
    spans = _clipped(service, begun, now)
    taken = _clipped(busy, begun, now)
    total = sum((ends - begins for begins, ends in spans), timedelta())
    return total - sum((_shared(span, taken) for span in spans), timedelta())


def _clipped(spans: Iterable[Moments], first: datetime, last: datetime) -> list[Moments]:
    """The parts within, without overlaps, in order."""
    found: list[Moments] = []
    for begins, ends in sorted((max(begins, first), min(ends, last)) for begins, ends in spans):
        if begins >= ends:
            continue
        if found and begins <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], ends))
        else:
            found.append((begins, ends))
    return found


def _shared(span: Moments, others: Sequence[Moments]) -> timedelta:
    parts = ((max(span[0], begins), min(span[1], ends)) for begins, ends in others)
    return sum((ends - begins for begins, ends in parts if begins < ends), timedelta())


def together(ones: Iterable[Moments], others: Iterable[Moments]) -> timedelta:
    """How long both were there."""
    spans = list(ones)
    if not spans:
        return timedelta()
    first, last = min(begins for begins, _ in spans), max(ends for _, ends in spans)
    there = _clipped(others, first, last)
    return sum((_shared(span, there) for span in _clipped(spans, first, last)), timedelta())


def looks_like_advice(*, written: bool, on_video: timedelta, least: timedelta) -> bool:
    """Whether advice seems to have been given: something of substance was written, or they saw each other for so long.

    The doctor's own word goes before it.
    """
    return written or on_video >= least


def time_left(limits: Policy, *, counted: timedelta, waited: timedelta, kept: bool) -> timedelta:
    """Until everything is refunded: what the clock has left, and never beyond the limit of waiting.

    Who chose to keep her place waits for the limit alone.
    """
    by_limit = timedelta(minutes=limits.wait_limit_minutes) - waited
    by_clock = timedelta(minutes=limits.accept_minutes) - counted
    return by_limit if kept else min(by_clock, by_limit)


def may_accept(
    *, confirmed: bool, checked_in: bool, running: int, most: int, reasoned: bool = True
) -> list[Issue]:
    """What keeps a doctor from accepting; `most` visits may run side by side (practice.md 8).

    `reasoned`: she wrote why it is a follow-up, where that was hers to decide (practice.md 4).
    """
    issues = []
    if not confirmed:
        issues.append(Issue("follow_up_confirmed", "follow_up_not_confirmed", "请先确认患者符合复诊条件"))
    if not reasoned:
        issues.append(Issue("basis", "basis_missing", "系统未能判定，请写明您判断为复诊的依据"))
    if not checked_in:
        issues.append(Issue("appointment", "not_waiting", "患者尚未开始候诊"))
    if running >= most:
        issues.append(Issue("practitioner", "too_many_visits", f"同时接诊不能超过 {most} 位"))
    return issues


@dataclass(frozen=True)
class TalkTime:
    """How long the two may talk: until `until`, which a pause since `held_at` pushes out. `paused` is what earlier pauses took.

    Pauses of one visit together push the end out by `most` at most: beyond that the clock runs though the visit is on hold.
    A pause that begins after the end pushes nothing out, only prolonging does.
    """

    until: datetime
    held_at: datetime | None
    paused: timedelta
    most: timedelta

    def pausing(self, now: datetime) -> timedelta:
        """What the running pause has taken so far."""
        if self.held_at is None or self.held_at >= self.until:
            return timedelta()
        return max(timedelta(), min(now - self.held_at, self.most - self.paused))

    def ends(self, now: datetime) -> datetime:
        """The end as it stands now; while the clock stands still it moves along."""
        return self.until + self.pausing(now)

    def latest(self) -> datetime:
        """The end if nobody ever goes on."""
        return self.ends(datetime.max.replace(tzinfo=self.until.tzinfo))

    def over(self, now: datetime) -> bool:
        """Nothing can be said any more, on hold or not."""
        return now >= self.ends(now)

    def still(self, now: datetime) -> bool:
        """The clock stands still."""
        return (
            self.held_at is not None
            and self.held_at < self.until
            and now - self.held_at < self.most - self.paused
        )
