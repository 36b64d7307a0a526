"""`/cds-services`: discovery is open, everything else needs a token of a known caller."""

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from backend.cds_hooks import service, trust
from backend.cds_hooks.wire import FeedbackRequest, HookRequest
from backend.context import Context
from backend.review.draft import Circumstances
from foundation.db.unit_of_work import unit_of_work
from foundation.errors import Invalid, Issue
from foundation.web.parsing import decode, read_body

PATH = "/cds-services"
MOST_BYTES = 512_000
JSON = "application/json"


def routes(context: Context) -> list[Route]:
    """The routes over an open context; the callers' keys are read once."""
    known = trust.load(context.settings.cds_clients)
    base = context.settings.cds_url.rstrip("/")

    async def issuer(request: Request, path: str) -> str:
        header = request.headers.get("authorization", "")
        return await trust.caller(header, f"{base}{path}", known, context.clock, context.redis)

    async def discover(_: Request) -> Response:
        return JSONResponse(service.discovery())

    async def call(request: Request) -> Response:
        name = request.path_params["name"]
        who = await issuer(request, f"{PATH}/{name}")
        asked = service.service(name)
        body = decode(await read_body(request, MOST_BYTES), HookRequest)
        at = Circumstances(context.settings.review_retail_ban)
        async with unit_of_work(context.db) as session:
            found = await service.answer(session, asked, body, who, at, context.clock.today())
        return Response(msgspec.json.encode(found), media_type=JSON)

    async def feedback(request: Request) -> Response:
        name = request.path_params["name"]
        who = await issuer(request, f"{PATH}/{name}/feedback")
        asked = service.service(name)
        told = decode(await read_body(request, MOST_BYTES), FeedbackRequest)
        wrong = [
            Issue(f"feedback.{place}.outcomeTimestamp", "no_zone", "时间须带时区")
            for place, one in enumerate(told.feedback)
            if one.outcome_timestamp.tzinfo is None
        ] + [
            Issue(f"feedback.{place}.overrideReason", "not_overridden", "只有未采纳的卡片才有理由")
            for place, one in enumerate(told.feedback)
            if one.outcome == "accepted" and one.override_reason is not None
        ]
        if wrong:
            raise Invalid(issues=wrong)
        async with unit_of_work(context.db) as session:
            await service.keep(session, asked, who, told)
        return Response(b"{}", media_type=JSON)

    return [
        Route(PATH, discover, methods=["GET"]),
        Route(f"{PATH}/{{name}}", call, methods=["POST"]),
        Route(f"{PATH}/{{name}}/feedback", feedback, methods=["POST"]),
    ]
