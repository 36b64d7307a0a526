"""Structs of the e-bill routes."""

from datetime import datetime
from uuid import UUID

import msgspec

from backend.e_bill.model import EBillRow
from backend.e_bill.states import E_BILL, EBillState
from contracts.money import Fen


class EBillView(msgspec.Struct, frozen=True):
    """A bill for the patient. `notice` is what its issuer wants shown with it; `verify_url` is where anybody verifies it."""

    id: UUID
    state: str
    state_label: str
    total: Fen
    gov: Fen
    own: Fen
    other: Fen
    cash: Fen
    code: str
    number: str
    check_code: str
    notice: str
    issued_at: datetime | None
    red_number: str
    red_at: datetime | None
    verify_url: str


def e_bill_view(row: EBillRow, verify_url: str) -> EBillView:
    """From the row."""
    issued = row.state in (EBillState.ISSUED, EBillState.REVERSED)
    return EBillView(
        id=row.id, state=row.state, state_label=E_BILL.labels[row.state], total=row.split.total, gov=row.gov, own=row.own,
        other=row.other, cash=row.cash, code=row.code, number=row.number, check_code=row.check_code, notice=row.notice,
        issued_at=row.issued_at, red_number=row.red_number, red_at=row.red_at, verify_url=verify_url if issued else "",
    )  # fmt: skip
