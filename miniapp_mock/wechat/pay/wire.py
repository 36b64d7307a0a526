"""Request bodies of Pay v3. An unknown field is refused, as WeChat Pay does (270924358)."""

from typing import Annotated

from msgspec import Meta, Struct, field

Fen = Annotated[int, Meta(ge=0, le=10**12)]
SomeFen = Annotated[int, Meta(ge=1, le=10**12)]


class Strict(Struct, forbid_unknown_fields=True):
    pass


class OrderAmount(Strict):
    total: SomeFen
    currency: str = "CNY"


class Payer(Strict):
    openid: Annotated[str, Meta(min_length=1, max_length=128)]


class Goods(Strict):
    merchant_goods_id: Annotated[str, Meta(min_length=1, max_length=32)]
    quantity: Annotated[int, Meta(ge=1)]
    unit_price: Fen
    wechatpay_goods_id: Annotated[str, Meta(max_length=32)] | None = None
    goods_name: Annotated[str, Meta(max_length=256)] | None = None


class Detail(Strict):
    cost_price: Fen | None = None
    invoice_id: Annotated[str, Meta(max_length=32)] | None = None
    goods_detail: list[Goods] | None = None


class Shop(Strict):
    id: Annotated[str, Meta(min_length=1, max_length=32)]
    name: Annotated[str, Meta(max_length=256)] | None = None
    area_code: Annotated[str, Meta(max_length=32)] | None = None
    address: Annotated[str, Meta(max_length=512)] | None = None


class Scene(Strict):
    payer_client_ip: Annotated[str, Meta(min_length=1, max_length=45)]
    device_id: Annotated[str, Meta(max_length=32)] | None = None
    store_info: Shop | None = None


class Settlement(Strict):
    profit_sharing: bool | None = None


class Order(Strict):
    """POST /v3/pay/transactions/jsapi."""

    appid: Annotated[str, Meta(min_length=1, max_length=32)]
    mchid: Annotated[str, Meta(min_length=1, max_length=32)]
    description: Annotated[str, Meta(min_length=1, max_length=127)]
    out_trade_no: Annotated[str, Meta(pattern=r"\A[0-9A-Za-z_\-*|]{6,32}\Z")]
    notify_url: Annotated[str, Meta(min_length=1, max_length=255)]
    amount: OrderAmount
    payer: Payer
    time_expire: Annotated[str, Meta(max_length=64)] | None = None
    attach: Annotated[str, Meta(max_length=128)] | None = None
    goods_tag: Annotated[str, Meta(max_length=32)] | None = None
    support_fapiao: bool | None = None
    detail: Detail | None = None
    scene_info: Scene | None = None
    settle_info: Settlement | None = None


class Close(Strict):
    mchid: Annotated[str, Meta(min_length=1, max_length=32)]


class Account(Strict):
    account: str
    amount: SomeFen


class RefundAmount(Strict):
    refund: SomeFen
    total: SomeFen
    currency: str
    sources: list[Account] | None = field(name="from", default=None)


class RefundGoods(Strict):
    merchant_goods_id: Annotated[str, Meta(min_length=1, max_length=32)]
    unit_price: Fen
    refund_amount: Fen
    refund_quantity: Annotated[int, Meta(ge=1)]
    wechatpay_goods_id: Annotated[str, Meta(max_length=32)] | None = None
    goods_name: Annotated[str, Meta(max_length=256)] | None = None


class Refund(Strict):
    """POST /v3/refund/domestic/refunds: one of `transaction_id` and `out_trade_no`."""

    out_refund_no: Annotated[str, Meta(pattern=r"\A[0-9A-Za-z_\-|*@]{1,64}\Z")]
    amount: RefundAmount
    transaction_id: Annotated[str, Meta(min_length=1, max_length=32)] | None = None
    out_trade_no: Annotated[str, Meta(min_length=1, max_length=32)] | None = None
    reason: Annotated[str, Meta(max_length=80)] | None = None
    notify_url: Annotated[str, Meta(min_length=1, max_length=255)] | None = None
    funds_account: str | None = None
    goods_detail: list[RefundGoods] | None = None


class AbnormalRefund(Strict):
    """POST …/refunds/{refund_id}/apply-abnormal-refund; account and name are encrypted with WeChat Pay's key."""

    out_refund_no: str
    type: str
    bank_type: str | None = None
    bank_account: Annotated[str, Meta(max_length=1024)] | None = None
    real_name: Annotated[str, Meta(max_length=1024)] | None = None
