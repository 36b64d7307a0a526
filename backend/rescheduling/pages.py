"""Stops and moves at the desk: who is affected first, then the deed, then how far it is."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from backend.desk.declared import DeskCall, Shown, action, page
from backend.edge import ADMIN, CLERK, SCHEDULE_MANAGER
from backend.practitioner import queries as practitioners
from backend.rescheduling import queries, routes, service, wire
from backend.rescheduling.service import Preview
from backend.rescheduling.states import RELOCATION
from backend.schedule import queries as slots
from foundation.errors import AppError, NotFound
from foundation.web.parsing import decode_query

WHO = [SCHEDULE_MANAGER, ADMIN]
LIST = "/desk/schedule-changes"
NEW = "/desk/schedule-changes/new"
SURPLUS = "/desk/schedule-changes/slots/{id}"
CHANGE = "/desk/schedule-changes/{change}"
WHERE = (
    "practitioner_id", "department_code", "first_day", "last_day", "begins", "ends", "to_practitioner_id", "to_day",
    "rest",
)  # fmt: skip
KINDS = {"stop": "停诊", "move": "改约"}


async def changes(call: DeskCall) -> Shown:
    """Newest first, with how far each is."""
    rows = await queries.changes(call.session)
    counts = await queries.counts(call.session, [row.id for row in rows])
    names = {row.id: await service.whose(call.session, row) for row in rows}
    words = {"rows": rows, "counts": counts, "names": names, "kinds": KINDS, "labels": _labels()}
    return Shown("rescheduling/changes.html", words)


async def new(call: DeskCall) -> Shown:
    """What is to be stopped, who is affected, and the button."""
    given = _given(call)
    found, refused = await _preview(call, given)
    words = {"given": given, "found": found, "refused": refused, "states": _states(), **await _choices(call)}
    return Shown("rescheduling/new.html", words)


async def surplus(call: DeskCall) -> Shown:
    """Fewer places in one slot than are sold: who leaves."""
    slot = await slots.slot(call.session, call.id())
    given = {**dict(call.request.query_params), **call.typed}
    sold = slot.capacity - slot.remaining
    text = given.get("capacity", "")
    capacity = int(text) if text.isascii() and text.isdigit() else max(sold - 1, 0)
    leaving = await service.leaving_first(call.session, slot, min(capacity, sold))
    doctor = await practitioners.practitioner(call.session, slot.practitioner_id)
    words = {
        "slot": slot, "doctor": doctor, "sold": sold, "capacity": capacity, "given": given, "leaving": leaving,
        "states": _states(), **await _choices(call),
    }  # fmt: skip
    return Shown("rescheduling/surplus.html", words)


async def change(call: DeskCall) -> Shown:
    """One stop or move, patient by patient; staff can answer for who was asked on the telephone."""
    row = await queries.change(call.session, _id(call))
    people = await queries.relocations(call.session, row.id)
    words = {
        "row": row, "people": people, "who": await service.whose(call.session, row), "kinds": KINDS, "labels": _labels(),
        "tones": {"planned": "tag-info", "offered": "tag-reason", "accepted": "tag-ok", "skipped": ""},
    }  # fmt: skip
    return Shown("rescheduling/change.html", words)


def _id(call: DeskCall) -> UUID:
    """Pages name the change, actions on it the id."""
    return call.id("change" if "change" in call.request.path_params else "id")


def _given(call: DeskCall) -> dict[str, str]:
    """What was asked for, in the address or in the form that was refused."""
    both: Mapping[str, str] = {**dict(call.request.query_params), **call.typed}
    return {name: both[name] for name in WHERE if both.get(name)}


async def _preview(call: DeskCall, given: dict[str, str]) -> tuple[Preview | None, AppError | None]:
    if "first_day" not in given or not ({"practitioner_id", "department_code"} & given.keys()):
        return None, None
    try:
        where = decode_query(given, wire.Where)
        return await service.preview(call.session, where.scope(), where.target()), None
    except NotFound:
        raise
    except AppError as error:
        return None, error


async def _choices(call: DeskCall) -> dict[str, Any]:
    departments = await practitioners.departments(call.session)
    doctors = await practitioners.doctors(call.session)
    return {
        "departments": departments,
        "doctors": doctors,
        "names": {one.code: one.name for one in departments},
    }


def _labels() -> dict[str, str]:
    return {state.value: label for state, label in RELOCATION.labels.items()}


def _states() -> dict[str, str]:
    return {"pending": "未支付", "booked": "已预约", "checked-in": "候诊中"}


LIST_PAGE = page(LIST, changes, title="停诊与改约", roles=WHO, menu="停诊与改约", live=["timetable"])
NEW_PAGE = page(NEW, new, title="停诊或改约", roles=WHO)
SURPLUS_PAGE = page(SURPLUS, surplus, title="减号", roles=WHO)
CHANGE_PAGE = page(CHANGE, change, title="停诊与改约", roles=[*WHO, CLERK], audited="rescheduling.view")
PAGES = [LIST_PAGE, NEW_PAGE, SURPLUS_PAGE, CHANGE_PAGE]
E = routes.ENDPOINTS
ACTIONS = [
    action(NEW, E, routes.make_change, back=NEW_PAGE, then=LIST, said="已执行，正在逐一通知患者。"),
    action(SURPLUS, E, routes.reduce_slot, back=SURPLUS_PAGE, then=LIST, said="已减号，正在逐一通知患者。"),
    action(f"{LIST}/{{id}}/lift", E, routes.lift, back=CHANGE_PAGE, then=f"{LIST}/{{id}}", said="已恢复出诊，空余号源重新开放。"),
    action(f"{CHANGE}/answers/{{id}}/accept", E, routes.accept_move, back=CHANGE_PAGE, then=CHANGE, said="已代患者接受改约。"),
    action(f"{CHANGE}/answers/{{id}}/refuse", E, routes.refuse_move, back=CHANGE_PAGE, then=CHANGE, said="已代患者选择退款。"),
]  # fmt: skip
