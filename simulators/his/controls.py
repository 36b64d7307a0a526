"""The hospital's test controls on the health port: what was written back, resources planted by hand, canaries."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulators.his import canaries as marks
from simulators.his import window
from simulators.his.hospital import Hospital
from simulators.his.moments import instant
from simulators.his.parameters import PARAMETERS
from simulators.server import BadField, error, read_object


def routes(hospital: Hospital) -> list[Route]:
    async def received(request: Request) -> Response:
        """`?type=MedicationRequest&after=<sequence>`."""
        if not hospital.ready:
            return error(503, "NOT_READY")
        after = request.query_params.get("after", "0")
        if not (after.isascii() and after.isdigit()):
            raise BadField("after", "expected a number")
        return JSONResponse(hospital.store.received(request.query_params.get("type", ""), int(after[:12])))

    async def plant(request: Request) -> Response:
        """One resource of the hospital's own, new or in place of the one with its id; nothing is checked but type and id."""
        if not hospital.ready:
            return error(503, "NOT_READY")
        resource = await read_object(request)
        kind, name = resource.get("resourceType"), resource.get("id")
        if kind not in PARAMETERS:
            raise BadField("resourceType", "unknown")
        if not isinstance(name, str) or not name:
            raise BadField("id", "expected a text")
        before = hospital.store.get(kind, name)
        now = instant(hospital.clock.now())
        stored = (
            hospital.store.add(resource, now, own=True)
            if before is None
            else hospital.store.replace(before, resource, now, own=True)
        )
        return JSONResponse({"version": stored.version}, 201 if before is None else 200)

    async def canaries(_: Request) -> Response:
        return JSONResponse(
            [
                {"token": one.token, "resident": one.resident, "place": one.place}
                for one in hospital.canaries()
            ]
        )

    return [
        Route("/_test/received", received),
        Route("/_test/resources", plant, methods=["PUT"]),
        Route("/_test/canaries", canaries, methods=["GET"]),
        *marks.routes(hospital),
        Route("/_test/window-charges", _window(hospital), methods=["POST"]),
    ]


def _window(hospital: Hospital) -> Callable[[Request], Awaitable[Response]]:
    async def window_charge(request: Request) -> Response:
        """`{patient, appointment, kind, fen[, prescription]}`: a clerk charges this fee; 409 `LOCKED` or `CHARGED` when it cannot be."""
        if not hospital.ready:
            return error(503, "NOT_READY")
        asked = await read_object(request)
        for name in ("patient", "appointment", "kind"):
            if not isinstance(asked.get(name), str) or not asked[name]:
                raise BadField(name, "expected a text")
        fen = asked.get("fen")
        if not isinstance(fen, int) or isinstance(fen, bool) or fen <= 0:
            raise BadField("fen", "expected a positive number")
        fee = (asked["appointment"], asked["kind"], str(asked.get("prescription", "")))
        told = window.charge_at_the_window(hospital.store, hospital.clock, asked["patient"], fee, fen)
        return error(409, told.upper()) if told else JSONResponse({}, 201)

    return window_charge
