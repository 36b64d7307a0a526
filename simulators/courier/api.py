"""The signed API of docs/counterparts.md."""

import functools
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulators import signed
from simulators.courier.service import Courier
from simulators.courier.store import Shipment, Store
from simulators.courier.wire import NewShipment
from simulators.server import Faults, error


def api_routes(courier: Courier, store: Store, customer: signed.AppKey, faults: Faults) -> list[Route]:
    async def create(request: Request) -> Response:
        shipment, new = courier.accept(await signed.read(request, NewShipment))
        return JSONResponse(_head(shipment), status_code=201 if new else 200)

    async def show(request: Request) -> Response:
        return JSONResponse(with_events(courier.find(request.path_params["waybill"]), store))

    async def cancel(request: Request) -> Response:
        return JSONResponse(_head(courier.cancel(request.path_params["waybill"])))

    def route(path: str, endpoint: signed.Endpoint, method: str) -> Route:
        return Route(path, _guard(customer.protect(endpoint), faults), methods=[method])

    return [
        route("/v1/shipments", create, "POST"),
        route("/v1/shipments/{waybill}", show, "GET"),
        route("/v1/shipments/{waybill}/cancel", cancel, "POST"),
    ]


def _guard(endpoint: signed.Endpoint, faults: Faults) -> signed.Endpoint:
    @functools.wraps(endpoint)
    async def guarded(request: Request) -> Response:
        if faults.on("down"):
            return error(503, "DOWN", "服务暂不可用")
        await faults.delay()
        return await endpoint(request)

    return guarded


def _head(shipment: Shipment) -> dict[str, Any]:
    return {
        "waybill": shipment.waybill,
        "order_number": shipment.order_number,
        "status": shipment.status,
    }


def with_events(shipment: Shipment, store: Store) -> dict[str, Any]:
    events = [msgspec.to_builtins(row.event) for row in store.events(shipment.waybill)]
    return {**_head(shipment), "events": events}
