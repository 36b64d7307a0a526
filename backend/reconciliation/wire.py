"""Structs of the reconciliation routes, and the file for Excel."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from backend.reconciliation.model import DifferenceRow, ReconciliationDay, ReconciliationRun
from backend.reconciliation.rules import RESOLUTIONS, WORDS, Kind, Money, Resolution, csv_file
from backend.reconciliation.states import DIFFERENCE, RECONCILIATION
from contracts.money import yuan
from foundation.clock import local

MONEY = {Money.CHARGE: "收款", Money.REFUND: "退款"}


class Settle(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a difference was settled, and what was found out."""

    resolution: Resolution
    note: Annotated[str, Meta(min_length=4, max_length=500)]


class RunView(msgspec.Struct, frozen=True):
    """One comparison; sums in fen, `provider_fee` in thousandths of a fen."""

    at: datetime
    differences: int
    entries: int
    ours_charged: int
    ours_refunded: int
    provider_charged: int
    provider_refunded: int
    provider_fee: int
    account_in: int
    account_out: int
    hospital_charged: int
    hospital_refunded: int
    trade_sha1: str
    flow_sha1: str
    statement_hash: str


class DayView(msgspec.Struct, frozen=True):
    """A day; `waiting_for` is `bill` or `hospital` while one of them does not answer."""

    id: UUID
    day: date
    state: str
    state_label: str
    due_at: datetime
    closed_at: datetime | None
    waiting_for: str
    open_differences: int
    last_run: RunView | None


class DifferenceView(msgspec.Struct, frozen=True):
    """A difference; `mine` is what it should be, `theirs` what it is, in fen, null where a book has nothing."""

    id: UUID
    day_id: UUID
    day: date
    state: str
    state_label: str
    kind: str
    words: str
    money: str
    number: str
    own: str
    mine: int | None
    theirs: int | None
    payment_id: UUID | None
    refund_id: UUID | None
    found_at: datetime
    resolution: str
    note: str
    settled_by: str
    settled_at: datetime | None


class DayDetail(msgspec.Struct, frozen=True):
    """A day with its differences and all its runs, newest first."""

    day: DayView
    differences: list[DifferenceView]
    runs: list[RunView]


def run_view(row: ReconciliationRun) -> RunView:
    """From the row."""
    return RunView(**{name: getattr(row, name) for name in RunView.__struct_fields__})


def day_view(row: ReconciliationDay, run: ReconciliationRun | None, waiting: int) -> DayView:
    """From the rows."""
    return DayView(
        id=row.id, day=row.day, state=row.state, state_label=RECONCILIATION.labels[row.state], due_at=row.due_at,
        closed_at=row.closed_at, waiting_for=row.waiting_for, open_differences=waiting,
        last_run=run_view(run) if run else None,
    )  # fmt: skip


def difference_view(row: DifferenceRow, names: Mapping[UUID, str]) -> DifferenceView:
    """From the row."""
    return DifferenceView(
        id=row.id, day_id=row.day_id, day=row.day, state=row.state, state_label=DIFFERENCE.labels[row.state],
        kind=row.kind, words=WORDS[Kind(row.kind)], money=row.money, number=row.number, own=row.own, mine=row.mine,
        theirs=row.theirs, payment_id=row.payment_id, refund_id=row.refund_id, found_at=row.found_at,
        resolution=row.resolution, note=row.note or "", settled_at=row.settled_at,
        settled_by=names.get(row.settled_by, "") if row.settled_by else "",
    )  # fmt: skip


COLUMNS = (
    "对账日", "差异", "收付", "微信单号", "商户单号", "应为（元）", "实为（元）", "差额（元）", "状态", "处理方式", "处理说明",
    "处理人", "处理时间",
)  # fmt: skip


def differences_csv(
    day: ReconciliationDay,
    run: ReconciliationRun | None,
    rows: Sequence[DifferenceRow],
    names: Mapping[UUID, str],
) -> bytes:
    """The report of a day as a person files it: sums first, then every difference."""
    table: list[Sequence[object]] = [
        ("对账日", day.day.isoformat(), "状态", RECONCILIATION.labels[day.state])
    ]
    if run is not None:
        table += [
            ("", "收款（元）", "退款（元）"),
            ("本院平台", yuan(run.ours_charged), yuan(run.ours_refunded)),
            ("微信支付交易账单", yuan(run.provider_charged), yuan(run.provider_refunded)),
            ("微信支付资金账单", yuan(run.account_in), yuan(run.account_out)),
            ("医院信息系统", yuan(run.hospital_charged), yuan(run.hospital_refunded)),
            ("对账单摘要（SHA-256）", run.statement_hash),
        ]
    table += [(), COLUMNS, *(_line(row, names) for row in rows)]
    return csv_file(table)


def _line(row: DifferenceRow, names: Mapping[UUID, str]) -> Sequence[object]:
    return (
        row.day.isoformat(), WORDS[Kind(row.kind)], MONEY[Money(row.money)], row.number, row.own, _yuan(row.mine),
        _yuan(row.theirs), _yuan(gap(row)), DIFFERENCE.labels[row.state],
        RESOLUTIONS[Resolution(row.resolution)] if row.resolution else "", row.note or "",
        names.get(row.settled_by, "") if row.settled_by else "",
        f"{local(row.settled_at):%Y-%m-%d %H:%M}" if row.settled_at else "",
    )  # fmt: skip


def gap(row: DifferenceRow) -> int:
    """What the other side has more than we have."""
    return (row.theirs or 0) - (row.mine or 0)


def _yuan(fen: int | None) -> str:
    return "" if fen is None else yuan(fen)
