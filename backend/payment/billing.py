"""A bill as the rows it is made of, for whoever writes them: one bill, or hundreds at once."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from backend.payment.model import FeeLine, Payment, Tender
from backend.payment.rules import Line, tender_issues, total
from foundation.db.base import Base
from foundation.errors import Invalid
from foundation.ids import new_id


def bill(
    *, subject_kind: str, subject_id: UUID, stream: str, account_id: UUID | None, person_id: UUID, lines: Sequence[Line],
    description: str, made_at: datetime, expires_at: datetime, tenders: Mapping[str, int] | None = None,
) -> dict[type[Base], list[dict[str, Any]]]:  # fmt: skip
    """Rows by table, the payment's own id among them. `Invalid` when the tenders do not add up."""
    amount = total(lines)
    parts = tenders or {"wechat_cash": amount}
    if issues := tender_issues(amount, parts):
        raise Invalid(issues=issues)
    payment_id = new_id()
    payment = {
        "id": payment_id, "subject_kind": subject_kind, "subject_id": subject_id, "stream": stream,
        "account_id": account_id, "person_id": person_id, "amount": amount, "description": description,
        "price_version": lines[0].version, "out_trade_no": payment_id.hex, "made_at": made_at, "expires_at": expires_at,
    }  # fmt: skip
    fees = [
        {
            "payment_id": payment_id, "code": line.code, "name": line.name, "quantity": line.quantity,
            "unit_amount": line.unit, "amount": line.amount, "price_version": line.version,
        }
        for line in lines
    ]  # fmt: skip
    kinds = [{"payment_id": payment_id, "kind": kind, "amount": part} for kind, part in parts.items()]
    return {Payment: [payment], FeeLine: fees, Tender: kinds}
