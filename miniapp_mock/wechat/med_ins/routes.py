"""WeChat's paths for insurance, the phone's pages for it, and the bureau behind."""

from starlette.routing import Route

from miniapp_mock.wechat.med_ins import authorise, bureau_routes, cashier, orders, refunds
from miniapp_mock.wechat.pay.endpoint import Handle, endpoint

ORDERS = "/v3/med-ins/orders"
CALLS: list[tuple[str, str, Handle]] = [
    ("POST", ORDERS, orders.place),
    ("GET", f"{ORDERS}/mix-trade-no/{{mix_trade_no}}", orders.query_by_mix),
    ("GET", f"{ORDERS}/out-trade-no/{{out_trade_no}}", orders.query_by_number),
    ("POST", "/v3/med-ins/refunds/notify", refunds.notify),
]


def routes() -> list[Route]:
    """Before the payment interface's own, which answers every other `/v3/…` with 404."""
    calls = [Route(path, endpoint(handle), methods=[method]) for method, path, handle in CALLS]
    return [*calls, *authorise.routes(), *cashier.routes(), *bureau_routes.routes()]
