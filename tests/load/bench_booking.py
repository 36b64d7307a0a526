"""`python -m tests.load.bench_booking`: bookings by HTTP beside the same rows written by pgbench, and the rush for a famous doctor.

Prints figures while it runs; its last line is JSON: {http_tps, pgbench_tps, ratio, p99_ms, rush: {sold, oversold, last_place_s,
p99_ms}, …}. Rounds of both sides take turns on one server, so that the machine's moods fall on both; the ratio is the median
of the rounds' own ratios.
"""

import argparse
import asyncio
import json
import statistics
import sys
from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

from foundation.prefork import cores
from tests.load import crowd, rush
from tests.load.bare import pgbench, rows_of_a_booking, script
from tests.load.crowd import Plan
from tests.load.ground import Ground, Shot, ground, say
from tests.load.rush import PLACES, shot


def bookings(plan: Plan, start: int) -> Iterator[Shot]:
    """Half of the patients, each once on a day, then all of them on the next one; pgbench has the other half.

    The last doctor is kept for the rush.
    """
    hours, half = len(plan.hours), plan.patients // 2
    for number in range(start, half * plan.days):
        turn, patient = divmod(number, half)
        place = 2 * (patient % (hours // 2))
        slot = plan.slot((patient * 7 + turn) % (plan.doctors - 1), (patient + turn) % plan.days, place)
        yield shot(patient, slot, uuid4().hex)


def first(shots: Iterator[Shot], count: int) -> list[Shot]:
    """So many of them."""
    return [one for one, _ in zip(shots, range(count), strict=False)]


async def learn(site: Ground, plan: Plan) -> dict[str, list[dict[str, Any]]]:
    """What one booking writes."""
    answer = site.loader.fire([shot(0, plan.slot(0, 0, 0), uuid4().hex)], connections=1)
    if answer["statuses"] != {"201": 1}:
        raise RuntimeError(f"the first booking was refused: {answer}")
    connection = await crowd.direct(site.db)
    try:
        booked: UUID = await connection.fetchval("SELECT id FROM appointment ORDER BY id DESC LIMIT 1")
        return await rows_of_a_booking(connection, booked)
    finally:
        await connection.close()


def rounds(site: Ground, plan: Plan, text: str, options: argparse.Namespace) -> list[dict[str, Any]]:
    """Turns of both sides."""
    found, http_used, turn = [], 1, 0
    for number in range(options.rounds + 1):
        seconds = options.seconds if number else 3
        cpu = site.cpu_s()
        shots = first(bookings(plan, http_used), int(seconds * 6000))
        http = site.loader.fire(shots, connections=options.clients, seconds=seconds)
        http_used += http["used"]
        cpu = site.cpu_s() - cpu
        if set(http["statuses"]) != {"201"}:
            raise RuntimeError(f"refused: {http['statuses']} {http['codes']}")
        bare = pgbench(site, text, clients=options.clients, seconds=seconds, turn=turn)
        turn += int(bare["made"] // options.clients * 1.2) + 10
        tps = http["count"] / http["seconds"]
        one = {
            "http_tps": round(tps, 1), "pgbench_tps": round(bare["tps"], 1), "ratio": round(tps / bare["tps"], 3),
            "p50_ms": http["latencies_ms"]["p50"], "p99_ms": http["latencies_ms"]["p99"],
            "api_cpu_ms_each": round(1000 * cpu / http["count"], 3),
            "loader_cpu_ms_each": round(1000 * http["cpu_s"] / http["count"], 3),
        }  # fmt: skip
        say(f"{'warm-up' if number == 0 else f'round {number}'}: {one}")
        found += [one] if number else []
    return found


def bench(options: argparse.Namespace) -> dict[str, Any]:
    """Everything, in one run on one server."""
    with ground(options.processes) as site:
        return asyncio.run(measured(site, options))


async def measured(site: Ground, options: argparse.Namespace) -> dict[str, Any]:
    """Both comparisons."""
    plan = Plan(doctors=60, days=7, capacity=200, patients=24_000)
    say(f"making {plan.patients} patients and {plan.slots} slots")
    await crowd.furnish(site.db, plan)
    await crowd.people(site.db, plan.patients)
    rows = await learn(site, plan)
    say("a booking writes: " + ", ".join(f"{len(found)} {table}" for table, found in rows.items()))
    text = script(rows, plan, options.clients)
    connection = await crowd.direct(site.db)
    await connection.execute("ANALYZE")
    durable = await connection.fetch(
        "SELECT name, setting FROM pg_settings WHERE name IN ('fsync', 'synchronous_commit', 'full_page_writes')"
    )
    await connection.close()
    drawn = await rush.drawn(site, plan, options.rush_connections)
    say(f"rush with a draw: {drawn}")
    direct = await rush.direct(site, plan, options.rush_connections)
    say(f"rush without a draw: {direct}")
    found = rounds(site, plan, text, options) if options.rounds else []
    await site.db.engine.dispose()
    middle = {
        name: statistics.median(one[name] for one in found)
        for name in ("http_tps", "pgbench_tps", "ratio", "p50_ms", "p99_ms", "api_cpu_ms_each")
    } if found else {}  # fmt: skip
    return middle | {
        "rush": drawn, "rush_direct": direct, "rows": {table: len(made) for table, made in rows.items()}, "clients": options.clients,
        "processes": options.processes, "rounds": found, "durability": dict(durable),
    }  # fmt: skip


def main() -> int:
    """Progress on stderr, one JSON line on stdout."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=8)
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument(
        "--processes", type=int, default=cores(), help="of the API; as in production: one per core"
    )
    parser.add_argument("--rush-connections", type=int, default=400)
    found = bench(parser.parse_args())
    sys.stdout.write(json.dumps(found) + "\n")
    return max(_wrong(found["rush"]), _wrong(found["rush_direct"]))


def _wrong(rush: dict[str, Any]) -> int:
    """Exit status: a figure may be missed, a place may not be lost or sold twice."""
    return int((rush["sold"], rush["oversold"], rush["twice"]) != (PLACES, 0, 0))


if __name__ == "__main__":
    raise SystemExit(main())
