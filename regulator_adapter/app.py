"""The two listeners: `POST /events`, days and desk behind mTLS for the backend, health and figures on loopback for people and machines."""

from uuid import UUID

import msgspec
from sqlalchemy.exc import SQLAlchemyError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from contracts.envelope import Delivery, Received
from foundation.db.audit import audit_refusal
from foundation.db.unit_of_work import Database
from foundation.errors import AppError, Busy, Forbidden, Unavailable
from foundation.logs import log
from foundation.settings import Env
from foundation.web.health import health_routes
from foundation.web.parsing import decode, decode_query, read_body
from regulator_adapter.desk.door import Desk, day_routes
from regulator_adapter.figures import as_views, figures, show, submissions
from regulator_adapter.inbox import Inbox
from regulator_adapter.pump import Pump
from regulator_adapter.states import SubmissionState
from regulator_adapter.web import answer, application, caller

RELAY = frozenset({"relay"})
DELIVERY_BYTES = 8_000_000
"""A single event may be a whole drug catalogue."""


class SubmissionsQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One of them or both; without either the first of all."""

    event_id: UUID | None = None
    state: SubmissionState | None = None


def events_app(inbox: Inbox, pump: Pump, allowed: frozenset[str], desk: Desk | None = None) -> Starlette:
    """The listener for callers in `allowed` (URI identities of their certificates), and for the desk's own callers."""

    async def take(request: Request) -> Response:
        peer = caller(request, RELAY)
        try:
            if peer.name not in allowed:
                raise Forbidden
            delivery = decode(await read_body(request, DELIVERY_BYTES), Delivery)
            stored = await inbox.take(delivery.events)
        except AppError as error:
            log.warning("delivery_refused", caller=peer.name, code=error.code)
            if not isinstance(error, Busy):
                await audit_refusal(inbox.db, peer, "delivery.take", f"delivery:{peer.name[:80]}", error)
            raise
        except (OSError, SQLAlchemyError) as error:
            log.error("delivery_not_stored", error=type(error).__name__)
            raise Unavailable(retry_after=1) from error
        pump.arrived.set()
        return Response(msgspec.json.encode(Received(stored)), 202, media_type="application/json")

    routes = [Route("/events", take, methods=["POST"])]
    if desk is not None:
        routes += [*day_routes(inbox.db, desk.wanted, allowed), *desk.routes()]
    return application(routes)


def health_app(db: Database, env: Env) -> Starlette:
    """Health, metrics, figures and submissions; no personal data."""

    async def get_figures(_: Request) -> Response:
        counted = await figures(db)
        show(counted)
        return answer(counted)

    async def get_submissions(request: Request) -> Response:
        query = decode_query(request.query_params, SubmissionsQuery)
        return answer(as_views(await submissions(db, event_id=query.event_id, state=query.state)))

    return application(
        [
            *health_routes({"database": db.ping}, db.clock, env),
            Route("/figures", get_figures),
            Route("/submissions", get_submissions),
        ]
    )
