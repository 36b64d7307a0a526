"""`python -m tests.load.bench_day`: one day of a city, 100,000 bookings, replayed as fast as the machine allows.

Prints figures while it runs; its last line is JSON: {seconds, lost, oversold, …}. The day has the shape of a real one: most of it in
the first hour after the release, a smaller hump in the evening, and a crowd at the doctors everybody wants, who are sold out
early and refuse all who come later; some press twice. Only bookings that are made count towards the 100,000.

`lost`: not made, answered with a place that the database does not have, or the other way round. `oversold`: places beyond a slot's
capacity, numbers given twice, counters that do not add up.
"""

import argparse
import asyncio
import json
import random
import sys
import time
from collections.abc import Iterator
from typing import Any

from foundation.clock import local
from foundation.prefork import cores
from tests.load import crowd
from tests.load.crowd import Plan
from tests.load.ground import Ground, Shot, ground, say
from tests.load.rush import shot

SHAPE = (
    (7, 34), (8, 16), (9, 9), (10, 6), (11, 4), (12, 4), (13, 4), (14, 4), (15, 3), (16, 3), (17, 3), (18, 3), (19, 3),
    (20, 3), (21, 1),
)  # fmt: skip
"""Hour of the day and its share of a hundred; 07:00 is the release. An assumption, written down: hospitals publish none."""
REFUSED, TWICE = 0.10, 0.02
"""Presses for what is sold out, and presses that come twice, as parts of the bookings."""


def hours(count: int) -> list[tuple[int, int]]:
    """Hour and how many book in it; all of them together are `count`."""
    found = [(hour, count * share // 100) for hour, share in SHAPE]
    return [(found[0][0], found[0][1] + count - sum(number for _, number in found)), *found[1:]]


def presses(plan: Plan, count: int) -> Iterator[tuple[int, Shot]]:
    """Hour and press, in the order of the day: each person books once, with the doctors filling up as they are wanted.

    Doctor 0 is the one everybody wants: she is full after the first minutes and is asked for all day.
    """
    chance = random.Random(11)
    free = [
        (doctor, day, place)
        for doctor in range(plan.doctors)
        for day in range(plan.days)
        for place in range(len(plan.hours))
    ]
    wanted = sorted(free, key=lambda one: (one[0] * chance.random(), chance.random()))
    order = [slot for slot in wanted for _ in range(plan.capacity)]
    full = order[: plan.capacity * 8 : plan.capacity]
    person = 0
    for hour, number in hours(count):
        group: list[Shot] = []
        for _ in range(number):
            group.append(shot(person, plan.slot(*order[person]), f"day-{person:08d}"))
            if chance.random() < TWICE:
                group.append(group[-1])
            person += 1
            if person > len(full) * plan.capacity and chance.random() < REFUSED:
                late = plan.patients - 1 - chance.randrange(plan.patients - count)
                group.append(
                    shot(late, plan.slot(*chance.choice(full)), f"late-{chance.getrandbits(64):016x}")
                )
        _mix(group, chance)
        yield from ((hour, one) for one in group)


def _mix(group: list[Shot], chance: random.Random) -> None:
    """People come in no order, but nobody comes long after her turn."""
    span = 2_000
    for start in range(0, len(group), span):
        part = group[start : start + span]
        chance.shuffle(part)
        group[start : start + span] = part


async def furnished(site: Ground, plan: Plan) -> None:
    """The hospital, its people, statistics as a database has that lives."""
    await crowd.furnish(site.db, plan)
    await crowd.people(site.db, plan.patients)
    connection = await crowd.direct(site.db)
    await connection.execute("ANALYZE")
    await connection.close()


WRONG = """
SELECT count(*) FILTER (WHERE held > capacity), count(*) FILTER (WHERE held + remaining <> capacity),
    count(*) FILTER (WHERE held <> numbers OR held > 0 AND top <> taken)
FROM (
    SELECT slot.id, capacity, remaining, taken, count(a.id) AS held, count(DISTINCT a.serial_number) AS numbers,
        max(a.serial_number) AS top
    FROM slot LEFT JOIN appointment a ON a.slot_id = slot.id GROUP BY slot.id
) AS counted
"""
MADE = """
SELECT count(*), count(DISTINCT (person_id, slot_id)),
    (SELECT count(*) FROM payment), (SELECT count(*) FROM fee_line), (SELECT count(*) FROM tender),
    (SELECT count(*) FROM intent WHERE kind = 'appointment.expire_hold'),
    (SELECT count(*) FROM audit_event WHERE action = 'appointment.request' AND outcome = 'ok'),
    (SELECT count(*) FROM idempotency_key)
FROM appointment
"""


async def judged(site: Ground, answered: int) -> dict[str, int]:
    """What the database says of the day."""
    connection = await crowd.direct(site.db)
    over, unbalanced, numbers = await connection.fetchrow(WRONG)
    made, pairs, *rows = await connection.fetchrow(MADE)
    await connection.close()
    return {
        "lost": abs(made - answered) + sum(abs(made - count) for count in rows), "oversold": over + unbalanced + numbers,
        "twice": made - pairs, "made": made,
    }  # fmt: skip


def bench(options: argparse.Namespace) -> dict[str, Any]:
    """The whole day."""
    plan = Plan(doctors=120, days=7, capacity=12, patients=options.bookings + 5_000)
    if plan.slots * plan.capacity < options.bookings:
        raise SystemExit("more bookings than places")
    with ground(options.processes) as site:
        say(
            f"making {plan.patients} patients and {plan.slots} slots with {plan.slots * plan.capacity} places"
        )
        asyncio.run(furnished(site, plan))
        day = list(presses(plan, options.bookings))
        memory, cpu, begun = site.memory_mb(), site.cpu_s(), time.perf_counter()
        answers: list[dict[str, Any]] = []
        seconds = 0.0
        for hour in sorted({hour for hour, _ in day}):
            one = site.loader.fire([press for at, press in day if at == hour], connections=options.clients)
            seconds += one["seconds"]
            answers.append(one)
            say(
                f"{hour:02d}:00 {one['count']} presses in {one['seconds']:.1f} s, p99 {one['latencies_ms']['p99']} ms, {one['codes']}"
            )
        say(f"{time.perf_counter() - begun:.1f} s with the making of requests")
        cpu = site.cpu_s() - cpu
        statuses = {
            key: sum(one["statuses"].get(key, 0) for one in answers)
            for key in sorted({k for one in answers for k in one["statuses"]})
        }
        replayed = sum(one["replayed"] for one in answers)
        found = asyncio.run(judged(site, statuses.get("201", 0) - replayed))
        found["lost"] += max(0, options.bookings - found["made"])  # what was refused or broke is lost as well
        return {
            "seconds": round(seconds, 1), **found, "per_s": round(found["made"] / seconds, 1),
            "p99_ms": max(one["latencies_ms"]["p99"] for one in answers), "statuses": statuses, "replayed": replayed,
            "rss_before_mb": memory, "rss_after_mb": site.memory_mb(), "api_cpu_s": round(cpu, 1),
            "clients": options.clients, "processes": options.processes, "on": f"{local(site.db.clock.now()):%Y-%m-%d}",
        }  # fmt: skip


def main() -> int:
    """Progress on stderr, one JSON line on stdout."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--bookings", type=int, default=100_000)
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument(
        "--processes", type=int, default=cores(), help="of the API; as in production: one per core"
    )
    found = bench(parser.parse_args())
    sys.stdout.write(json.dumps(found) + "\n")
    return 0 if found["lost"] == found["oversold"] == 0 else 1


if __name__ == "__main__":
    raise SystemExit(main())
