"""What the forms and the API say about adverse events."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from backend.adverse_event.model import AdverseEvent, AdverseReport
from backend.adverse_event.rules import DAMAGE, GRADES, KINDS, Told, Whom
from backend.adverse_event.states import ADVERSE_EVENT


class ReportAdverseEvent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A first report. All are texts here, so that `rules` can name every issue at once. `kind`: medical, drug, device, other; `damage`:
    none, mild, moderate, severe, death; `happened_at`: `2026-11-22T09:05` on a Shanghai clock, or with an offset. `visit_number` is the
    encounter's or the appointment's; without one name and telephone are needed. The same `form_id` again is the same report."""

    kind: str = ""
    visit_number: str = ""
    patient_name: str = ""
    patient_phone: str = ""
    happened_at: str = ""
    description: str = ""
    cause: str = ""
    measures: str = ""
    damage: str = ""
    improvements: str = ""
    form_id: UUID | None = None

    @property
    def told(self) -> Told:
        """What happened."""
        return Told(
            self.happened_at, self.description, self.cause, self.measures, self.damage, self.improvements
        )

    @property
    def whom(self) -> Whom:
        """To whom."""
        return Whom(self.visit_number, self.patient_name, self.patient_phone)


class SupplementAdverseEvent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole account as it is known now; `seen` is how many reports there were when it was written."""

    seen: int
    happened_at: str = ""
    description: str = ""
    cause: str = ""
    measures: str = ""
    damage: str = ""
    improvements: str = ""

    @property
    def told(self) -> Told:
        """What happened."""
        return Told(
            self.happened_at, self.description, self.cause, self.measures, self.damage, self.improvements
        )


class AcceptAdverseEvent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The quality department's classification: `grade` 1 to 4; `seen` as above."""

    seen: int
    kind: str = ""
    grade: str = ""
    note: str = ""


class CloseAdverseEvent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How it ended."""

    seen: int
    note: str = ""


class AdverseReportView(msgspec.Struct, frozen=True):
    """One report, as the city has it under `number`."""

    number: str
    happened_at: datetime
    description: str
    cause: str
    measures: str
    damage: str
    damage_label: str
    improvements: str
    reporter: str
    department: str
    reported_at: datetime


class AdverseEventLine(msgspec.Struct, frozen=True):
    """An event in a list."""

    id: UUID
    number: str
    state: str
    state_label: str
    kind: str
    kind_label: str
    urgent: bool
    patient_name: str
    encounter_id: UUID | None
    reports: int
    reported_at: datetime


class AdverseEventView(msgspec.Struct, frozen=True):
    """An event with all its reports, and what the quality department said."""

    event: AdverseEventLine
    reports: list[AdverseReportView]
    patient_phone: str
    grade: str
    grade_label: str
    note: str
    accepted_at: datetime | None
    accepted_by: str
    result: str
    closed_at: datetime | None
    closed_by: str


def line_view(row: AdverseEvent) -> AdverseEventLine:
    """From the row."""
    return AdverseEventLine(
        row.id, row.number, row.state, ADVERSE_EVENT.labels[row.state], row.kind, KINDS.get(row.kind, row.kind), row.urgent,
        row.patient_name, row.encounter_id, row.reports, row.reported_at,
    )  # fmt: skip


def report_view(row: AdverseReport) -> AdverseReportView:
    """From the row."""
    return AdverseReportView(
        row.number, row.happened_at, row.description, row.cause, row.measures, row.damage, DAMAGE.get(row.damage, row.damage),
        row.improvements, row.reporter_name, row.department, row.reported_at,
    )  # fmt: skip


def event_view(row: AdverseEvent, reports: Sequence[AdverseReport]) -> AdverseEventView:
    """From the rows."""
    return AdverseEventView(
        line_view(row), [report_view(one) for one in reports], row.patient_phone, row.grade, GRADES.get(row.grade, ""), row.note,
        row.accepted_at, row.accepted_name, row.result, row.closed_at, row.closed_name,
    )  # fmt: skip
