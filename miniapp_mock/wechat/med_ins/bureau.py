"""The insurance bureau's payment centre as far as a payment needs it: pre-settle, settle, revoke, refund. INVENTED interface.

What the real one calls 6201 (fee lines), 6202 (pre-settlement), 6203 (refund), 6301 (query) and 6401 (revoke) is one resource here.
"""

import json
import secrets
from typing import Any

from miniapp_mock.wechat.clock import local, rfc3339
from miniapp_mock.wechat.med_ins import authorise
from miniapp_mock.wechat.med_ins.bureau_wire import Claim, Refund
from miniapp_mock.wechat.med_ins.split import Split, split
from miniapp_mock.wechat.mock import Mock
from miniapp_mock.wechat.store import Row

PRESETTLED, SETTLED, REVOKED = "presettled", "settled", "revoked"
SUCCEEDED, PROCESSING = "succeeded", "processing"


class Refused(Exception):
    """The bureau says no; `code` as on the wire, `message` for people."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(code)
        self.status, self.code, self.message = status, code, message


def presettle(mock: Mock, claim: Claim, request: str) -> tuple[dict[str, Any], bool]:
    """The split of a claim, and whether it is new. The same serial number with the same body is the same claim."""
    if claim.total != sum(line.amount for line in claim.lines):
        raise Refused(422, "TOTAL", "费用明细合计与总额不符")
    if any(line.amount != line.quantity * line.unit_amount for line in claim.lines):
        raise Refused(422, "LINE", "费用明细的数量、单价与金额不符")
    known = mock.store.one("SELECT * FROM bureau_claims WHERE serial_no = ?", claim.serial_no)
    if known is not None:
        if known["request"] != request:
            raise Refused(409, "SERIAL_NO_USED", "该流水号已用于其他费用")
        return described(mock, known), False
    openid = authorise.owner_of(mock, claim.pay_auth_no)
    if openid is None:
        raise Refused(403, "NOT_AUTHORISED", "未找到对应授权信息，请重新授权")
    if words := mock.faults.text("insurance_refuses"):
        raise Refused(422, "REFUSED", words)
    parts = split(
        claim.lines, mock.insured[openid], account_left(mock, openid), pays=mock.faults.text("insurance_pays")
    )
    number = f"ORD{claim.city_id}{local(mock.now):%Y%m%d%H%M%S}{secrets.randbelow(10**6):06d}"
    mock.store.insert(
        "bureau_claims", pay_order_id=number, serial_no=claim.serial_no, request=request, openid=openid,
        pay_auth_no=claim.pay_auth_no, total=claim.total, gov=parts.gov, own=parts.self_, other=parts.other,
        cash=parts.cash, state=PRESETTLED, made_at=mock.now,
    )  # fmt: skip
    return described(mock, find(mock, number)), True


def account_left(mock: Mock, openid: str) -> int:
    """On the personal account, after what was settled and what came back."""
    taken = mock.store.number(
        "SELECT sum(own) FROM bureau_claims WHERE openid = ? AND state = 'settled'", openid
    )
    back = mock.store.number(
        "SELECT sum(r.own) FROM bureau_refunds r JOIN bureau_claims c USING (pay_order_id) "
        "WHERE c.openid = ? AND r.state = 'succeeded'",
        openid,
    )
    return mock.insured[openid].account_fen - taken + back


def find(mock: Mock, pay_order_id: str) -> Row:
    """Raises Refused."""
    row = mock.store.one("SELECT * FROM bureau_claims WHERE pay_order_id = ?", pay_order_id)
    if row is None:
        raise Refused(404, "NOT_FOUND", "没有这笔医保订单")
    return row


def settle(mock: Mock, pay_order_id: str, pay_auth_no: str) -> str:
    """What happens when the payer has typed her password: empty, or why the bureau did not pay."""
    row = find(mock, pay_order_id)
    if row["pay_auth_no"] != pay_auth_no or authorise.owner_of(mock, pay_auth_no) is None:
        return "支付授权已失效，请重新授权"
    if row["state"] != PRESETTLED:
        return "该笔医保订单已撤销或已结算"
    if mock.faults.on("insurance_down"):
        return "医保系统无应答"
    if mock.faults.on("insurance_settle_fails"):
        return "预结算金额不匹配"
    if row["own"] > account_left(mock, row["openid"]):
        return "个人账户余额不足"
    mock.store.run(
        "UPDATE bureau_claims SET state = ?, settled_at = ?, settlement_id = ? WHERE pay_order_id = ?",
        SETTLED, mock.now, f"SETL{local(mock.now):%Y%m%d}{secrets.randbelow(10**12):012d}", pay_order_id,
    )  # fmt: skip
    return ""


def revoke(mock: Mock, pay_order_id: str) -> dict[str, Any]:
    """An unsettled claim is taken back; once more changes nothing."""
    row = find(mock, pay_order_id)
    if row["state"] == SETTLED:
        raise Refused(409, "SETTLED", "已结算的医保订单不能撤销，请退费")
    mock.store.run("UPDATE bureau_claims SET state = ? WHERE pay_order_id = ?", REVOKED, pay_order_id)
    return described(mock, find(mock, pay_order_id))


def refund(mock: Mock, pay_order_id: str, asked: Refund) -> dict[str, Any]:
    """The same number with the same amounts is the same refund."""
    row = find(mock, pay_order_id)
    known = _refund(mock, asked.refund_no)
    if known is not None:
        same = (pay_order_id, asked.gov, asked.self_, asked.other)
        if (known["pay_order_id"], known["gov"], known["own"], known["other"]) != same:
            raise Refused(409, "REFUND_NO_USED", "该退费单号已用于其他退费")
        return refund_described(mock, known)
    if row["state"] != SETTLED:
        raise Refused(409, "NOT_SETTLED", "未结算的医保订单不能退费")
    if words := mock.faults.text("insurance_refuses_refund"):
        raise Refused(422, "REFUSED", words)
    _check_left(mock, row, asked)
    mock.store.insert(
        "bureau_refunds", refund_no=asked.refund_no, pay_order_id=pay_order_id, gov=asked.gov, own=asked.self_,
        other=asked.other, state=PROCESSING, made_at=mock.now,
        refund_id=f"REFD{local(mock.now):%Y%m%d}{secrets.randbelow(10**12):012d}",
        settle_at=mock.now + mock.faults.seconds("insurance_refund_seconds"),
    )  # fmt: skip
    made = _refund(mock, asked.refund_no)
    assert made is not None
    return refund_described(mock, made)


def refund_of(mock: Mock, pay_order_id: str, refund_no: str) -> dict[str, Any]:
    """Raises Refused."""
    row = _refund(mock, refund_no)
    if row is None or row["pay_order_id"] != pay_order_id:
        raise Refused(404, "NOT_FOUND", "没有这笔退费")
    return refund_described(mock, row)


def described(mock: Mock, row: Row) -> dict[str, Any]:
    """A claim as the bureau tells it."""
    off = int(mock.faults.on("insurance_split_off_by_one"))
    return {
        "pay_order_id": row["pay_order_id"],
        "serial_no": row["serial_no"],
        "state": row["state"],
        "total": row["total"],
        "gov": row["gov"] + off,
        "self": row["own"],
        "other": row["other"],
        "cash": row["cash"],
        "settlement_id": row["settlement_id"] or "",
        "made_at": rfc3339(row["made_at"]),
        "settled_at": None if row["settled_at"] is None else rfc3339(row["settled_at"]),
    }


def refund_described(mock: Mock, row: Row) -> dict[str, Any]:
    """A refund as the bureau tells it; it is done when its time has come."""
    if row["state"] == PROCESSING and row["settle_at"] <= mock.now:
        mock.store.run(
            "UPDATE bureau_refunds SET state = ?, settled_at = ? WHERE refund_no = ?",
            SUCCEEDED, mock.now, row["refund_no"],
        )  # fmt: skip
        found = _refund(mock, row["refund_no"])
        assert found is not None
        row = found
    return {
        "refund_no": row["refund_no"],
        "pay_order_id": row["pay_order_id"],
        "refund_id": row["refund_id"],
        "state": row["state"],
        "gov": row["gov"],
        "self": row["own"],
        "other": row["other"],
        "refunded_at": None if row["settled_at"] is None else rfc3339(row["settled_at"]),
    }


def same_claim(body: bytes) -> str:
    """Two requests with the same content are the same, whatever their spaces and order."""
    return json.dumps(json.loads(body), ensure_ascii=False, sort_keys=True)


def settled_parts(row: Row) -> Split:
    """What the bureau pays of a claim."""
    return Split(row["gov"], row["own"], row["other"], row["cash"])


def _refund(mock: Mock, refund_no: str) -> Row | None:
    return mock.store.one("SELECT * FROM bureau_refunds WHERE refund_no = ?", refund_no)


def _check_left(mock: Mock, row: Row, asked: Refund) -> None:
    if asked.gov + asked.self_ + asked.other == 0:
        raise Refused(422, "NOTHING", "退费金额不能为零")
    for name, part in (("gov", asked.gov), ("own", asked.self_), ("other", asked.other)):
        gone = mock.store.number(
            f"SELECT sum({name}) FROM bureau_refunds WHERE pay_order_id = ?", row["pay_order_id"]
        )
        if part + gone > row[name]:
            raise Refused(422, "TOO_MUCH", "退费金额超过已结算金额")
