"""Taking a ticket after a release, how a person stands, and lifting a pause."""

import hashlib
import re
from collections.abc import Sequence
from datetime import UTC, date, datetime
from uuid import UUID

from backend.edge import ADMIN, CLERK, DUTY_DESK, PATIENT, ApiCall, ApiEndpoint, Family
from backend.fairness import draw, queries, service
from backend.fairness.tickets import Entered, Release, Status, Ticket, Tickets
from backend.fairness.wire import LiftPause, PauseView, StandingView, TicketRequest, TicketView
from backend.patient import queries as patients
from backend.policy import policy
from backend.rates import admit
from foundation.db.sharing import shared
from foundation.db.unit_of_work import Database, unit_of_work
from foundation.errors import Conflict, Issue, NotFound, TooOften, invalid
from foundation.masking import mask_name
from foundation.web.endpoint import get, send

_KEY = re.compile(r"([0-9a-f]{32})-(\d{8})-(\d{1,12})\.([0-9a-f]{32})")
SPREAD_MS = 800
"""Clients ask again within this time after the close, not all in the same moment."""


async def take_ticket(call: ApiCall, body: TicketRequest) -> TicketView:
    """A ticket of the draw that is open for these slots; one per person, however often she asks.

    The grant is asked for here, together with everybody who comes at the same moment: invented persons would fill the draw.
    """
    account_id = call.actor.id
    assert account_id is not None
    await admit(call, "ticket", body.person_id)
    if not await shared(call.db, _may_book).ask((account_id, body.person_id)):
        raise NotFound
    release = await _release(call, body.slot_ids)
    now = call.clock.now()
    if release is None or not draw.draws_now(release, now):
        return TicketView("", "direct")
    ticket = Ticket(
        body.person_id, account_id, tuple(dict.fromkeys(body.slot_ids)), body.eligibility_id, body.complaint, body.mode
    )  # fmt: skip
    tickets = Tickets(call.app.redis, release.key)
    entered = await tickets.enter(ticket, is_open=now < release.closes_at)
    if entered is Entered.DIRECT:
        return TicketView("", "direct")
    if entered is Entered.FULL:
        raise TooOften("排队人数过多，请稍后再试", retry_after=5)
    if entered is Entered.FIRST:
        async with call.unit_of_work() as session:
            await draw.start(session, release)
    return _view(release, body.person_id, Status(known=True, done=False, tickets=0, result=None), now)


async def _may_book(db: Database, asked: Sequence[tuple[UUID, UUID]]) -> Sequence[bool]:
    """Whether each account may book for each person."""
    async with unit_of_work(db) as session:
        granted = await patients.accounts_that_may(session, asked, "book")
    return [pair in granted for pair in asked]


async def _release(call: ApiCall, slot_ids: tuple[UUID, ...]) -> Release | None:
    """The one release that all the slots belong to."""
    found = [await draw.release_of(call.app, slot_id) for slot_id in slot_ids]
    if any(one != found[0] for one in found):
        raise invalid("slot_ids", "not_one_release", "请选择同一位医生同一天放出的时段")
    if found[0] is not None and call.clock.now() < found[0].released_at:
        raise Conflict(
            "号源尚未放出", code="not_released", issues=[Issue("slot_ids", "not_released", "号源尚未放出")]
        )
    return found[0]


async def show_ticket(call: ApiCall) -> TicketView:
    """How a ticket of this account stands. A draw that nobody resolves is asked for again."""
    account_id, now = call.actor.id, call.clock.now()
    assert account_id is not None
    release, person_id = _read(call.request.path_params["id"])
    status = await Tickets(call.app.redis, release.key).status(person_id, account_id)
    if status.known and status.result is None and not status.done and now > release.closes_at + draw.LATE:
        async with call.unit_of_work() as session:
            await draw.start(session, release)
    return _view(release, person_id, status, now)


def _read(text: str) -> tuple[Release, UUID]:
    found = _KEY.fullmatch(text)
    try:
        if found is None:
            raise ValueError
        day = date(int(found[2][:4]), int(found[2][4:6]), int(found[2][6:]))
        released_at = datetime.fromtimestamp(int(found[3]), UTC)
    except (ValueError, OverflowError):
        raise NotFound("没有找到该排队号") from None
    return Release(UUID(found[1]), day, released_at, released_at + policy().draw), UUID(found[4])


def _view(release: Release, person_id: UUID, status: Status, now: datetime) -> TicketView:
    name = f"{release.key}.{person_id.hex}"
    if status.result is not None:
        one = status.result
        state = "won" if one.appointment_id else "lost" if one.code == "sold_out" else "refused"
        return TicketView(
            name, state, release.closes_at, status.tickets, 0, one.appointment_id, one.code, one.detail
        )
    if not status.known or status.done:
        return TicketView(name, "gone", release.closes_at, detail="排队中断，请重新提交预约")
    left = int((release.closes_at - now).total_seconds() * 1000)
    spread = hashlib.sha256(person_id.bytes).digest()[0] * SPREAD_MS // 256
    wait = left + 150 + spread if left > 0 else 300 + spread // 2
    return TicketView(name, "queued" if left > 0 else "drawing", release.closes_at, status.tickets, wait)


async def standing(call: ApiCall) -> StandingView:
    """Whether a person of this account may book."""
    await patients.grant_on(call.session, call.actor, call.id())
    found = await queries.standing(call.session, call.id())
    return StandingView(found.absences, policy().noshow_limit, found.paused_until)


async def pauses(call: ApiCall) -> list[PauseView]:
    """Pauses in force."""
    return [
        PauseView(row.id, row.person_id, mask_name(person.name), row.starts_at, row.ends_at)
        for row in await queries.pauses(call.session)
        for person in [await patients.person(call.session, row.person_id)]
    ]


async def lift(call: ApiCall, body: LiftPause) -> None:
    """Let a person book again."""
    await service.lift(call.session, call.actor, call.id(), body.reason)


FAMILY = Family.PERSONAL_VISIT
LIFTING = [CLERK, DUTY_DESK, ADMIN]
ENDPOINTS: list[ApiEndpoint] = [
    send("POST", "/booking-tickets", take_ticket, body=TicketRequest, reply=TicketView, summary="放号抽号排队",
         family=FAMILY, roles=[PATIENT], status=202, transaction=False),
    get("/booking-tickets/{id}", show_ticket, reply=TicketView, summary="排队结果", family=FAMILY, roles=[PATIENT],
        transaction=False),
    get("/persons/{id}/booking-standing", standing, reply=StandingView, summary="预约资格", family=FAMILY,
        roles=[PATIENT]),
    get("/booking-pauses", pauses, reply=list[PauseView], summary="暂停预约名单", family=FAMILY, roles=LIFTING,
        audited="booking_pause.view"),
    send("POST", "/booking-pauses/{id}/lift", lift, body=LiftPause, summary="恢复预约", family=FAMILY, roles=LIFTING),
]  # fmt: skip
