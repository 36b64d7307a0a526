"""Structs of stops and moves. Days are ISO dates and hours `08:30` on a Shanghai clock, `24:00` ends a day."""

from datetime import date, datetime, timedelta
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from backend.rescheduling.model import Relocation, ScheduleChange
from backend.rescheduling.queries import Affected, Scope
from backend.rescheduling.service import Preview, Target
from backend.rescheduling.states import RELOCATION
from backend.timetable import rules
from contracts.money import Fen
from foundation.errors import Invalid, Issue
from foundation.masking import mask_name

Clock = Annotated[str, Meta(pattern="^[0-9]{2}:[0-9]{2}$")]


class Where(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a doctor, or a whole department, has from `first_day` `begins` to `last_day` `ends`; where to, for a move."""

    first_day: date
    last_day: date | None = None
    begins: Clock = "00:00"
    ends: Clock = "24:00"
    practitioner_id: UUID | None = None
    department_code: Annotated[str, Meta(max_length=20)] | None = None
    to_practitioner_id: UUID | None = None
    to_day: date | None = None
    rest: Annotated[str, Meta(pattern="^(refuse|refund)$")] = "refuse"

    def scope(self) -> Scope:
        """As instants; `Invalid` for a time that no clock shows."""
        begins, ends = rules.minutes_of(self.begins), rules.minutes_of(self.ends)
        if begins is None or ends is None:
            wrong = "begins" if begins is None else "ends"
            raise Invalid(issues=[Issue(wrong, "wrong_format", "时间格式应为 08:30")])
        last = self.last_day or self.first_day
        return Scope(
            self.practitioner_id, self.department_code, rules.at(self.first_day, begins), rules.at(last, ends)
        )

    def target(self) -> Target | None:
        """The day of a doctor to move to; the same doctor when none is named."""
        return _target(self.to_practitioner_id or self.practitioner_id, self.to_day, self.rest)


def _target(doctor: UUID | None, day: date | None, rest: str) -> Target | None:
    if day is None:
        return None
    if doctor is None:
        raise Invalid(issues=[Issue("to_practitioner_id", "missing", "请选择改约到哪位医生")])
    return Target(doctor, rules.at(day, 0), rules.at(day + timedelta(days=1), 0), rest)


class MakeChange(Where, frozen=True, kw_only=True):
    """Do it; `expected` is how many people the preview showed."""

    reason: Annotated[str, Meta(min_length=1, max_length=100)]
    expected: Annotated[int, Meta(ge=0)] | None = None


class Reduce(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Fewer places than are sold: who no longer fits is refunded, or moved when `to_day` is named."""

    capacity: Annotated[int, Meta(ge=0, le=200)]
    reason: Annotated[str, Meta(min_length=1, max_length=100)]
    expected: Annotated[int, Meta(ge=0)] | None = None
    to_practitioner_id: UUID | None = None
    to_day: date | None = None
    rest: Annotated[str, Meta(pattern="^(refuse|refund)$")] = "refuse"

    def target(self, doctor: UUID) -> Target | None:
        """The day of a doctor to move to; the same doctor when none is named."""
        return _target(self.to_practitioner_id or doctor, self.to_day, self.rest)


class AffectedView(msgspec.Struct, frozen=True):
    """One appointment in the way; `to_starts_at` is where she would go, none when she would be refunded `refund` fen."""

    appointment_id: UUID
    name: str
    doctor: str
    state: str
    starts_at: datetime
    serial_number: int
    refund: Fen
    to_starts_at: datetime | None


class PreviewView(msgspec.Struct, frozen=True):
    """What would happen; nothing has."""

    slots: int
    people: list[AffectedView]
    refund: Fen


class ChangeView(msgspec.Struct, frozen=True):
    """A stop or a move, and how many of its `people` are in which state."""

    id: UUID
    kind: str
    surplus: bool
    practitioner_id: UUID | None
    department_code: str | None
    starts_at: datetime
    ends_at: datetime
    reason: str
    slots: int
    people: int
    states: dict[str, int]
    made_at: datetime
    lifted_at: datetime | None


class RelocationView(msgspec.Struct, frozen=True):
    """A move as patient and staff see it."""

    id: UUID
    appointment_id: UUID
    state: str
    state_label: str
    from_starts_at: datetime
    answer_by: datetime | None


def preview_view(found: Preview) -> PreviewView:
    """From the service; names are masked."""
    return PreviewView(len(found.slots), [_affected(one, found) for one in found.people], found.refund)


def _affected(one: Affected, found: Preview) -> AffectedView:
    to = found.allotment.to.get(one.appointment.id) if found.allotment else None
    return AffectedView(
        one.appointment.id, mask_name(one.person.name), one.doctor.name, one.appointment.state.value,
        one.appointment.starts_at, one.appointment.serial_number, 0 if to else one.paid,
        found.rooms[to].starts_at if to else None,
    )  # fmt: skip


def change_view(row: ScheduleChange, states: dict[str, int]) -> ChangeView:
    """From the row."""
    return ChangeView(
        row.id, row.kind, row.surplus, row.practitioner_id, row.department_code, row.starts_at, row.ends_at, row.reason,
        row.slots, row.people, states, row.made_at, row.lifted_at,
    )  # fmt: skip


def relocation_view(row: Relocation) -> RelocationView:
    """From the row."""
    return RelocationView(
        row.id,
        row.appointment_id,
        row.state.value,
        RELOCATION.labels[row.state],
        row.from_starts_at,
        row.answer_by,
    )
