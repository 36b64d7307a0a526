"""What a doctor has before her: who waits longest first, whom she is talking to, who is booked today. Live, within her shift."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from miniapp_mock.front.journey import RUNNING
from miniapp_mock.front.screen import doctor, screen_of, show
from miniapp_mock.front.streams import pass_events
from miniapp_mock.front.words import moment

HURRY = timedelta(minutes=10)
"""So long before the visit is taken from her the list says so."""
MENDABLE = (*RUNNING, "completed")


@dataclass(frozen=True)
class Waiting:
    """A visit with how long its patient has waited and how long the doctor still has; None where no clock runs."""

    row: Mapping[str, Any]
    minutes: int
    left: int | None
    hurry: bool


def waiting(row: Mapping[str, Any], now: datetime) -> Waiting:
    """As it stands now."""
    since = moment(row["waiting_since"]) if row["waiting_since"] else now
    deadline = moment(row["acceptance_deadline"]) if row["acceptance_deadline"] else None
    left = deadline - now if deadline else None
    return Waiting(
        row, max(int((now - since).total_seconds()) // 60, 0),
        max(int(left.total_seconds()) // 60, 0) if left is not None else None, left is not None and left < HURRY,
    )  # fmt: skip


def is_waiting(row: Mapping[str, Any]) -> bool:
    """Checked in, and nobody has answered yet."""
    return (row["state"], row["appointment_state"]) == ("planned", "checked-in")


async def home(request: Request) -> Response:
    """The page around the list."""
    return await show(request, "doctor/list.html", **await _found(request))


async def part(request: Request) -> Response:
    """The list itself, when something changed."""
    return await show(request, "doctor/list_part.html", **await _found(request))


async def _found(request: Request) -> dict[str, Any]:
    api, now = doctor(request), screen_of(request).clock.now()
    rows, talks = await asyncio.gather(api.get("/doctor/encounters"), api.get("/doctor/conversations"))
    today = screen_of(request).clock.today()
    planned = [row for row in rows if row["state"] == "planned"]
    return {
        "waiting": [waiting(row, now) for row in planned if is_waiting(row)],
        "running": _by_patience([row for row in rows if row["state"] in RUNNING], talks),
        "talks": {talk["encounter_id"]: talk for talk in talks},
        "booked": [
            row for row in planned if not is_waiting(row) and moment(row["starts_at"]).date() == today
        ],
        "later": [row for row in planned if not is_waiting(row) and moment(row["starts_at"]).date() > today],
        "over": [row for row in rows if row["state"] not in ("planned", *RUNNING)],
    }


def _by_patience(rows: list[Any], talks: list[Any]) -> list[Any]:
    """Running visits in the order of the conversations: who has waited longest for an answer first."""
    order = {talk["encounter_id"]: place for place, talk in enumerate(talks)}
    return sorted(rows, key=lambda row: order.get(row["id"], len(order)))


async def returned(request: Request) -> Response:
    """Prescriptions that the pharmacist sent back: they wait for her, also after the visit."""
    api = doctor(request)
    rows = [row for row in await api.get("/doctor/encounters") if row["state"] in MENDABLE]
    written = await asyncio.gather(*(api.get(f"/encounters/{row['id']}/prescriptions") for row in rows))
    found = [one for many in written for one in many if one["state"] == "returned"]
    return await show(request, "doctor/returned.html", found=found)


async def events(request: Request) -> Response:
    """Something in the list changed."""
    return await pass_events(doctor(request), "/doctor/events")


ROUTES: list[BaseRoute] = [
    Route("/doctor", home),
    Route("/doctor/list", part),
    Route("/doctor/returned", returned),
    Route("/doctor/events", events),
]
