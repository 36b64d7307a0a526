"""Numbers of booking and waiting that a hospital may set; every one of them is a setting with a default.

`Settings` of the backend's processes are a `Policy`; `bind_policy` gives them to the services once, at start.
"""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from foundation.settings import setting


class Rate(str):
    """`20/60`: so many within so many seconds; `0/1` is no limit. `ValueError` for anything else."""

    most: int
    seconds: int

    def __new__(cls, text: str) -> "Rate":
        """From a setting."""
        made = super().__new__(cls, text)
        count, _, seconds = text.partition("/")
        made.most, made.seconds = int(count), int(seconds)
        if made.most < 0 or not 1 <= made.seconds <= 86_400:
            raise ValueError("use count/seconds")
        return made


class SecondPharmacist(StrEnum):
    """Who else looks at a prescription for which the doctor had to write a reason (practice.md 12)."""

    ALWAYS = "always"
    ON_DUTY = "on_duty"
    NEVER = "never"


class TimeOfDay(str):
    """`07:00` on a Shanghai clock; `minutes` of the day. `ValueError` for anything else."""

    minutes: int

    def __new__(cls, text: str) -> "TimeOfDay":
        """From a setting."""
        made = super().__new__(cls, text)
        hours, _, minutes = text.partition(":")
        if len(hours) != 2 or len(minutes) != 2 or not 0 <= int(hours) <= 23 or not 0 <= int(minutes) <= 59:
            raise ValueError("use HH:MM")
        made.minutes = int(hours) * 60 + int(minutes)
        return made


@dataclass(frozen=True, kw_only=True)
class Policy:
    """When places are opened and released, who may hold how many, how often one may ask, how waiting is timed."""

    open_days: int = setting("how many days ahead slots are opened from the doctors' sessions", default=14)
    release_days: int = setting("how many days before the visit its places go on sale", default=7)
    release_at: TimeOfDay = setting("and at what time of that day, HH:MM", default=TimeOfDay("07:00"))
    shares_end_hours: int = setting(
        "how long before the start places kept for a channel are everybody's", default=24
    )
    pharmacist_cover: bool = setting(
        "open slots only where a pharmacist is planned until the review is done", default=True
    )
    review_minutes: int = setting("how long after a slot's end a pharmacist is needed", default=30)
    his_sync_minutes: int = setting("how often a mirrored schedule is read from the hospital", default=5)
    his_fresh_minutes: int = setting(
        "how long a mirrored schedule is sold without having been read again", default=30
    )
    move_answer_hours: int = setting(
        "how long a patient has to accept a moved appointment; silence is a refund", default=24
    )

    quota_person_day: int = setting("places one person (one id number) may hold on one day", default=3)
    quota_doctor_day: int = setting("places one person may hold with one doctor on one day", default=1)
    hold_minutes: int = setting("how long an unpaid place is held", default=10)
    counter_hold_minutes: int = setting("the same for a place booked at the counter", default=120)

    rate_person: Rate = setting("bookings and look-ups per person, count/seconds", default=Rate("30/60"))
    rate_device: Rate = setting("the same per device", default=Rate("60/60"))
    rate_address: Rate = setting(
        "the same per network address (a family or a ward shares one)", default=Rate("600/60")
    )
    trusted_proxies: tuple[str, ...] = setting(
        "addresses whose X-Forwarded-For is believed; without any, a caller's own address counts", default=()
    )

    draw_seconds: int = setting(
        "after a release: how long tickets are drawn before places are given (0: no draw)", default=3
    )

    noshow_limit: int = setting("no-shows that pause booking", default=3)
    noshow_window_days: int = setting("within so many days", default=90)
    noshow_pause_days: int = setting("pause for so many days", default=30)

    check_in_early_minutes: int = setting("how long before the slot one may check in", default=30)
    check_in_late_minutes: int = setting("how long after the slot's end one still may", default=0)
    accept_minutes: int = setting("acceptance clock: service time until everything is refunded", default=30)
    remind_minutes: int = setting("waiting time until doctor and duty desk are reminded", default=5)
    late_minutes: int = setting("waiting time until the patient may choose refund or place", default=20)
    wait_limit_minutes: int = setting(
        "whatever stops the acceptance clock: after so long everything is refunded", default=180
    )
    visit_minutes: int = setting("length of a visit as long as too few were measured", default=10)

    escalate_sms_minutes: int = setting(
        "a waiting patient nobody looked at: after so long the doctor gets a text message", default=2
    )
    returned_sms_minutes: int = setting("the same for a prescription that came back", default=10)
    returned_desk_minutes: int = setting("and after so long the duty desk is told of it", default=30)
    seen_quiet_minutes: int = setting(
        "after somebody looked: how long it stays quiet before the duty desk is told again", default=10
    )
    bundle_seconds: int = setting("notices to one doctor within so long go as one", default=60)
    parallel_visits: int = setting("visits a doctor may run side by side", default=5)
    visit_limit_minutes: int = setting("how long doctor and patient may talk", default=60)
    visit_warning_minutes: int = setting("how long before the end both are warned", default=10)
    visit_extension_minutes: int = setting("by how much the doctor may prolong it", default=15)
    visit_extensions: int = setting("and how often", default=4)
    visit_pause_minutes: int = setting(
        "for how long the pauses of one visit together stop its clock; beyond that it runs on", default=30
    )

    second_pharmacist: SecondPharmacist = setting(
        "another pharmacist confirms what needs a reason: always, on_duty (when one is there; the doctor's written and"
        " signed reason is the second pair of eyes otherwise) or never",
        default=SecondPharmacist.ON_DUTY,
    )
    review_wait_minutes: int = setting(
        "a signed prescription nobody reviews: after so long the pharmacists are told", default=10
    )
    review_sms_minutes: int = setting("and so long after that by text message", default=5)
    review_desk_minutes: int = setting("and so long after the first notice the duty desk is told", default=15)

    trace_codes: bool = setting(
        "a drug leaves only with a trace code for every pack, or a written reason why it has none",
        default=True,
    )
    pickup_tries: int = setting(
        "wrong pick-up codes for one order before none is looked at for a while", default=5
    )
    pickup_tries_person: int = setting(
        "wrong pick-up codes of one person at the desk before somebody else has to hand over", default=10
    )
    pickup_lock_minutes: int = setting("and for how long; so long wrong codes are counted, too", default=15)
    parcel_ask_hours: int = setting(
        "how often the courier is asked about a parcel that it says nothing of", default=6
    )
    parcel_silent_hours: int = setting(
        "a parcel that has not moved for so long is somebody's business", default=48
    )

    fee_lock: tuple[str, ...] = setting(
        "fees that the hospital's window leaves alone while they are paid online: registration, prescription",
        default=("registration", "prescription"),
    )
    fee_lock_minutes: int = setting("for how long at a time, 120 at most", default=30)
    his_stock_minutes: int = setting(
        "how often the hospital's shelf is read, for doctors to see (0: never)", default=15
    )

    appraisal_per_prescriber: int = setting(
        "prescriptions drawn of each prescriber every month for the comment afterwards (0: none)", default=5
    )

    advice_video_minutes: int = setting(
        "from so many minutes of video on a stopped visit counts as advised, unless the doctor says otherwise",
        default=3,
    )

    def policy_problems(self) -> list[str]:
        """One sentence per number that makes no sense."""
        at_least_one = (
            "quota_person_day", "quota_doctor_day", "hold_minutes", "counter_hold_minutes", "noshow_limit",
            "noshow_window_days", "noshow_pause_days", "accept_minutes", "remind_minutes", "late_minutes",
            "visit_minutes", "wait_limit_minutes", "parallel_visits", "visit_limit_minutes", "visit_extension_minutes", "open_days",
            "his_sync_minutes", "his_fresh_minutes", "move_answer_hours", "review_wait_minutes", "parcel_ask_hours",
            "parcel_silent_hours", "pickup_tries", "pickup_tries_person", "pickup_lock_minutes", "fee_lock_minutes",
        )  # fmt: skip
        at_least_none = (
            "draw_seconds", "check_in_early_minutes", "check_in_late_minutes", "release_days", "shares_end_hours",
            "review_minutes", "visit_pause_minutes", "advice_video_minutes",
            "review_sms_minutes", "review_desk_minutes", "appraisal_per_prescriber", "his_stock_minutes",
        )  # fmt: skip
        problems = [
            f"{name.upper()} is malformed: less than 1" for name in at_least_one if getattr(self, name) < 1
        ]
        problems += [
            f"{name.upper()} is malformed: negative" for name in at_least_none if getattr(self, name) < 0
        ]
        if unknown := set(self.fee_lock) - {"registration", "prescription"}:
            problems.append(f"FEE_LOCK is malformed: {', '.join(sorted(unknown))}")
        if self.fee_lock_minutes > 120:
            problems.append("FEE_LOCK_MINUTES is malformed: more than 120, a window cannot wait that long")
        if self.draw_seconds > 60:
            problems.append("DRAW_SECONDS is malformed: more than 60, nobody waits that long")
        return problems

    @property
    def visit_limit(self) -> timedelta:
        """How long doctor and patient may talk."""
        return timedelta(minutes=self.visit_limit_minutes)

    @property
    def visit_warning(self) -> timedelta:
        """How long before the end both are warned."""
        return timedelta(minutes=self.visit_warning_minutes)

    @property
    def visit_extension(self) -> timedelta:
        """By how much the doctor may prolong it."""
        return timedelta(minutes=self.visit_extension_minutes)

    @property
    def visit_pause(self) -> timedelta:
        """For how long pauses of one visit together stop its clock."""
        return timedelta(minutes=self.visit_pause_minutes)

    @property
    def advice_video(self) -> timedelta:
        """From how much video on a visit looks advised."""
        return timedelta(minutes=self.advice_video_minutes)

    @property
    def hold(self) -> timedelta:
        """How long an unpaid place is held."""
        return timedelta(minutes=self.hold_minutes)

    @property
    def counter_hold(self) -> timedelta:
        """The same for a place booked at the counter."""
        return timedelta(minutes=self.counter_hold_minutes)

    @property
    def check_in_early(self) -> timedelta:
        """How long before the slot one may check in."""
        return timedelta(minutes=self.check_in_early_minutes)

    @property
    def check_in_late(self) -> timedelta:
        """How long after the slot's end one still may; after that it is a no-show."""
        return timedelta(minutes=self.check_in_late_minutes)

    @property
    def draw(self) -> timedelta:
        """How long tickets are drawn after a release."""
        return timedelta(seconds=self.draw_seconds)


class _Bound:
    """The process's policy, bound once at start; the defaults until then."""

    policy: Policy = Policy()


def bind_policy(policy: Policy) -> None:
    """Give the services of this process their numbers."""
    _Bound.policy = policy


def policy() -> Policy:
    """The bound numbers."""
    return _Bound.policy
