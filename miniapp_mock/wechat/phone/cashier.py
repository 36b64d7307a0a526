"""The cashier: a sheet over the merchant's page, with the amount, a button to pay and one to leave."""

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from miniapp_mock.wechat.mock import Mock, mock_of
from miniapp_mock.wechat.pay import paying
from miniapp_mock.wechat.phone.api import CANCELLED, OK
from miniapp_mock.wechat.phone.owner import current
from miniapp_mock.wechat.phone.screen import (
    choose_first,
    front_address,
    go,
    read_form,
    refuse,
    show,
    with_query,
)

SIGNED = ("appId", "timeStamp", "nonceStr", "signType", "paySign")


def routes() -> list[Route]:
    return [
        Route("/cashier/{prepay_id}", _cashier, methods=["GET"]),
        Route("/cashier/{prepay_id}", _decide, methods=["POST"]),
    ]


async def _cashier(request: Request) -> Response:
    mock, prepay_id = mock_of(request), request.path_params["prepay_id"]
    back = front_address(mock, request.query_params.get("return", ""))
    if back is None:
        return refuse(request, "收银台的返回地址不属于本小程序")
    person = current(request)
    if person is None:
        return choose_first(request)
    problem, order = "", None
    try:
        order = paying.order_of(mock, prepay_id)
        _check_signature(mock, prepay_id, request.query_params)
        paying.check_payable(mock, prepay_id, person.openid)
    except paying.CannotPay as refusal:
        problem = str(refusal)
    return show(
        request,
        "cashier.html",
        prepay_id=prepay_id,
        order=order,
        person=person,
        problem=problem,
        repeated=order is not None and not problem and paying.looks_like_a_repeat(mock, order),
        back=back,
        leave=with_query(back, result=f"requestPayment:fail {problem}"),
        here=f"{request.url.path}?{request.url.query}",
        signed={name: request.query_params[name] for name in SIGNED if name in request.query_params},
    )


async def _decide(request: Request) -> Response:
    """The form: `decision` pay or cancel; back to the merchant with `result`, as `wx.requestPayment` says it."""
    mock, prepay_id = mock_of(request), request.path_params["prepay_id"]
    form = {name: values[0] for name, values in (await read_form(request)).items()}
    back = front_address(mock, form.get("return", ""))
    if back is None:
        return refuse(request, "收银台的返回地址不属于本小程序")
    person = current(request)
    if person is None:
        return refuse(request, "请先选择一部手机")
    if form.get("decision") != "pay":
        return go(with_query(back, result=CANCELLED))
    try:
        _check_signature(mock, prepay_id, form)
        paying.pay(mock, prepay_id, person.openid)
    except paying.CannotPay as problem:
        return go(with_query(back, result=f"requestPayment:fail {problem}"))
    return go(with_query(back, result=OK))


def _check_signature(mock: Mock, prepay_id: str, values: Mapping[str, str]) -> None:
    """A page that hands over WeChat's five values is held to them; `return` alone is enough for a link."""
    if not any(name in values for name in SIGNED):
        return
    paying.check_invocation(
        mock,
        paying.Invocation(
            app_id=values.get("appId") or mock.settings.appid,
            time_stamp=values.get("timeStamp", ""),
            nonce_str=values.get("nonceStr", ""),
            package=f"prepay_id={prepay_id}",
            sign_type=values.get("signType", "RSA"),
            pay_sign=values.get("paySign", ""),
        ),
    )
