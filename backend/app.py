"""The API: every feature's endpoints, sockets, streams and callbacks in one application."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import cache
from itertools import chain
from socket import socket
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from backend.account import pages as account_pages
from backend.account import routes as account
from backend.account import service as accounts
from backend.adverse_event import pages as adverse_event_pages
from backend.adverse_event import routes as adverse_event
from backend.alarm import pages as alarm_pages
from backend.alarm import routes as alarm
from backend.appointment import routes as appointment
from backend.appraisal import pages as appraisal_pages
from backend.appraisal import routes as appraisal
from backend.cashier import pages as cashier_pages
from backend.cashier import routes as cashier
from backend.cds_hooks import routes as cds_hooks
from backend.chat import routes as chat
from backend.chat import sockets
from backend.complaint import pages as complaint_pages
from backend.complaint import routes as complaint
from backend.composition import open_context
from backend.consultation import routes as consultation
from backend.content import routes as content
from backend.context import Context
from backend.counter import pages as counter_pages
from backend.counter import routes as counter
from backend.desk.desk import Desk
from backend.dispensing import callbacks as courier_callbacks
from backend.dispensing import pages as dispensing_pages
from backend.dispensing import routes as dispensing
from backend.dosage import routes as dosage
from backend.e_bill import pages as e_bill_pages
from backend.e_bill import routes as e_bill
from backend.e_prescription import pages as e_prescription_pages
from backend.e_prescription import routes as e_prescription
from backend.edge import ApiEndpoint
from backend.eligibility import pages as eligibility_pages
from backend.eligibility import routes as eligibility
from backend.encounter import routes as encounter
from backend.encounter import streams
from backend.escalation import pages as escalation_pages
from backend.escalation import routes as escalation
from backend.evaluation import routes as evaluation
from backend.fairness import pages as fairness_pages
from backend.fairness import routes as fairness
from backend.fairness_report import routes as fairness_report
from backend.formulary import routes as formulary
from backend.hospital_hint import door as hospital_hints
from backend.imaging import routes as imaging
from backend.income import routes as income
from backend.inquiry import pages as inquiry_pages
from backend.inquiry import routes as inquiry
from backend.insurance import routes as insurance
from backend.kept_copy import pages as kept_copy_pages
from backend.kept_copy import routes as kept_copy
from backend.notification import pages as notification_pages
from backend.notification import routes as notification
from backend.papers import routes as papers
from backend.patient import routes as patient
from backend.payment import callbacks as payment_callbacks
from backend.payment import pages as payment_pages
from backend.payment import routes as payment
from backend.practitioner import routes as practitioner
from backend.prescription import pages as prescription_pages
from backend.prescription import routes as prescription
from backend.pricing import pages as pricing_pages
from backend.pricing import routes as pricing
from backend.reconciliation import pages as reconciliation_pages
from backend.reconciliation import routes as reconciliation
from backend.record import routes as record
from backend.rescheduling import pages as rescheduling_pages
from backend.rescheduling import routes as rescheduling
from backend.schedule import routes as schedule
from backend.settings import Settings
from backend.sheet import routes as sheet
from backend.shift import admission as shift_admission
from backend.shift import pages as shift_pages
from backend.shift import routes as shift
from backend.stock import pages as stock_pages
from backend.stock import routes as stock
from backend.supervision import pages as supervision_pages
from backend.supervision import routes as supervision
from backend.supervision.inspection_door import create_door
from backend.timetable import pages as timetable_pages
from backend.timetable import routes as timetable
from backend.video import pages as video_pages
from backend.video import routes as video
from backend.waiting import pages as waiting_pages
from backend.waiting import routes as waiting
from backend.waiting import streams as waiting_streams
from backend.writeback import pages as writeback_pages
from foundation.actor import NOBODY, Actor
from foundation.clock import Clock
from foundation.db.calls import Identify, runner
from foundation.logs import configure
from foundation.prefork import prefork
from foundation.server import listener, run, serve
from foundation.settings import load_or_exit
from foundation.tls import server_context
from foundation.web.endpoint import routes
from foundation.web.health import health_routes
from foundation.web.middleware import RequestId
from foundation.web.openapi import openapi
from foundation.web.problems import PROBLEM_HANDLERS

PREFIX = "/api/v1"
VERSION = "0.1.0"
FEATURES = (
    escalation, notification, consultation,
    account, alarm, patient, content, sheet, pricing, practitioner, shift, schedule, timetable, rescheduling, eligibility, fairness, appointment, payment, encounter, waiting,
    papers, chat, video, record, imaging, formulary, dosage, prescription, dispensing, stock, appraisal, e_prescription, evaluation, complaint, adverse_event, inquiry, counter, fairness_report, supervision, reconciliation, cashier, income, insurance, e_bill, kept_copy,
)  # fmt: skip
DESKS = (
    escalation_pages, notification_pages,
    prescription_pages, dispensing_pages, stock_pages, appraisal_pages, e_prescription_pages, payment_pages, cashier_pages, pricing_pages, reconciliation_pages, e_bill_pages, counter_pages, complaint_pages, adverse_event_pages, inquiry_pages, fairness_pages, waiting_pages, eligibility_pages, writeback_pages, alarm_pages, video_pages, supervision_pages, shift_pages,
    timetable_pages, rescheduling_pages, kept_copy_pages,
)  # fmt: skip
ENDPOINTS: list[ApiEndpoint] = list(chain.from_iterable(feature.ENDPOINTS for feature in FEATURES))


def identify(context: Context) -> Identify:
    """Who calls: the bearer token's session."""

    async def actor(request: Request) -> Actor:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            return NOBODY
        return await accounts.actor_of(context.db, token)

    return actor


def desk(context: Context) -> Desk:
    """Every feature's pages for the staff."""
    made = Desk(context, accounts.actor_of, shift_pages.frame)
    for feature in DESKS:
        made.pages += feature.PAGES
        made.actions += getattr(feature, "ACTIONS", [])
    return made


@cache
def _document() -> dict[str, Any]:
    """Made when somebody first asks: a start does not wait for it."""
    return openapi("互联网医院", VERSION, ENDPOINTS, PREFIX)


def create_app(context: Context) -> Starlette:
    """The application around an open context."""
    who = identify(context)
    desks = desk(context)

    async def show_openapi(_: Request) -> Response:
        return JSONResponse(_document())

    async def valkey() -> None:
        await context.redis.ping()

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        context.live.start()
        yield
        await context.live.stop()

    checks = {"database": context.db.ping, "valkey": valkey}
    table: list[BaseRoute] = [
        *routes(ENDPOINTS, runner(context, context.db, who, shift_admission.guard(context.db)), PREFIX),
        *streams.routes(context, who),
        *waiting_streams.routes(context, who),
        *sockets.routes(context),
        *payment_callbacks.routes(context),
        *courier_callbacks.routes(context),
        *cds_hooks.routes(context),
        *desks.routes([*account_pages.routes(desks), *video_pages.extra_routes(desks)]),
        *health_routes(checks, context.clock, context.settings.env),
        Route(f"{PREFIX}/openapi.json", show_openapi),
    ]
    return Starlette(
        routes=table,
        middleware=[Middleware(RequestId)],
        lifespan=lifespan,
        exception_handlers=PROBLEM_HANDLERS,
    )


async def _serve(settings: Settings, places: Sequence[socket]) -> None:
    async with open_context(settings, Clock(), "api") as context:
        doors = [listener(create_app(context), settings.host, settings.port, place=places[0])]
        if settings.supervision_port:
            inward = server_context(settings.tls_cert, settings.tls_key, settings.tls_root)
            door = create_door(context, hospital_hints.routes(context))
            doors.append(
                listener(door, settings.host, settings.supervision_port, tls=inward, place=places[1])
            )
        await serve(*doors)


def main() -> int:
    """`python -m backend api`."""
    settings = load_or_exit(Settings)
    configure("api", settings.log_level)
    ports = [settings.port, *([settings.supervision_port] if settings.supervision_port else [])]
    return prefork(settings.host, ports, settings.api_count(), lambda places: run(_serve(settings, places)))
