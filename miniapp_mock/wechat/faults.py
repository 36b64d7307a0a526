"""Switches of a tester: how often what goes wrong. All are off until they are set."""

import asyncio
import math
import random
from collections.abc import Mapping
from dataclasses import dataclass

SHARE, SECONDS, FLAG, TEXT = "share", "seconds", "flag", "text"


class BadField(ValueError):
    """The input is wrong at `field` (empty when the whole of it is)."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}" if field else message)
        self.field = field
        self.message = message


@dataclass(frozen=True)
class Fault:
    """`share`: 0 to 1, or true for always. `text`: one of `options`, anything when there are none."""

    kind: str
    group: str
    meaning: str
    options: tuple[str, ...] = ()


NOTICE, PAY, REFUND, BILL, OPEN, INSURANCE = "支付通知", "支付接口", "退款", "账单", "开放接口", "医保"
DECLARED: dict[str, Fault] = {
    "lose_notifications": Fault(SHARE, NOTICE, "通知丢失，以后按规定重发"),
    "lose_answers": Fault(SHARE, NOTICE, "商户已应答但微信没有收到，以后重发"),
    "duplicate_notifications": Fault(SHARE, NOTICE, "同一通知连发两次"),
    "reorder_notifications": Fault(FLAG, NOTICE, "先到的通知压到后一个之后发"),
    "delay_notifications_seconds": Fault(SECONDS, NOTICE, "第一次通知推迟若干秒"),
    "forge_notifications": Fault(SHARE, NOTICE, "每次发送之前，有人先发一份伪造的通知"),
    "paid_not_notified": Fault(FLAG, NOTICE, "已付款但从不通知"),
    "wrong_amount": Fault(FLAG, NOTICE, "通知里的金额多一分"),
    "signtest": Fault(SHARE, NOTICE, "签名探测：应答和每个通知的首发带错误签名"),
    "public_key_share": Fault(SHARE, NOTICE, "灰度切换：迁移中的商户，通知改用公钥签名的比例"),
    "rotated_key": Fault(FLAG, NOTICE, "微信支付换用新密钥签名"),
    "merchant_kind": Fault(
        TEXT, NOTICE, "商户变为：只有公钥、只有平台证书、迁移中", ("new", "old", "migrating")
    ),
    "server_error": Fault(SHARE, PAY, "500，未处理"),
    "server_error_after": Fault(SHARE, PAY, "500，其实已处理"),
    "too_many_requests": Fault(SHARE, PAY, "429 频率限制"),
    "slow_seconds": Fault(SECONDS, PAY, "应答推迟若干秒"),
    "only_path": Fault(TEXT, PAY, "以上四项只用于路径含此文字的请求"),
    "refund_outcome": Fault(TEXT, REFUND, "退款结果", ("SUCCESS", "ABNORMAL", "CLOSED", "PROCESSING")),
    "refund_seconds": Fault(SECONDS, REFUND, "退款到账所需秒数，不设为 1 秒"),
    "not_enough": Fault(SHARE, REFUND, "403 商户余额不足"),
    "bill_off_by_one": Fault(FLAG, BILL, "交易账单首行多一分，汇总与之一致"),
    "bill_row_off_by_one": Fault(FLAG, BILL, "交易账单首行多一分，汇总不变"),
    "bill_summary_off_by_one": Fault(FLAG, BILL, "交易账单汇总的订单总金额多一分，明细不变"),
    "bill_missing_row": Fault(FLAG, BILL, "交易账单缺最后一行，汇总与之一致"),
    "bill_extra_row": Fault(FLAG, BILL, "交易账单多一行商户没有的订单"),
    "bill_creating": Fault(FLAG, BILL, "账单仍在生成"),
    "bill_missing": Fault(FLAG, BILL, "当日有交易，却答账单不存在"),
    "bill_damaged": Fault(FLAG, BILL, "下载的账单与摘要不符"),
    "insurance_down": Fault(FLAG, INSURANCE, "医保授权查询和医保中心无应答（503）"),
    "insurance_slow_seconds": Fault(SECONDS, INSURANCE, "医保中心应答推迟若干秒"),
    "insurance_refuses": Fault(TEXT, INSURANCE, "医保预结算被拒，原因为此文字"),
    "insurance_pays": Fault(TEXT, INSURANCE, "医保支付比例", ("all", "none")),
    "insurance_split_off_by_one": Fault(FLAG, INSURANCE, "医保中心报的统筹金额多一分"),
    "insurance_settle_fails": Fault(FLAG, INSURANCE, "输入密码后医保结算失败，自费已扣"),
    "insurance_refuses_refund": Fault(TEXT, INSURANCE, "医保退费被拒，原因为此文字"),
    "insurance_refund_seconds": Fault(SECONDS, INSURANCE, "医保退费所需秒数"),
    "busy": Fault(SHARE, OPEN, "errcode -1 系统繁忙"),
    "revoke_token": Fault(FLAG, OPEN, "设置的一刻，已发的 access_token 全部失效"),
    "block_messages": Fault(SHARE, OPEN, "订阅消息被用户拒收 43101"),
}
Value = bool | float | str


class Faults:
    def __init__(self) -> None:
        self._set: dict[str, Value] = {}
        self._chance = random.SystemRandom()

    def replace(self, values: Mapping[str, object]) -> None:
        """Set exactly these, all others off. Raises BadField for an unknown name or a wrong value."""
        self._set = {name: _checked(name, value) for name, value in values.items()}

    def as_dict(self) -> dict[str, Value]:
        return dict(self._set)

    def on(self, name: str) -> bool:
        assert DECLARED[name].kind == FLAG
        return bool(self._set.get(name))

    def strikes(self, name: str) -> bool:
        """Whether it goes wrong this time."""
        assert DECLARED[name].kind == SHARE
        share = self._set.get(name, 0.0)
        return bool(share) and self._chance.random() < float(share)

    def seconds(self, name: str, default: float = 0.0) -> float:
        assert DECLARED[name].kind == SECONDS
        return float(self._set.get(name, default))

    def text(self, name: str) -> str:
        assert DECLARED[name].kind == TEXT
        return str(self._set.get(name, ""))

    async def delay(self) -> None:
        if (seconds := self.seconds("slow_seconds")) > 0:
            await asyncio.sleep(seconds)

    async def delay_insurance(self) -> None:
        if (seconds := self.seconds("insurance_slow_seconds")) > 0:
            await asyncio.sleep(seconds)


def _checked(name: str, value: object) -> Value:
    fault = DECLARED.get(name)
    if fault is None:
        raise BadField(name, f"unknown fault; known: {', '.join(sorted(DECLARED))}")
    if fault.kind == FLAG and isinstance(value, bool):
        return value
    if fault.kind == TEXT and isinstance(value, str) and (not fault.options or value in fault.options):
        return value
    if fault.kind == SHARE and isinstance(value, bool):
        return float(value)
    if fault.kind in {SHARE, SECONDS} and isinstance(value, int | float) and not isinstance(value, bool):
        if math.isfinite(value) and 0 <= value <= (1 if fault.kind == SHARE else math.inf):
            return float(value)
        raise BadField(name, "out of range")
    raise BadField(name, f"expected {' or '.join(fault.options) or fault.kind}")
