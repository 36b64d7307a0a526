"""Request bodies of `/v3/med-ins/*`. An unknown field is refused, as everywhere in Pay v3."""

from typing import Annotated

from msgspec import Meta

from miniapp_mock.wechat.pay.wire import Fen, SomeFen, Strict

Short = Annotated[str, Meta(min_length=1, max_length=32)]


class Identified(Strict):
    """`name` and `id_digest` are encrypted with WeChat Pay's key; `card_type` is not."""

    name: Annotated[str, Meta(min_length=1, max_length=1024)]
    id_digest: Annotated[str, Meta(min_length=1, max_length=1024)]
    card_type: Annotated[str, Meta(min_length=1, max_length=64)]


class CashAdded(Strict):
    cash_add_fee: SomeFen
    cash_add_type: str


class CashReduced(Strict):
    cash_reduce_fee: SomeFen
    cash_reduce_type: str


class Order(Strict):
    """POST /v3/med-ins/orders."""

    mix_pay_type: str
    order_type: str
    appid: Short
    openid: Annotated[str, Meta(min_length=1, max_length=128)]
    payer: Identified
    out_trade_no: Annotated[str, Meta(pattern=r"\A[0-9A-Za-z_\-*|]{6,64}\Z")]
    serial_no: Annotated[str, Meta(min_length=1, max_length=20)]
    city_id: Annotated[str, Meta(min_length=1, max_length=8)]
    med_inst_name: Annotated[str, Meta(min_length=1, max_length=128)]
    med_inst_no: Short
    total_fee: SomeFen
    callback_url: Annotated[str, Meta(min_length=1, max_length=256)]
    pay_for_relatives: bool = False
    relative: Identified | None = None
    pay_order_id: Annotated[str, Meta(max_length=64)] | None = None
    pay_auth_no: Annotated[str, Meta(max_length=40)] | None = None
    geo_location: Annotated[str, Meta(pattern=r"\A-?\d{1,3}\.\d+,-?\d{1,2}\.\d+\Z")] | None = None
    med_ins_order_create_time: Annotated[str, Meta(max_length=64)] | None = None
    med_ins_gov_fee: Fen | None = None
    med_ins_self_fee: Fen | None = None
    med_ins_other_fee: Fen | None = None
    med_ins_cash_fee: Fen | None = None
    wechat_pay_cash_fee: Fen | None = None
    cash_add_detail: list[CashAdded] | None = None
    cash_reduce_detail: list[CashReduced] | None = None
    prepay_id: Annotated[str, Meta(max_length=64)] | None = None
    passthrough_request_content: Annotated[str, Meta(max_length=2048)] | None = None
    extends: Annotated[str, Meta(max_length=2048)] | None = None
    attach: Annotated[str, Meta(max_length=128)] | None = None
    channel_no: Annotated[str, Meta(max_length=32)] | None = None
    med_ins_test_env: bool | None = None

    @property
    def added(self) -> int:
        return sum(one.cash_add_fee for one in self.cash_add_detail or ())

    @property
    def reduced(self) -> int:
        return sum(one.cash_reduce_fee for one in self.cash_reduce_detail or ())

    @property
    def insurance(self) -> int:
        """What the insurance pays."""
        return (self.med_ins_gov_fee or 0) + (self.med_ins_self_fee or 0) + (self.med_ins_other_fee or 0)


class RefundNotice(Strict):
    """POST /v3/med-ins/refunds/notify?mix_trade_no=: the merchant tells WeChat, not the other way round."""

    med_refund_total_fee: Fen
    med_refund_gov_fee: Fen
    med_refund_self_fee: Fen
    med_refund_other_fee: Fen
    refund_time: Annotated[str, Meta(min_length=1, max_length=64)]
    out_refund_no: Annotated[str, Meta(pattern=r"\A[0-9A-Za-z_\-|*@]{1,64}\Z")]
