"""The insurance cashier: the split, the six dots of a password, one button. And the same as a JSON call."""

from collections.abc import Mapping
from typing import Annotated

from msgspec import Meta, Struct
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from miniapp_mock.wechat.med_ins import paying
from miniapp_mock.wechat.med_ins.signed import read
from miniapp_mock.wechat.mock import Mock, mock_of
from miniapp_mock.wechat.pay.paying import CannotPay, Invocation
from miniapp_mock.wechat.phone.owner import current, owner
from miniapp_mock.wechat.phone.screen import (
    choose_first,
    front_address,
    go,
    read_form,
    refuse,
    show,
    with_query,
)

OK, CANCELLED = "requestMedicalInsurancePay:ok", "requestMedicalInsurancePay:fail cancel"
SIGNED = ("appId", "timeStamp", "nonceStr", "package", "signType", "paySign")


class Pay(Struct, forbid_unknown_fields=True):
    """What `wx.requestMedicalInsurancePay` takes."""

    mixTradeNo: Annotated[str, Meta(min_length=1, max_length=256)]  # noqa: N815
    timeStamp: str = ""  # noqa: N815
    nonceStr: str = ""  # noqa: N815
    package: str = ""
    signType: str = ""  # noqa: N815
    paySign: str = ""  # noqa: N815
    appId: str = ""  # noqa: N815
    cancel: bool = False


def routes() -> list[Route]:
    return [
        Route("/phone/{openid}/med-ins-pay", _by_thumb, methods=["POST"]),
        Route("/med-ins-cashier/{mix_trade_no}", _cashier, methods=["GET"]),
        Route("/med-ins-cashier/{mix_trade_no}", _decide, methods=["POST"]),
    ]


async def _by_thumb(request: Request) -> Response:
    mock, person = mock_of(request), owner(request)
    asked = await read(request, Pay)
    if asked.cancel:
        return JSONResponse({"result": CANCELLED})
    values = {name: getattr(asked, name) for name in SIGNED}
    try:
        paying.check_invocation(
            mock, paying.bill(mock, asked.mixTradeNo, person.openid), _invocation(mock, values)
        )
        paying.pay(mock, asked.mixTradeNo, person.openid)
    except CannotPay as problem:
        return JSONResponse({"result": f"requestMedicalInsurancePay:fail {problem}"})
    return JSONResponse({"result": OK})


async def _cashier(request: Request) -> Response:
    mock, number = mock_of(request), request.path_params["mix_trade_no"]
    back = front_address(mock, request.query_params.get("return", ""))
    if back is None:
        return refuse(request, "收银台的返回地址不属于本小程序")
    person = current(request)
    if person is None:
        return choose_first(request)
    problem, found = "", None
    try:
        found = paying.bill(mock, number, person.openid)
        paying.check_invocation(mock, found, _invocation(mock, request.query_params))
    except CannotPay as refusal:
        problem = str(refusal)
    return show(
        request, "insurance_cashier.html", number=number, order=found.order if found else None, person=person,
        problem=problem, back=back, leave=with_query(back, result=f"requestMedicalInsurancePay:fail {problem}"),
        signed={name: request.query_params[name] for name in SIGNED if name in request.query_params},
        insured=mock.insured.get(person.openid), here=f"{request.url.path}?{request.url.query}",
    )  # fmt: skip


async def _decide(request: Request) -> Response:
    """Back to the merchant with `result`: a hint, the query decides."""
    mock, number = mock_of(request), request.path_params["mix_trade_no"]
    form = {name: values[0] for name, values in (await read_form(request)).items()}
    back, person = front_address(mock, form.get("return", "")), current(request)
    if back is None or person is None:
        return refuse(request, "请从医院页面重新进入")
    if form.get("decision") != "pay":
        return go(with_query(back, result=CANCELLED))
    try:
        paying.check_invocation(mock, paying.bill(mock, number, person.openid), _invocation(mock, form))
        paying.pay(mock, number, person.openid)
    except CannotPay as problem:
        return go(with_query(back, result=f"requestMedicalInsurancePay:fail {problem}"))
    return go(with_query(back, result=OK))


def _invocation(mock: Mock, values: Mapping[str, str]) -> Invocation | None:
    """The signed values of the cash part; None when there are none."""
    if not any(values.get(name) for name in SIGNED):
        return None
    return Invocation(
        app_id=values.get("appId") or mock.settings.appid, time_stamp=values.get("timeStamp", ""),
        nonce_str=values.get("nonceStr", ""), package=values.get("package", ""),
        sign_type=values.get("signType", ""), pay_sign=values.get("paySign", ""),
    )  # fmt: skip
