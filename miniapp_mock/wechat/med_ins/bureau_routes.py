"""`/bureau/v1/…`: the bureau's INVENTED interface over HTTP."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from miniapp_mock.wechat.med_ins import bureau, signed
from miniapp_mock.wechat.med_ins.bureau_wire import Claim, Refund
from miniapp_mock.wechat.mock import Mock, mock_of

Answer = Callable[[Mock, Request], Awaitable[Response]]
BASE = "/bureau/v1/settlements"


def routes() -> list[Route]:
    return [
        Route(BASE, _guarded(_presettle), methods=["POST"]),
        Route(f"{BASE}/{{pay_order_id}}", _guarded(_show)),
        Route(f"{BASE}/{{pay_order_id}}/revoke", _guarded(_revoke), methods=["POST"]),
        Route(f"{BASE}/{{pay_order_id}}/refunds", _guarded(_refund), methods=["POST"]),
        Route(f"{BASE}/{{pay_order_id}}/refunds/{{refund_no}}", _guarded(_show_refund)),
    ]


def _guarded(answer: Answer) -> Callable[[Request], Awaitable[Response]]:
    async def run(request: Request) -> Response:
        mock = mock_of(request)
        if mock.faults.on("insurance_down"):
            return JSONResponse({"code": "DOWN", "message": "医保系统暂不可用"}, 503)
        await mock.faults.delay_insurance()
        try:
            await signed.check(mock, request)
            return await answer(mock, request)
        except signed.Unsigned as problem:
            return JSONResponse({"code": problem.code}, 401)
        except bureau.Refused as problem:
            return JSONResponse({"code": problem.code, "message": problem.message}, problem.status)

    return run


async def _presettle(mock: Mock, request: Request) -> Response:
    claim = await signed.read(request, Claim)
    found, new = bureau.presettle(mock, claim, bureau.same_claim(await request.body()))
    return JSONResponse(found, 201 if new else 200)


async def _show(mock: Mock, request: Request) -> Response:
    return JSONResponse(bureau.described(mock, bureau.find(mock, request.path_params["pay_order_id"])))


async def _revoke(mock: Mock, request: Request) -> Response:
    return JSONResponse(bureau.revoke(mock, request.path_params["pay_order_id"]))


async def _refund(mock: Mock, request: Request) -> Response:
    asked = await signed.read(request, Refund)
    return JSONResponse(bureau.refund(mock, request.path_params["pay_order_id"], asked))


async def _show_refund(mock: Mock, request: Request) -> Response:
    path = request.path_params
    return JSONResponse(bureau.refund_of(mock, path["pay_order_id"], path["refund_no"]))
