"""The courier as one ASGI application: API, operator's page, callbacks."""

import contextlib
from collections.abc import AsyncIterator

from starlette.applications import Starlette
from starlette.middleware import Middleware

from simulators import signed
from simulators.courier.api import api_routes
from simulators.courier.callbacks import Callbacks
from simulators.courier.operator_page import operator_routes
from simulators.courier.service import Courier
from simulators.courier.settings import Settings
from simulators.courier.store import Store
from simulators.server import BodyLimit, Clock, Faults, control_routes, exception_handlers


def declared_faults() -> Faults:
    return Faults(
        down=bool,
        slow_seconds=float,
        lose_callbacks=bool,
        double_callbacks=bool,
        delay_seconds=float,
        wrong_signature=bool,
        reorder=bool,
    )


def create_app(settings: Settings, clock: Clock, faults: Faults) -> Starlette:
    store = Store(settings.data)
    callbacks = Callbacks(settings, store, clock, faults)
    courier = Courier(store, clock, faults, callbacks.wake)
    customer = signed.AppKey(settings.app_key, settings.secret, clock)

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with callbacks.running(courier):
            yield
        store.close()

    return Starlette(
        routes=[
            *api_routes(courier, store, customer, faults),
            *operator_routes(courier, store, clock),
            *control_routes(settings.common.env, clock, faults),
        ],
        middleware=[Middleware(BodyLimit)],
        exception_handlers={
            **exception_handlers(),
            signed.Unsigned: signed.unsigned_handler,
            signed.Refused: signed.refused_handler,
        },
        lifespan=lifespan,
    )
