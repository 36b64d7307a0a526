"""Routes of the desk, and of the days for the relay, on the listener behind mutual TLS."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from contracts import supervision_desk as wire
from contracts.days import ClosedDay, DaysWanted, Sent
from foundation.actor import Actor
from foundation.db.audit import audit_refusal
from foundation.db.unit_of_work import Database, unit_of_work
from foundation.errors import AppError, Busy, Forbidden
from foundation.web.parsing import decode, decode_query, path_id, read_body
from regulator_adapter.carrying import carry_over
from regulator_adapter.days import opening, service
from regulator_adapter.days.bundle import bundle_of
from regulator_adapter.days.closed import closed_through
from regulator_adapter.desk import reading
from regulator_adapter.desk.watching import Watch
from regulator_adapter.figures import glance
from regulator_adapter.pump import Pump
from regulator_adapter.resubmit import OPERATOR, resubmit, resubmit_code
from regulator_adapter.web import answer, caller, path_day

T = TypeVar("T")
DESK = frozenset({"desk"})
BODY = 10_000


class _Bundle(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which closed statement of the day; the newest unless it is named."""

    supplement: int | None = None


@dataclass(frozen=True)
class Desk:
    """`callers` may use the desk; `wanted` wakes the loop over the days."""

    db: Database
    days: service.Days
    wanted: asyncio.Event
    pump: Pump
    watch: Watch
    callers: frozenset[str]

    def routes(self) -> list[Route]:
        """Everything below `/desk`."""
        looks: dict[str, Callable[[Request], Awaitable[object]]] = {
            "/desk/overview": self.overview,
            "/desk/records": self.records,
            "/desk/records/{id}": self.record,
            "/desk/days": self.day_list,
            "/desk/days/{day}": self.day,
            "/desk/days/{day}/bundle": self.bundle,
            "/desk/connections": self.connections,
        }
        acts: dict[str, Callable[[Request], Awaitable[object]]] = {
            "/desk/records/{id}/resubmit": self.resubmit,
            "/desk/records/{id}/carry-over": self.carry_over,
            "/desk/resubmit-code": self.resubmit_code,
            "/desk/days/{day}/reconcile": self.reconcile,
            "/desk/days/{day}/restate": self.restate,
            "/desk/days/{day}/counts": self.count,
        }
        made = [Route(path, self._guarded(does), methods=["GET"]) for path, does in looks.items()]
        return made + [Route(path, self._guarded(does), methods=["POST"]) for path, does in acts.items()]

    def _guarded(
        self, does: Callable[[Request], Awaitable[object]]
    ) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            peer = caller(request, DESK)
            try:
                if peer.name not in self.callers:
                    raise Forbidden
                return answer(await does(request))
            except AppError as error:
                if not isinstance(error, Busy):
                    about = f"desk:{request.url.path[:70]}"
                    await audit_refusal(self.db, peer, f"desk.{does.__name__}", about, error)
                raise

        return endpoint

    async def overview(self, _: Request) -> wire.Overview:
        paused = {line.profile.name: line.gate.reason for line in self.pump.lines if line.gate.failures}
        seen = await reading.overview(self.db, self.pump.mapper.routing.profiles, paused)
        glance(seen)
        return seen

    async def records(self, request: Request) -> wire.Records:
        return await reading.records(self.db, decode_query(request.query_params, reading.RecordsQuery))

    async def record(self, request: Request) -> wire.RecordView:
        return await reading.record(self.db, path_id(request, "id"))

    async def day_list(self, _: Request) -> wire.DayList:
        return await reading.days(self.db)

    async def day(self, request: Request) -> wire.DayDetail:
        return await reading.day_detail(self.db, path_day(request))

    async def bundle(self, request: Request) -> object:
        wanted = decode_query(request.query_params, _Bundle)
        return await bundle_of(self.db, path_day(request), wanted.supplement)

    async def connections(self, _: Request) -> wire.Connections:
        return await self.watch.look()

    async def resubmit(self, request: Request) -> wire.RecordView:
        act, row_id = await _body(request, wire.Act), path_id(request, "id")
        await resubmit(self.db, row_id, _person(act.by), act.reason)
        self.pump.arrived.set()
        return await reading.record(self.db, row_id)

    async def resubmit_code(self, request: Request) -> wire.Moved:
        act = await _body(request, wire.ActOnCode)
        moved = await resubmit_code(self.db, act.code, _person(act.by), act.reason)
        self.pump.arrived.set()
        return wire.Moved(len(moved))

    async def carry_over(self, request: Request) -> wire.RecordView:
        act, row_id = await _body(request, wire.Act), path_id(request, "id")
        await carry_over(self.db, row_id, _person(act.by), act.reason)
        self.pump.carried.set()
        self.wanted.set()
        return await reading.record(self.db, row_id)

    async def reconcile(self, request: Request) -> wire.DayView:
        """Now, while the person waits."""
        act = await _body(request, wire.Act)
        await opening.open_days(self.db)
        return reading.day_view(await service.reconcile(self.days, path_day(request), _person(act.by)))

    async def restate(self, request: Request) -> wire.DayView:
        act = await _body(request, wire.Act)
        row = await opening.restate(self.db, path_day(request), _person(act.by), act.reason)
        self.wanted.set()
        return reading.day_view(row)

    async def count(self, request: Request) -> wire.DayDetail:
        day, act = path_day(request), await _body(request, wire.CountEntered)
        await service.enter_count(
            self.db, day, service.Count(act.profile, act.method, act.count, act.duplicates), _person(act.by)
        )
        self.wanted.set()
        return await reading.day_detail(self.db, day)


def day_routes(db: Database, wanted: asyncio.Event, allowed: frozenset[str]) -> list[Route]:
    """For the backend's worker: which days want to hear what was sent, and whether a day is closed."""

    def guarded(does: Callable[[Request], Awaitable[object]]) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            if caller(request, frozenset()).name not in allowed:
                raise Forbidden
            return answer(await does(request))

        return endpoint

    async def list_wanted(_: Request) -> DaysWanted:
        await opening.open_days(db)
        async with unit_of_work(db) as session:
            days = [row.day for row in await opening.unclosed(session)]
            return DaysWanted(days, await opening.closed_days(session))

    async def closed(request: Request) -> ClosedDay:
        day = path_day(request)
        async with unit_of_work(db) as session:
            row = await opening.latest(session, day)
            through = await closed_through(session, day)
        return ClosedDay(day, row.state.value if row else "", through, row.closed_at if row else None)

    async def heard(request: Request) -> object:
        sent = await _body(request, Sent)
        await opening.open_days(db)
        told = await service.hear(db, path_day(request), sent)
        if not told.missing:
            wanted.set()
        return told

    return [
        Route("/days/wanted", guarded(list_wanted), methods=["GET"]),
        Route("/days/{day}", guarded(closed), methods=["GET"]),
        Route("/days/{day}/sent", guarded(heard), methods=["POST"]),
    ]


async def _body(request: Request, kind: type[T]) -> T:
    return decode(await read_body(request, BODY), kind)


def _person(by: wire.Person) -> Actor:
    return Actor("staff", by.id, OPERATOR, by.name)
