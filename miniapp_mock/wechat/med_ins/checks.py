"""Is this an order that WeChat would take? The fields that go together, the sums, the payer, the bureau's own figures."""

import base64
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
from cryptography.hazmat.primitives.hashes import SHA1

from miniapp_mock.wechat.med_ins import authorise, bureau, refusals
from miniapp_mock.wechat.med_ins.wire import Identified, Order
from miniapp_mock.wechat.mock import Mock
from miniapp_mock.wechat.pay import orders as cash_orders
from miniapp_mock.wechat.pay.endpoint import Call
from miniapp_mock.wechat.pay.errors import PayError, wrong_field

CASH_ONLY, INSURANCE_ONLY, BOTH = "CASH_ONLY", "INSURANCE_ONLY", "CASH_AND_INSURANCE"
ORDER_TYPES = {
    "REG_PAY", "DIAG_PAY", "COVID_EXAM_PAY", "IN_HOSP_PAY", "PHARMACY_PAY", "INSURANCE_PAY", "INT_REG_PAY",
    "INT_RE_DIAG_PAY", "INT_RX_PAY", "COVID_ANTIGEN_PAY", "MED_PAY",
}  # fmt: skip
ADDED = {"DEFAULT_ADD_TYPE", "FREIGHT", "OTHER_MEDICAL_EXPENSES"}
REDUCED = {
    "DEFAULT_REDUCE_TYPE", "HOSPITAL_REDUCE", "PHARMACY_DISCOUNT", "DISCOUNT", "PRE_PAYMENT", "DEPOSIT_DEDUCTION",
}  # fmt: skip
CARDS = {
    "ID_CARD", "HOUSEHOLD_REGISTRATION", "FOREIGNER_PASSPORT", "MAINLAND_TRAVEL_PERMIT_FOR_TW",
    "MAINLAND_TRAVEL_PERMIT_FOR_MO", "MAINLAND_TRAVEL_PERMIT_FOR_HK", "FOREIGN_PERMANENT_RESIDENT",
}  # fmt: skip


def check(mock: Mock, call: Call, order: Order) -> None:
    """Raises PayError."""
    _words(mock, order)
    _fields(order)
    _sums(order)
    _payer(mock, call, order)
    if order.mix_pay_type != INSURANCE_ONLY:
        _cash(mock, order)
    if order.mix_pay_type != CASH_ONLY:
        _bureau(mock, order)


def _words(mock: Mock, order: Order) -> None:
    """Each field by itself."""
    if order.appid != mock.settings.appid:
        raise PayError("APPID_MCHID_NOT_MATCH", "appid和mch_id不匹配，请检查后再试")
    _one_of("/mix_pay_type", order.mix_pay_type, {CASH_ONLY, INSURANCE_ONLY, BOTH})
    _one_of("/order_type", order.order_type, ORDER_TYPES)
    _one_of("/payer/card_type", order.payer.card_type, CARDS)
    for added in order.cash_add_detail or ():
        _one_of("/cash_add_detail/cash_add_type", added.cash_add_type, ADDED)
    for reduced in order.cash_reduce_detail or ():
        _one_of("/cash_reduce_detail/cash_reduce_type", reduced.cash_reduce_type, REDUCED)
    if mock.people.find(order.openid) is None:
        raise wrong_field("/openid", "unknown", message="请确认openid是否正确", errno=268510603)
    cash_orders.check_notify_url(order.callback_url)
    if order.pay_for_relatives or order.relative is not None:
        raise refusals.rule(*refusals.NO_RELATIVE)


def _fields(order: Order) -> None:
    """Which fields an order of this kind has."""
    cash = (order.wechat_pay_cash_fee, order.prepay_id)
    insured = (order.pay_order_id, order.pay_auth_no, order.geo_location, order.med_ins_order_create_time)
    parts = (
        order.med_ins_gov_fee,
        order.med_ins_self_fee,
        order.med_ins_other_fee,
        order.med_ins_cash_fee,
    )
    if order.mix_pay_type == CASH_ONLY:
        if any(insured) or any(parts) or not all(cash):
            raise refusals.rule(*refusals.CASH_FIELDS)
        return
    if not all(insured) or any(part is None for part in parts):
        raise refusals.rule(*refusals.JOINT_FIELDS)
    if all(cash) != (order.mix_pay_type == BOTH) or (order.mix_pay_type == INSURANCE_ONLY and any(cash)):
        raise refusals.rule(*refusals.JOINT_FIELDS)
    _moment("/med_ins_order_create_time", order.med_ins_order_create_time or "")


def _sums(order: Order) -> None:
    cash, own = order.wechat_pay_cash_fee or 0, order.med_ins_cash_fee or 0
    if order.total_fee != order.insurance + cash + order.reduced:
        raise refusals.rule(*refusals.TOTAL)
    if order.mix_pay_type == CASH_ONLY:
        return
    if cash != own + order.added - order.reduced:
        raise refusals.rule(*refusals.CASH)
    if order.insurance + own == 0:
        raise refusals.rule(*refusals.MIXED)


def _payer(mock: Mock, call: Call, order: Order) -> None:
    """Name and number must be those of the credential bound to this phone."""
    name = _open(order.payer, "name", call)
    digest = _open(order.payer, "id_digest", call)
    who = mock.insured.get(order.openid)
    if who is None:
        raise refusals.rule(*refusals.NOT_BOUND)
    if digest != who.id_digest:
        raise refusals.rule(*refusals.OTHER_DIGEST)
    if name != who.name:
        raise refusals.rule(*refusals.OTHER_NAME)


def _cash(mock: Mock, order: Order) -> None:
    """The cash part is an ordinary order of the same number, amount and payer that is not paid yet."""
    row = mock.store.one(
        "SELECT orders.* FROM prepays JOIN orders USING (out_trade_no) WHERE prepay_id = ?", order.prepay_id
    )
    asked = (order.out_trade_no, order.wechat_pay_cash_fee, order.openid)
    if row is None or (row["out_trade_no"], row["total"], row["openid"]) != asked:
        raise refusals.rule(*refusals.MIXED)
    if cash_orders.state_of(mock, row) != cash_orders.NOTPAY:
        raise refusals.rule(*refusals.JOINT_FIELDS)


def _bureau(mock: Mock, order: Order) -> None:
    """What the order says must be what the bureau pre-settled."""
    if authorise.owner_of(mock, order.pay_auth_no or "") != order.openid:
        raise refusals.rule(*refusals.WRONG_AUTH)
    try:
        claim = bureau.find(mock, order.pay_order_id or "")
    except bureau.Refused:
        raise refusals.rule(*refusals.BUREAU) from None
    asked = (
        order.serial_no, order.med_ins_gov_fee, order.med_ins_self_fee, order.med_ins_other_fee, order.med_ins_cash_fee,
        order.pay_auth_no,
    )  # fmt: skip
    names = ("serial_no", "gov", "own", "other", "cash", "pay_auth_no")
    if tuple(claim[name] for name in names) != asked or claim["state"] != bureau.PRESETTLED:
        raise refusals.rule(*refusals.BUREAU)


def moment(text: str) -> datetime | None:
    """RFC 3339 with a written offset; `Z` is refused."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo is not None and "T" in text and not text.endswith("Z") else None


def _moment(field: str, text: str) -> None:
    if moment(text) is None:
        raise wrong_field(field, "not RFC 3339 with an offset", message="时间解析失败", value=text)


def _one_of(field: str, value: str, known: set[str]) -> None:
    if value not in known:
        raise wrong_field(field, "unknown", value=value)


def _open(who: Identified, field: str, call: Call) -> str:
    """A field that only WeChat Pay can read."""
    padding = OAEP(mgf=MGF1(SHA1()), algorithm=SHA1(), label=None)  # noqa: S303 - WeChat Pay's choice
    value: Any = getattr(who, field)
    try:
        return call.key.key.decrypt(base64.b64decode(value, validate=True), padding).decode()
    except ValueError:
        raise wrong_field(f"/payer/{field}", "does not open with the key named by Wechatpay-Serial") from None
