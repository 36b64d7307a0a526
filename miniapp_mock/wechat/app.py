"""The mock as one ASGI application."""

import contextlib
from collections.abc import AsyncIterator
from importlib.resources import files

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount
from starlette.staticfiles import StaticFiles

from miniapp_mock.wechat import control
from miniapp_mock.wechat.console import pages as console
from miniapp_mock.wechat.faults import BadField
from miniapp_mock.wechat.med_ins import routes as med_ins
from miniapp_mock.wechat.mock import Mock
from miniapp_mock.wechat.open import routes as open_platform
from miniapp_mock.wechat.pay import routes as pay
from miniapp_mock.wechat.pay.worker import working
from miniapp_mock.wechat.phone import api, authorize, cashier, pages
from miniapp_mock.wechat.serving import BodyLimit


def create_app(mock: Mock) -> Starlette:
    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with working(mock):
            yield
        mock.store.close()

    routes: list[BaseRoute] = [
        *control.routes(mock.settings.env),
        *open_platform.routes(),
        *med_ins.routes(),
        *pay.routes(),
        *api.routes(),
        *authorize.routes(),
        *cashier.routes(),
        *pages.routes(),
        *console.routes(),
        Mount("/static", StaticFiles(directory=str(files("miniapp_mock.wechat") / "static"))),
    ]
    app = Starlette(
        routes=routes,
        middleware=[Middleware(BodyLimit)],
        exception_handlers={BadField: control.bad_field, HTTPException: _http_error},
        lifespan=lifespan,
    )
    app.state.mock = mock
    return app


async def _http_error(_: Request, problem: Exception) -> Response:
    assert isinstance(problem, HTTPException)
    code = {404: "NOT_FOUND", 405: "METHOD_NOT_ALLOWED"}.get(problem.status_code, "ERROR")
    return JSONResponse(
        {"code": code, "message": problem.detail}, status_code=problem.status_code, headers=problem.headers
    )
