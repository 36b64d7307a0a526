"""Test controls on the health port: what the hospital has, as its own staff would look it up."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulators.his_soap.hospital import Hospital
from simulators.server import BadField, error


def routes(hospital: Hospital) -> list[Route]:
    async def entries(request: Request) -> Response:
        """`?kind=visit` and one of `outer`, `key`, `number`."""
        if not hospital.ready:
            return error(503, "NOT_READY")
        given = request.query_params
        kind, store = given.get("kind", ""), hospital.store
        if "outer" in given:
            found = store.by_outer(kind, given["outer"])
        elif "key" in given:
            found = store.by_key(kind, given["key"])
        elif "number" in given:
            found = [one for one in [store.get(kind, given["number"])] if one]
        else:
            raise BadField("kind", "name what to look up by")
        return JSONResponse([one.body for one in found])

    async def canaries(_: Request) -> Response:
        return JSONResponse(
            [
                {"token": one.token, "resident": one.resident, "place": one.place}
                for one in hospital.canaries()
            ]
        )

    return [Route("/_test/entries", entries), Route("/_test/canaries", canaries)]
