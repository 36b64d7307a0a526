"""The rush for a famous doctor: 5,000 people press in the moment of the release, 500 of them twice, for 100 places.

`drawn` is the way a patient goes: a ticket in the first seconds, then the draw. `direct` is the same crowd without a draw, first
come, first served: what the booking itself holds.
"""

import asyncio
import random
import time
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from tests.load import crowd
from tests.load.crowd import DECISION, PERSON, SLOT, Plan, numbered, token_of
from tests.load.ground import Ground, Shot, say

PATIENTS, PLACES, TWICE = 5_000, 100, 500
DRAW_SECONDS = 3
PATIENCE = 60.0


def shot(patient: int, slot: int, key: str) -> Shot:
    """One press on the button."""
    body = {
        "person_id": str(numbered(PERSON, patient)), "slot_id": str(numbered(SLOT, slot)),
        "eligibility_id": str(numbered(DECISION, patient)), "complaint": "血压偏高，想续药", "mode": "video",
    }  # fmt: skip
    return "POST", "/api/v1/appointments", token_of(patient), key, body


def ticket(patient: int, slot: int) -> Shot:
    """One ticket of the draw."""
    body = {
        "person_id": str(numbered(PERSON, patient)), "slot_ids": [str(numbered(SLOT, slot))],
        "eligibility_id": str(numbered(DECISION, patient)), "complaint": "血压偏高，想续药", "mode": "video",
    }  # fmt: skip
    return "POST", "/api/v1/booking-tickets", token_of(patient), "", body


def pressed(presses: list[Shot]) -> list[Shot]:
    """Some of them twice, in no order."""
    twice = presses + presses[:TWICE]
    random.Random(7).shuffle(twice)
    return twice


async def places(connection: Any, slot: UUID, released_at: datetime | None) -> None:
    """The slot has 100 places and is released then."""
    await connection.execute(
        "UPDATE slot SET capacity = $2, remaining = $2, taken = 0, released_at = $3 WHERE id = $1",
        slot,
        PLACES,
        released_at,
    )


async def outcome(connection: Any, slot: UUID) -> dict[str, Any]:
    """What the database says in the end."""
    held = [
        row[0] for row in await connection.fetch("SELECT person_id FROM appointment WHERE slot_id = $1", slot)
    ]
    left = await connection.fetchval("SELECT remaining FROM slot WHERE id = $1", slot)
    return {
        "sold": len(held), "oversold": max(0, len(held) - PLACES), "twice": len(held) - len(set(held)), "left": left,
    }  # fmt: skip


async def direct(site: Ground, plan: Plan, connections: int) -> dict[str, Any]:
    """Everybody books at once; times count from the opening."""
    number = plan.slot(plan.doctors - 1, plan.days - 1, 0)
    slot = numbered(SLOT, number)
    connection = await crowd.direct(site.db)
    await places(connection, slot, None)
    before, cpu = site.memory_mb(), site.cpu_s()
    answer = site.loader.fire(
        pressed([shot(one, number, f"rush-{one:08d}") for one in range(PATIENTS)]), connections=connections
    )
    cpu = site.cpu_s() - cpu
    found = await outcome(connection, slot)
    await connection.close()
    return found | {
        "last_place_s": answer["last_made_s"], "p99_ms": answer["since_start_ms"]["p99"],
        "p50_ms": answer["since_start_ms"]["p50"], "seconds": answer["seconds"], "statuses": answer["statuses"],
        "codes": answer["codes"], "replayed": answer["replayed"], "rss_before_mb": before,
        "rss_after_mb": site.memory_mb(), "api_cpu_ms_each": round(1000 * cpu / answer["count"], 3),
    }  # fmt: skip


async def drawn(site: Ground, plan: Plan, connections: int) -> dict[str, Any]:
    """Tickets at the release, places when the draw closes; the last place counts from the close."""
    number = plan.slot(plan.doctors - 1, plan.days - 2, 0)
    slot = numbered(SLOT, number)
    connection = await crowd.direct(site.db)
    with site.worker():
        released = datetime.fromtimestamp(int(time.time()) + 4, UTC)
        await places(connection, slot, released)
        before = site.memory_mb()
        presses = pressed([ticket(one, number) for one in range(PATIENTS)])
        entered = site.loader.fire(presses, connections=connections, at=released.timestamp() + 0.005)
        closed = released + timedelta(seconds=DRAW_SECONDS)
        await _given(connection, slot, closed)
        drawn_here = await outcome(connection, slot)
        last = await connection.fetchval(
            "SELECT max(a.at) FROM audit_event a JOIN appointment p ON a.subject_id = p.id::text"
            " WHERE p.slot_id = $1 AND a.action = 'appointment.request'",
            slot,
        )
        asked = site.loader.fire(_asks(plan, slot, released, number), connections=connections)
        # Who came when the draw was over is told to book directly, and does.
        site.loader.fire([shot(one, number, "") for one in range(PATIENTS)], connections=connections)
        found = await outcome(connection, slot)
    drawn_at = await connection.fetchrow(
        "SELECT tickets, given FROM release_draw ORDER BY released_at DESC LIMIT 1"
    )
    await connection.close()
    return found | {
        "sold": drawn_here["sold"], "left_by_draw": drawn_here["left"],
        "last_place_s": round((last - closed).total_seconds(), 3) if last else None,
        "p99_ms": entered["since_start_ms"]["p99"], "p50_ms": entered["since_start_ms"]["p50"],
        "statuses": entered["statuses"], "codes": entered["codes"], "asked_p99_ms": asked["latencies_ms"]["p99"],
        "asked_statuses": asked["statuses"], "tickets": drawn_at["tickets"],
        "rss_before_mb": before, "rss_after_mb": site.memory_mb(),
    }  # fmt: skip


def _asks(plan: Plan, slot: UUID, released: datetime, number: int) -> list[Shot]:
    """Everybody asks how her ticket stands."""
    doctor = numbered(crowd.DOCTOR, plan.doctors - 1)
    day = crowd.first_day() + timedelta(days=plan.days - 2)
    release = f"{doctor.hex}-{day:%Y%m%d}-{int(released.timestamp())}"
    return [
        ("GET", f"/api/v1/booking-tickets/{release}.{numbered(PERSON, one).hex}", token_of(one), "", None)
        for one in range(PATIENTS)
    ]


async def _given(connection: Any, slot: UUID, closed: datetime) -> None:
    """Until all places are taken."""
    deadline = closed.timestamp() + PATIENCE
    while time.time() < deadline:
        if await connection.fetchval("SELECT remaining FROM slot WHERE id = $1", slot) == 0:
            return
        await asyncio.sleep(0.05)
    say("the draw did not give all places")
