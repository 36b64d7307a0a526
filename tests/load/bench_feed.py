"""`make bench-feed`: events from the outbox to the accepted receipt, beside bare posts of the same encrypted bodies, in one run.

The feed: worker (seals, relays), adapter, one gateway, the platform's simulator, each a process, the database with normal durability.
The bare loop posts the same lists, byte for byte (their digests are compared), straight to a second platform whose store is empty, with
as many requests at a time. Then 50 events a second, each in a transaction of its own, for the time from commit to receipt.
The last line is JSON: {events_per_s, bare_per_s, ratio, lost, duplicated, lag_p99_ms, …}.
"""

import argparse
import asyncio
import json
import subprocess
import sys
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from contracts.envelope import Envelope
from foundation.clock import Clock
from foundation.db.outbox import OutboxEvent, publish
from foundation.db.unit_of_work import unit_of_work
from foundation.suites.secret_keys import secret_key
from regulator_adapter import profiles
from regulator_adapter.city_wire import Credentials, encrypt, sm3
from regulator_adapter.routing import routing
from tests.contract.platforms import ACCESS
from tests.load.feed_events import VISIT, Outbox, before_all, envelope, visits
from tests.load.feed_ground import FeedGround, feed_ground, until
from tests.load.ground import KEYS, ROOT, say
from tests.unit.regulator_adapter import mapped

CONCURRENCY = 8
"""Requests to one platform at a time, as the adapter's default."""
RATE = 50
LAG_SECONDS = 30
_LEFT = "SELECT count(*) FROM submission WHERE state <> 'accepted'"


async def bench(ground: FeedGround, events: int, lag_seconds: float) -> dict[str, Any]:
    """One whole run."""
    ground.platform("platform").start()
    ground.gateway("gateway-a").start()
    ground.adapter("gateway-a").start()
    ground.worker()
    outbox = Outbox(ground.outbox)
    say("the drugs and doctors first")
    await outbox.write(before_all(Clock().now() - timedelta(days=2)))
    ground["worker"].start()
    await settled(ground, outbox.written)
    ground["worker"].end()
    first = outbox.written
    count = -(-events // VISIT)
    say(f"{events} events of {count} visits into the outbox")
    await outbox.write(visits(count, Clock().now() - timedelta(hours=25)), most=events)
    await outbox.remember_streams()
    fed = await feed(ground, outbox.written, first)
    say(f"feed: {fed['events_per_s']:.0f} events/s; CPU {fed['cpu_s']}; requests {fed['requests']}")
    lag = await lagging(ground, lag_seconds)
    say(f"lag: {lag}")
    faults = await compare(ground, outbox.written + lag["events"])
    for name in ("worker", "adapter", "gateway-a", "platform"):
        ground[name].end()
    bare = await bare_posts(ground, first, first + events)
    bare_per_s = events / bare["seconds"]
    say(f"bare: {bare_per_s:.0f} events/s, {bare}")
    return {
        "events_per_s": round(fed["events_per_s"], 1), "bare_per_s": round(bare_per_s, 1),
        "ratio": round(fed["events_per_s"] / bare_per_s, 3), **faults,
        "lag_p99_ms": lag["p99_ms"], "lag_p50_ms": lag["p50_ms"], "lag_all_p99_ms": lag["all_p99_ms"],
        "events": events, "records": fed["records"], "requests": fed["requests"], "bare_requests": bare["requests"],
        "bare_refused": bare["refused"], "same_bodies": bare["same"], "cpu_us_per_event": fed["cpu_us_per_event"],
        "bare_cpu_us_per_event": round(bare["platform_cpu_s"] / events * 1e6),
    }  # fmt: skip


async def settled(ground: FeedGround, events: int, seconds: float = 3600, tell: bool = False) -> None:
    """Until every event of the outbox has arrived and every record is accepted."""
    connection = await ground.adapter_sql()
    last = time.monotonic()

    async def done() -> bool:
        nonlocal last
        arrived = await connection.fetchval("SELECT coalesce(max(number), 0) FROM received_event")
        if tell and time.monotonic() - last > 10:
            last = time.monotonic()
            left = await connection.fetchval(_LEFT)
            say(f"  {arrived} arrived, {left} records without a receipt")
        if arrived < events or await connection.fetchval("SELECT count(*) FROM received_event") < events:
            return False
        return not await connection.fetchval(f"SELECT EXISTS ({_LEFT.replace('count(*)', '1')})")

    try:
        await until(done, f"{events} events accepted", seconds, 0.1)
    finally:
        await connection.close()


async def feed(ground: FeedGround, total: int, first: int) -> dict[str, Any]:
    """From the worker's start to the last receipt."""
    names = ("worker", "adapter", "gateway-a", "platform")
    before = {name: ground[name].cpu() for name in names} | {"postgres": ground.postgres_cpu()}
    ground["worker"].start()
    began_at = await _first_seal(ground, first)
    await settled(ground, total, tell=True)
    connection = await ground.adapter_sql()
    last = await connection.fetchval("SELECT max(accepted_at) FROM submission")
    records = await connection.fetchval("SELECT count(*) FROM submission WHERE number > $1", first)
    requests = await connection.fetchval(
        "SELECT count(DISTINCT sent_digest) FROM submission WHERE number > $1", first
    )
    await connection.close()
    used = {name: ground[name].cpu() - before[name] for name in names}
    used["postgres"] = ground.postgres_cpu() - before["postgres"]
    events, seconds = total - first, (last - began_at).total_seconds()
    return {
        "events_per_s": events / seconds, "records": records, "requests": requests,
        "cpu_s": {name: round(spent, 1) for name, spent in used.items()},
        "cpu_us_per_event": {name: round(spent / events * 1e6) for name, spent in used.items()},
    }  # fmt: skip


async def _first_seal(ground: FeedGround, first: int) -> Any:
    """When the sealer began: the time counts from there, not from the worker's start-up."""
    connection = await ground.outbox_sql()

    async def begun() -> bool:
        return bool(await connection.fetchval("SELECT max(sealed_number) > $1 FROM outbox_event", first))

    await until(begun, "sealing", 60, 0.02)
    await connection.close()
    return Clock().now()


async def lagging(ground: FeedGround, seconds: float) -> dict[str, Any]:
    """Commit to receipt at a steady rate: of the real-time profile's records, and of all."""
    count = int(seconds * RATE)
    made = list(visits(-(-count // VISIT), Clock().now() - timedelta(minutes=30), first=10**6, hours=0.4))[
        :count
    ]
    committed: dict[UUID, Any] = {}
    loop = asyncio.get_running_loop()
    began = loop.time()

    async def one(stream: str, event: Any) -> None:
        async with unit_of_work(ground.outbox) as session:
            row = await publish(session, stream, event)
        committed[row.id] = ground.outbox.clock.now()

    async with asyncio.TaskGroup() as tasks:
        for at, (stream, event, _) in enumerate(made):
            await asyncio.sleep(max(0.0, began + at / RATE - loop.time()))
            tasks.create_task(one(stream, event))
    connection = await ground.adapter_sql()

    async def done() -> bool:
        got = await connection.fetchval(
            "SELECT count(*) FROM received_event WHERE event_id = ANY($1)", list(committed)
        )
        return got == len(committed) and not await connection.fetchval(_LEFT)

    await until(done, "the last of them", 60, 0.1)
    rows = await connection.fetch(
        "SELECT event_id, profile, accepted_at FROM submission WHERE event_id = ANY($1)", list(committed)
    )
    await connection.close()
    real_time = {name for name in profiles.NAMES if profiles.profile(name).next_day is None}
    ms = [
        (
            row["profile"] in real_time,
            (row["accepted_at"] - committed[row["event_id"]]).total_seconds() * 1000,
        )
        for row in rows
    ]
    quick, every = sorted(one for real, one in ms if real), sorted(one for _, one in ms)
    return {
        "events": len(committed), "p50_ms": _share(quick, 0.5), "p99_ms": _share(quick, 0.99), "all_p99_ms": _share(every, 0.99),
        "worst_ms": round(every[-1], 1),
    }  # fmt: skip


def _share(values: list[float], share: float) -> float:
    return round(values[min(len(values) - 1, int(len(values) * share))], 1)


async def compare(ground: FeedGround, total: int) -> dict[str, int]:
    """The platform's own store against the outbox: which events it never saw, and what it has more than once."""
    import sqlite3

    connection = await ground.outbox_sql()
    sent = {str(row["id"]) for row in await connection.fetch("SELECT id FROM outbox_event")}
    await connection.close()
    assert len(sent) == total, (len(sent), total)
    store = sqlite3.connect(ground.folder / "platform" / "supervision.sqlite3")
    seen = Counter(row[0] for row in store.execute("SELECT event_id FROM links"))
    twice = store.execute(
        "SELECT coalesce(sum(number), 0) FROM counts WHERE outcome = 'duplicates'"
    ).fetchone()[0]
    store.close()
    return {"lost": len(sent - set(seen)), "duplicated": twice + sum(seen.values()) - len(seen)}


async def bare_posts(ground: FeedGround, first: int, last: int) -> dict[str, Any]:
    """The same lists, to a platform that knows the drugs and doctors only."""
    other = ground.platform("bare")
    other.start()
    bodies, same = await rebuilt(ground, first, last)
    pair = ground.certificates.platform["gateway-a"]
    order: dict[str, Any] = {
        "url": f"https://127.0.0.1:{other.port}", "root": str(ground.certificates.platform.root),
        "certificate": str(pair.certificate), "key": str(pair.key), "app_key": ACCESS["APP_KEY"], "concurrency": CONCURRENCY,
    }  # fmt: skip
    report: dict[str, Any] = {}
    before = 0.0
    for name in ("before", "timed"):
        before = other.cpu()
        path = ground.folder / f"{name}.json"
        path.write_text(json.dumps(order | {"bodies": str(bodies[name])}), encoding="utf-8")
        done = await asyncio.to_thread(
            subprocess.run, [sys.executable, "-m", "tests.load.bare_feed", str(path)], cwd=ROOT, capture_output=True, check=True
        )  # fmt: skip
        sys.stderr.write(done.stderr.decode())
        report = json.loads(done.stdout)
    return report | {"same": same, "platform_cpu_s": other.cpu() - before}


async def rebuilt(ground: FeedGround, first: int, last: int) -> tuple[dict[str, Path], bool]:
    """Each list that went out, made again from the events; `True` when every one has the digest that was written down."""
    say("making the same bodies again")
    credentials = Credentials(
        ACCESS["APP_KEY"], secret_key(ACCESS["APP_SECRET"]), bytes.fromhex(ACCESS["IV"])
    )
    connection = await ground.adapter_sql()
    rows = await connection.fetch(
        "SELECT number, event_id, profile, method, business_number, sent_digest, submitted_at FROM submission "
        "WHERE number <= $1 ORDER BY submitted_at, number, id", last,
    )  # fmt: skip
    await connection.close()
    records = await _records(ground, last)
    lists: dict[str, list[Any]] = {}
    for row in rows:
        lists.setdefault(row["sent_digest"], []).append(row)
    bodies = {name: ground.folder / f"{name}.tsv" for name in ("before", "timed")}
    same = True
    with bodies["before"].open("wb") as before, bodies["timed"].open("wb") as timed:
        for digest, members in lists.items():
            profile = profiles.profile(members[0]["profile"])
            members.sort(key=lambda row: row["number"])
            plain = json.dumps(
                [records[row["event_id"], row["profile"], row["method"], row["business_number"]] for row in members],
                ensure_ascii=False, separators=(",", ":"),
            )  # fmt: skip
            body = encrypt(plain.encode(), credentials).hex().encode()
            same = same and sm3(body).hex().upper() == digest
            line = b"\t".join(
                (profile.path.encode(), profile.service.encode(), members[0]["method"].encode(), body)
            )
            (before if members[-1]["number"] <= first else timed).write(line + b"\n")
    return bodies, same


async def _records(ground: FeedGround, last: int) -> dict[tuple[UUID, str, str, str], dict[str, Any]]:
    from sqlalchemy import select

    found: dict[tuple[UUID, str, str, str], dict[str, Any]] = {}
    streams: dict[str, list[Any]] = {}
    table = routing()
    for begin in range(1, last + 1, 5000):
        async with unit_of_work(ground.outbox) as session:
            query = (
                select(OutboxEvent)
                .where(OutboxEvent.sealed_number.between(begin, min(last, begin + 4999)))
                .order_by(OutboxEvent.sealed_number)
            )
            envelopes: list[Envelope] = [envelope(row) for row in await session.scalars(query)]
        for one in envelopes:
            earlier = streams.setdefault(one.stream, [])
            given = mapped.source(one, list(earlier), ring=KEYS)
            for stop in table.stops(one.type, given.event):
                record, issues = mapped.record(stop, given)
                assert not issues, issues
                found[one.event_id, stop.profile, stop.method, stop.number] = record
            earlier.append(given.event)
    return found


def main() -> int:
    """Exit status 1 when something was lost or doubled."""
    parser = argparse.ArgumentParser(prog="python -m tests.load.bench_feed")
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--lag-seconds", type=float, default=LAG_SECONDS)
    chosen = parser.parse_args()
    with feed_ground() as ground:
        line = asyncio.run(bench(ground, chosen.events, chosen.lag_seconds))
    sys.stdout.write(json.dumps(line) + "\n")
    return 1 if line["lost"] or line["duplicated"] else 0


if __name__ == "__main__":
    sys.exit(main())
