"""WeChat Pay's own paths on api.mch.weixin.qq.com."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from miniapp_mock.wechat.pay import bills, certificates, orders, refunds
from miniapp_mock.wechat.pay.endpoint import JSON, Handle, encode, endpoint

ORDERS = "/v3/pay/transactions"
REFUNDS = "/v3/refund/domestic/refunds"
CALLS: list[tuple[str, str, Handle]] = [
    ("POST", f"{ORDERS}/jsapi", orders.place),
    ("GET", f"{ORDERS}/out-trade-no/{{out_trade_no}}", orders.query_by_number),
    ("GET", f"{ORDERS}/id/{{transaction_id}}", orders.query_by_transaction),
    ("POST", f"{ORDERS}/out-trade-no/{{out_trade_no}}/close", orders.close),
    ("POST", REFUNDS, refunds.apply),
    ("GET", f"{REFUNDS}/{{out_refund_no}}", refunds.query),
    ("POST", f"{REFUNDS}/{{refund_id}}/apply-abnormal-refund", refunds.apply_abnormal),
    ("GET", "/v3/bill/tradebill", bills.request_trade_bill),
    ("GET", "/v3/bill/fundflowbill", bills.request_fund_flow_bill),
    ("GET", "/v3/billdownload/file", bills.download),
    ("GET", "/v3/certificates", certificates.list_certificates),
]


async def _unknown(_: Request) -> Response:
    body = encode({"code": "RESOURCE_NOT_EXISTS", "message": "请求的资源不存在"})
    return Response(body, status_code=404, media_type=JSON)


def routes() -> list[Route]:
    known = [Route(path, endpoint(handle), methods=[method]) for method, path, handle in CALLS]
    return [*known, Route("/v3/{rest:path}", _unknown, methods=["GET", "POST", "PUT", "PATCH", "DELETE"])]
