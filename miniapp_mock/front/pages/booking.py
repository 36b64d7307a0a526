"""From "I want to be seen again" to a place: person, diagnosis, doctor, time, complaint."""

from collections import defaultdict
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from foundation.errors import NotFound
from foundation.web.parsing import iso_day
from miniapp_mock.front.backend_client import Refused
from miniapp_mock.front.forms import Form, path_id, read_form
from miniapp_mock.front.pages.persons import person
from miniapp_mock.front.pages.release import draw, waiting_page
from miniapp_mock.front.screen import go, patient, screen_of, show
from miniapp_mock.front.words import moment, when

DAYS = 9
"""Today, the seven days that are on sale, and the one whose places are released next."""
JUST_NOW = timedelta(minutes=1)
OUTCOMES = {
    "eligible": ("可复诊", "good"),
    "doctor_decides": ("医生判断", "warn"),
    "refused": ("不能线上复诊", ""),
}


async def choose_person(request: Request) -> Response:
    """For whom; a single person is not asked for."""
    rows = await patient(request).get("/persons")
    if not rows:
        return go("/persons/new?next=/book")
    if len(rows) == 1:
        return go(f"/book/{rows[0]['id']}")
    return await show(request, "patient/book_person.html", back="/", rows=rows)


async def choose_diagnosis(request: Request) -> Response:
    """The page around the list; without consent nothing is looked up in the hospital."""
    row = await person(request)
    if not row["consented"]:
        return go(f"/persons/{row['id']}/consent?next=/book/{row['id']}")
    standing = await patient(request).get(f"/persons/{row['id']}/booking-standing")
    return await show(request, "patient/book_diagnosis.html", back="/", row=row, standing=standing)


async def diagnoses(request: Request) -> Response:
    """What the hospital diagnosed, each with today's outcome: a fragment, because the hospital may take its time."""
    row = await person(request)
    found = await patient(request).get(f"/persons/{row['id']}/diagnoses")
    order = list(OUTCOMES)
    found.sort(key=lambda one: order.index(one["outcome"]) if one["outcome"] in order else len(order))
    return await show(request, "patient/book_diagnoses.html", row=row, found=found, outcomes=OUTCOMES)


async def decide(request: Request) -> Response:
    """Ask for the decision: on to the doctors, or why not and what to do instead."""
    row, form = await person(request), await read_form(request)
    if not form.get("diagnosis_code"):  # the hospital has words only: she says which disease it is
        return go(f"/book/{row['id']}/disease?{urlencode({'words': form.get('diagnosis_name', '')})}")
    body = {"person_id": row["id"], "diagnosis_code": form["diagnosis_code"]}
    return await decided(request, row, form, await patient(request).post("/eligibility", body))


async def decided(request: Request, row: dict[str, Any], form: Form, decision: dict[str, Any]) -> Response:
    """On to the doctors, or why not and what to do instead."""
    name = form.get("diagnosis_name") or request.query_params.get("name", "")[:60]
    if decision["outcome"] == "refused":
        last = decision["last_possible_day"]
        return await show(
            request, "patient/book_refused.html", back=f"/book/{row['id']}", row=row, decision=decision,
            last=date.fromisoformat(last) if last else None, name=name,
            papers=urlencode({"code": form.get("diagnosis_code", ""), "name": name}),
        )  # fmt: skip
    departments = await screen_of(request).api.get("/departments")
    codes = {one[key]: one["code"] for one in departments for key in ("name", "code")}
    query = {"decision": decision["id"], "department": codes.get(form.get("department", ""), "")}
    if decision["outcome"] == "doctor_decides":
        query["decides"] = "1"
    return go(f"/book/{row['id']}/doctors?{urlencode(query)}")


def day_asked(request: Request, today: date) -> date:
    """The day of the query, today if it is none of the coming ones."""
    day = iso_day(request.query_params["day"]) if request.query_params.get("day") else today
    return day if today <= day < today + timedelta(days=DAYS) else today


async def choose_doctor(request: Request) -> Response:
    """Doctors of a department with what is left on a day."""
    row, screen = await person(request), screen_of(request)
    today = screen.clock.today()
    day = day_asked(request, today)
    departments = await screen.api.get("/departments")
    codes = [one["code"] for one in departments]
    code = request.query_params.get("department", "")
    code = code if code in codes else (codes[0] if codes else "")
    doctors = await screen.api.get("/doctors", department=code)
    left: dict[str, list[Any]] = defaultdict(list)
    for slot in await screen.api.get("/slots", department=code, day=day.isoformat()):
        left[slot["practitioner_id"]].append(slot)
    return await show(
        request, "patient/book_doctors.html", back=f"/book/{row['id']}", row=row, departments=departments, code=code,
        doctors=sorted(doctors, key=lambda one: _free(left[one["id"]]) == 0), left=left, day=day, days=_days(today),
        tags={one["id"]: _tag(left[one["id"]], screen.clock.today()) for one in doctors},
        kept=kept(request, "decision", "decides"), decides=request.query_params.get("decides") == "1",
    )  # fmt: skip


def _free(slots: list[Any]) -> int:
    """Places that can be booked now."""
    return sum(slot["remaining"] + slot["kept_follow_up"] for slot in slots if slot["on_sale"])


def _tag(slots: list[Any], today: date) -> tuple[str, str]:
    """What a doctor's day comes to in two words, and its colour."""
    if free := _free(slots):
        return f"余 {free}", "good"
    released = [slot["released_at"] for slot in slots if slot["why"] == "not_released"]
    if released:
        return f"{when(min(released), today)} 放号", "info"
    if any(slot["why"] == "slot_stale" for slot in slots):
        return "号源核对中", "warn"
    return ("约满", "") if slots else ("无号", "")


def _days(today: date) -> list[date]:
    return [today + timedelta(days=ahead) for ahead in range(DAYS)]


def kept(request: Request, *names: str) -> dict[str, str]:
    """Parameters that travel from page to page."""
    return {name: request.query_params[name] for name in names if name in request.query_params}


async def choose_time(request: Request) -> Response:
    """A doctor's times of a day."""
    row, screen = await person(request), screen_of(request)
    today = screen.clock.today()
    day = day_asked(request, today)
    found = await _doctor(request)
    slots = await screen.api.get("/slots", practitioner=found["id"], department=found["department_code"],
                                 day=day.isoformat())  # fmt: skip
    parts: dict[str, list[Any]] = {"上午": [], "下午": [], "晚上": []}
    for slot in slots:
        hour = moment(slot["starts_at"]).hour
        parts["上午" if hour < 12 else "下午" if hour < 18 else "晚上"].append(slot)
    travel = kept(request, "decision", "decides")
    back = {**travel, "department": found["department_code"], "day": day.isoformat()}
    return await show(
        request, "patient/book_times.html", back=f"/book/{row['id']}/doctors?{urlencode(back)}", row=row,
        doctor=found, parts={name: some for name, some in parts.items() if some}, day=day, days=_days(today),
        opens=min((one["released_at"] for one in slots if one["why"] == "not_released"), default=None),
        places=sum(one["capacity"] for one in slots if one["why"] == "not_released"),
        # a single place that has just come back is no reason to warn of all
        stale=any(one["why"] == "slot_stale" for one in slots) and not any(one["on_sale"] for one in slots),
        kept=travel,
    )  # fmt: skip


async def _doctor(request: Request) -> dict[str, Any]:
    for one in await screen_of(request).api.get("/doctors"):
        if one["id"] == path_id(request, "doctor_id"):
            return dict(one)
    raise NotFound("没有找到该医生，可能已经停诊")


async def confirm(request: Request, typed: Form | None = None, problem: Refused | None = None) -> Response:
    """Everything once more, with the complaint and the way of talking."""
    row, found = await person(request), await _doctor(request)
    slots = await screen_of(request).api.get("/slots", practitioner=found["id"])
    slot = next((one for one in slots if one["id"] == path_id(request, "slot_id")), None)
    if slot is None:
        raise NotFound("该时段已不能预约，请返回选择其他时段")
    travel = kept(request, "decision", "decides")
    query = {**travel, "day": moment(slot["starts_at"]).date().isoformat()}
    names = {one["code"]: one["name"] for one in await screen_of(request).api.get("/departments")}
    return await show(
        request, "patient/book_confirm.html", back=f"/book/{row['id']}/doctors/{found['id']}?{urlencode(query)}",
        row=row, doctor=found, slot=slot, department=names.get(slot["department_code"], ""), typed=typed or {},
        problem=problem, status=problem.status if problem else 200, decides=travel.get("decides") == "1",
        fresh=_fresh(slot, screen_of(request).clock.now()),
    )  # fmt: skip


def _fresh(slot: Any, now: datetime) -> bool:
    """Whether its places were released just now: asking may mean drawing a ticket."""
    return bool(slot["released_at"]) and timedelta() <= now - moment(slot["released_at"]) < JUST_NOW


async def book(request: Request) -> Response:
    """Hold the place; the bill is next."""
    form = await read_form(request)
    body = {
        "person_id": path_id(request, "person_id"),
        "slot_id": path_id(request, "slot_id"),
        "eligibility_id": request.query_params.get("decision", ""),
        "complaint": form.get("complaint", ""),
        "mode": form.get("mode", "video"),
    }
    try:
        made = await patient(request).post("/appointments", body, once=form.get("once", ""))
    except Refused as refused:
        if refused.code == "draw_open":
            return await _draw(request, body, form)
        if refused.status == 401:
            raise
        if refused.code == "no_consent":
            return go(f"/persons/{body['person_id']}/consent?next=/book/{body['person_id']}")
        return await confirm(request, form, refused)
    return go(f"/payments/{made['payment_id']}")


async def _draw(request: Request, body: dict[str, Any], form: Form) -> Response:
    """The places have just been released: a ticket, and the page that waits for the draw."""
    try:
        ticket = await draw(patient(request), body, others=form.get("others") == "1")
        if ticket:
            return waiting_page(ticket, str(request.url.path) + f"?{request.url.query}")
        made = await patient(request).post("/appointments", body, once=form.get("once", ""))
    except Refused as refused:
        if refused.status == 401:
            raise
        return await confirm(request, form, refused)
    return go(f"/payments/{made['payment_id']}")


BOOK = "/book/{person_id:uuid}"
SLOT = f"{BOOK}/doctors/{{doctor_id:uuid}}/slots/{{slot_id:uuid}}"
ROUTES: list[BaseRoute] = [
    Route("/book", choose_person),
    Route(BOOK, choose_diagnosis),
    Route(f"{BOOK}/diagnoses", diagnoses),
    Route(f"{BOOK}/eligibility", decide, methods=["POST"]),
    Route(f"{BOOK}/doctors", choose_doctor),
    Route(f"{BOOK}/doctors/{{doctor_id:uuid}}", choose_time),
    Route(SLOT, confirm, methods=["GET"]),
    Route(SLOT, book, methods=["POST"]),
]
