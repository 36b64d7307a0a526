"""The supervision desk's JSON routes: what the adapter knows, what a person decides. Each decision is written down here and there."""

from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import msgspec
from starlette.responses import Response

from backend.edge import ADMIN, QUALITY, ApiCall, ApiEndpoint, Family
from contracts import supervision_desk as wire
from foundation.certificates import Knock, Seen, knock, seen_in
from foundation.db.audit import audit
from foundation.errors import NotFound
from foundation.web.endpoint import get, send

NAME = Annotated[str, msgspec.Meta(min_length=1, max_length=60)]


class Why(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why this is done; it stands in the audit trail."""

    reason: wire.Reason


class WhyCode(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All records under one reply code, and why."""

    code: Annotated[str, msgspec.Meta(min_length=1, max_length=40)]
    reason: wire.Reason


class EnterCount(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the platform's page shows of one kind of record; `duplicates` of `count` are stored twice there."""

    profile: Annotated[str, msgspec.Meta(min_length=1, max_length=40)]
    method: Annotated[str, msgspec.Meta(min_length=1, max_length=60)]
    count: wire.Count
    duplicates: wire.Count = 0


class RecordsQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`show`: `waiting` for people, `open` on the way, `carried` over, `all`; of one day, of one kind."""

    show: str = "waiting"
    day: date | None = None
    method: NAME | None = None


class BundleQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which closed statement of the day; the newest unless it is named."""

    supplement: Annotated[int, msgspec.Meta(ge=0, le=10_000)] | None = None


async def overview(call: ApiCall) -> wire.Overview:
    """The feed as the adapter sees it."""
    return await call.app.adapter.overview()


async def records(call: ApiCall) -> wire.Records:
    """Records that wait, without their content."""
    wanted: RecordsQuery = call.query
    query = {"show": wanted.show}
    if wanted.day is not None:
        query["day"] = wanted.day.isoformat()
    if wanted.method is not None:
        query["method"] = wanted.method
    return await call.app.adapter.records(**query)


async def resubmit(call: ApiCall, body: Why) -> wire.RecordView:
    """Send a rejected or parked record again; what was missing was put right in the system it comes from."""
    row_id = call.id()
    await _note(call, "submission.resubmit", row_id, body.reason)
    return await call.app.adapter.resubmit(row_id, wire.Act(_by(call), body.reason))


async def resubmit_code(call: ApiCall, body: WhyCode) -> wire.Moved:
    """Send all again that wait under one reply code."""
    await _note(call, "submission.resubmit", body.code, body.reason)
    return await call.app.adapter.resubmit_code(wire.ActOnCode(_by(call), body.reason, body.code))


async def carry_over(call: ApiCall, body: Why) -> wire.RecordView:
    """Let a day close without a record that cannot go; it stays visible."""
    row_id = call.id()
    await _note(call, "submission.carry_over", row_id, body.reason)
    return await call.app.adapter.carry_over(row_id, wire.Act(_by(call), body.reason))


async def days(call: ApiCall) -> wire.DayList:
    """Days, newest first."""
    return await call.app.adapter.days()


async def show_day(call: ApiCall) -> wire.DayDetail:
    """One day: both sides' counts, what differs, who carried what over."""
    return await call.app.adapter.day(day_of(call))


async def reconcile(call: ApiCall, body: Why) -> wire.DayView:
    """Compare a day with the platform now."""
    day = day_of(call)
    await _note(call, "statement.reconcile", day, body.reason)
    return await call.app.adapter.reconcile(day, wire.Act(_by(call), body.reason))


async def restate(call: ApiCall, body: Why) -> wire.DayView:
    """Look at a closed day again, in a supplement."""
    day = day_of(call)
    await _note(call, "statement.restate", day, body.reason)
    return await call.app.adapter.restate(day, wire.Act(_by(call), body.reason))


async def enter_count(call: ApiCall, body: EnterCount) -> wire.DayDetail:
    """A person read this from the page of a platform that cannot be asked."""
    day = day_of(call)
    await _note(call, "statement.count", day, f"{body.method} {body.count} ({body.duplicates})")
    entered = wire.CountEntered(_by(call), body.profile, body.method, body.count, body.duplicates)
    return await call.app.adapter.enter_count(day, entered)


async def bundle(call: ApiCall) -> Response:
    """The proof of a closed day as a file, for `python -m regulator_adapter verify --bundle`."""
    day = day_of(call)
    wanted: BundleQuery = call.query
    await _note(call, "statement.export", day, "")
    name = f'attachment; filename="supervision-{day.isoformat()}.json"'
    headers = {"content-disposition": name, "cache-control": "no-store"}
    return Response(await call.app.adapter.bundle(day, wanted.supplement), 200, headers, "application/json")


async def connections(call: ApiCall) -> wire.Connections:
    """Certificates and neighbours, ours and the adapter's. Without the adapter there are still ours."""
    settings, now, tls = call.app.settings, call.clock.now(), call.app.adapter.tls
    adapter = await knock(settings.adapter_url, tls)
    own = [_of_file("平台后端（对前置机和上报适配器）", settings.tls_cert, now)]
    gateways = [await knock(url, tls) for url in settings.gateway_urls]
    near = [("上报适配器", adapter), *((f"前置机 {at}（后端看）", one) for at, one in enumerate(gateways, 1))]
    own += [_certificate(what, one, now) for what, one in near if one.certificate is not None]
    reached = [
        wire.Reach(what, one.address, one.reachable, one.milliseconds, one.problem) for what, one in near
    ]
    if not adapter.reachable:
        return wire.Connections(now, own, reached, None, None, None)
    theirs = await call.app.adapter.connections()
    return msgspec.structs.replace(
        theirs, certificates=[*own, *theirs.certificates], neighbours=[*reached, *theirs.neighbours]
    )


def day_of(call: ApiCall) -> date:
    """The day in the path; `NotFound` when it is none."""
    try:
        return date.fromisoformat(call.request.path_params["day"])
    except ValueError:
        raise NotFound from None


def _by(call: ApiCall) -> wire.Person:
    actor = call.actor
    if actor.id is None:
        raise NotFound
    return wire.Person(actor.id, actor.name[:60] or "工作人员")


async def _note(call: ApiCall, action: str, about: object, reason: str) -> None:
    """Who wanted what and why, before it is asked of the adapter."""
    async with call.unit_of_work() as session:
        kind = action.partition(".")[0]
        audit(session, call.actor, action, kind, str(about), detail={"reason": reason} if reason else None)


def _of_file(what: str, path: Path, now: datetime) -> wire.CertificateView:
    try:
        one = seen_in(path)
    except (OSError, ValueError) as error:
        return wire.CertificateView(
            what, "", "", "", None, None, f"证书文件不能读取（{type(error).__name__}）"
        )
    return _view(what, one, now)


def _certificate(what: str, one: Knock, now: datetime) -> wire.CertificateView:
    assert one.certificate is not None
    return _view(what, one.certificate, now)


def _view(what: str, one: Seen, now: datetime) -> wire.CertificateView:
    left = one.days_left(now)
    return wire.CertificateView(
        what, one.subject, one.identity, one.issuer, one.not_after, left, one.problem(now)
    )


DESK: Sequence[str] = (ADMIN, QUALITY)
FAMILY = Family.COLLABORATION
ENDPOINTS: list[ApiEndpoint] = [
    get("/supervision/overview", overview, reply=wire.Overview, summary="监管上报总览", family=FAMILY, roles=DESK,
        transaction=False),
    get("/supervision/records", records, reply=wire.Records, query=RecordsQuery, summary="监管记录", family=FAMILY,
        roles=DESK, transaction=False),
    send("POST", "/supervision/records/{id}/resubmit", resubmit, body=Why, reply=wire.RecordView, summary="重报一条记录",
         family=FAMILY, roles=DESK, transaction=False, audited="submission.resubmit"),
    send("POST", "/supervision/records/{id}/carry-over", carry_over, body=Why, reply=wire.RecordView,
         summary="结转一条记录", family=FAMILY, roles=DESK, transaction=False, audited="submission.carry_over"),
    send("POST", "/supervision/resubmit", resubmit_code, body=WhyCode, reply=wire.Moved, summary="按代码重报",
         family=FAMILY, roles=DESK, transaction=False, audited="submission.resubmit"),
    get("/supervision/days", days, reply=wire.DayList, summary="监管日结", family=FAMILY, roles=DESK, transaction=False),
    get("/supervision/days/{day}", show_day, reply=wire.DayDetail, summary="某日监管日结", family=FAMILY, roles=DESK,
        transaction=False),
    get("/supervision/days/{day}/bundle", bundle, query=BundleQuery, summary="监管日结证明", family=FAMILY, roles=DESK,
        transaction=False),
    send("POST", "/supervision/days/{day}/reconcile", reconcile, body=Why, reply=wire.DayView, summary="与监管平台对账",
         family=FAMILY, roles=DESK, transaction=False, audited="statement.reconcile"),
    send("POST", "/supervision/days/{day}/restate", restate, body=Why, reply=wire.DayView, summary="补充日结",
         family=FAMILY, roles=DESK, transaction=False, audited="statement.restate"),
    send("POST", "/supervision/days/{day}/counts", enter_count, body=EnterCount, reply=wire.DayDetail,
         summary="登记监管平台页面上的条数", family=FAMILY, roles=DESK, transaction=False, audited="statement.count"),
    get("/supervision/connections", connections, reply=wire.Connections, summary="监管上报的连接与证书", family=FAMILY,
        roles=DESK, transaction=False),
]  # fmt: skip
