"""Schedules and slots of the doctors at the hospital itself: today and the seven days after, made when they are needed."""

import hashlib
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta

import msgspec

from simulators.his import systems
from simulators.his.elements import values_at
from simulators.his.moments import instant
from simulators.his.outcomes import Json
from simulators.his.store import Store
from simulators.his.systems import concept
from simulators.server import SHANGHAI, Clock

DAYS_AHEAD = 7
_SESSIONS = ((time(8, 0), 7), (time(13, 30), 6))
_LENGTH = timedelta(minutes=30)


def ensure(store: Store, clock: Clock) -> None:
    """Add the days that are still missing up to today and seven."""
    today = clock.today()
    through = store.fact("schedules_through")
    last = today + timedelta(days=DAYS_AHEAD)
    if through >= last.isoformat():
        return
    first = max(today, date.fromisoformat(through) + timedelta(days=1)) if through else today
    with store.transaction():
        roles = [_role(body) for _, body in store.of_type("PractitionerRole")]
        days = [first + timedelta(days=back) for back in range((last - first).days + 1)]
        store.load((one for role in roles for day in days for one in _day(role, day)), instant(clock.now()))
        store.set_fact("schedules_through", last.isoformat())


def take(store: Store, appointment: Json, updated: str) -> list[str]:
    """Mark the slots of a booked appointment busy, or free again when it is cancelled; names those that were taken."""
    taken = []
    wanted = "free" if gives_back(appointment) else "busy"
    for literal in values_at(appointment, ("slot", "reference")):
        stored = store.get("Slot", str(literal).partition("/")[2])
        if stored is None:
            continue  # the rules have said so
        slot = stored.resource()
        if slot["status"] == wanted == "busy":
            taken.append(str(literal))
        elif slot["status"] != wanted:
            store.replace(stored, {**slot, "status": wanted}, updated, own=True)
    return taken


def gives_back(appointment: Json) -> bool:
    """It no longer needs its slots."""
    return appointment.get("status") in {"cancelled", "noshow", "entered-in-error"}


def _role(body: bytes) -> tuple[str, str, str, str]:
    """Doctor's id and name, department's code and name."""
    role = msgspec.json.decode(body)
    doctor, department = role["practitioner"], role["organization"]
    return (
        doctor["reference"].partition("/")[2],
        doctor["display"],
        department["reference"].partition("/")[2],
        department["display"],
    )


def _chance(text: str) -> int:
    """0-99, the same for the same text."""
    return hashlib.sha256(text.encode()).digest()[0] * 100 // 256


def _day(role: tuple[str, str, str, str], day: date) -> Iterator[Json]:
    """A doctor sits about six half-days in a week; two thirds of the places are already given away."""
    doctor, name, department, department_name = role
    halves = [
        half for half in (0, 1) if day.weekday() < 6 and _chance(f"{doctor}/{day.weekday()}/{half}") < 55
    ]
    if not halves:
        return
    schedule = f"{doctor}-{day:%Y%m%d}"
    specialty = [concept(systems.DEPARTMENT, department, department_name)]
    spans = [(_start(day, half), _start(day, half) + _LENGTH * _SESSIONS[half][1]) for half in halves]
    yield {
        "resourceType": "Schedule",
        "id": schedule,
        "active": True,
        "specialty": specialty,
        "actor": [
            {"reference": f"Practitioner/{doctor}", "display": name},
            {"reference": f"Location/{department}", "display": department_name},
        ],
        "planningHorizon": {"start": instant(spans[0][0]), "end": instant(spans[-1][1])},
    }
    for half in halves:
        for place in range(_SESSIONS[half][1]):
            start = _start(day, half) + place * _LENGTH
            slot = f"{schedule}-{start:%H%M}"
            yield {
                "resourceType": "Slot",
                "id": slot,
                "specialty": specialty,
                "schedule": {"reference": f"Schedule/{schedule}"},
                "status": "busy" if _chance(slot) < 66 else "free",
                "start": instant(start),
                "end": instant(start + _LENGTH),
            }


def _start(day: date, half: int) -> datetime:
    return datetime.combine(day, _SESSIONS[half][0], SHANGHAI)
