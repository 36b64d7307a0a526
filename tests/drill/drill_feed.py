"""`make drill-feed`: a million events through a storm, and at the end nothing is missing, nothing out of order, nothing unexplained.

`ARGS="--events 20000 --seed 7"`; SIGINT or SIGTERM once: no more events, what was written is brought home and judged. Two workers, two gateways, adapter and platform run as processes over a database with normal durability.
The person at the desk is played: what was parked because its answer was lost is sent again, as she would after asking the platform.
The last line is JSON; status 1 when receiver and sender differ, a stream is out of order, or a gap stayed open.
"""

import argparse
import asyncio
import json
import random
import signal
import subprocess
import sys
import time
from datetime import timedelta
from typing import Any

from foundation.clock import Clock
from regulator_adapter.resubmit import operator, resubmit_code
from tests.drill.feed_check import findings
from tests.drill.feed_storm import Storm
from tests.load.feed_events import VISIT, Outbox, before_all, visits
from tests.load.feed_ground import FeedGround, feed_ground
from tests.load.ground import ROOT, say

WORKERS = ("worker-1", "worker-2")
AHEAD = 4000
"""Events written before the adapter has them: the storm is to meet a feed that flows."""
PERSON = operator("演练值班员")
STILL = 900.0
"""Seconds in which something must move."""


async def drill(ground: FeedGround, events: int, seed: int) -> dict[str, Any]:
    """One drill."""
    begun = time.monotonic()
    _start(ground)
    drawn = random.Random(seed)
    storm = Storm(ground, drawn, WORKERS)
    outbox = Outbox(ground.outbox)
    await outbox.write(before_all(Clock().now() - timedelta(days=2)))
    raging = asyncio.create_task(storm.rage())
    watch = Watch(ground, outbox)
    watching = asyncio.create_task(watch.run())
    made = visits(-(-events // VISIT), Clock().now() - timedelta(hours=26))
    enough = asyncio.Event()
    for sign in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(sign, enough.set)
    while not enough.is_set():
        if not await outbox.write(made, most=2000):
            break
        while outbox.written - watch.arrived > AHEAD and not enough.is_set():
            await asyncio.sleep(0.2)
        if outbox.written >= events:
            break
    say(f"all {outbox.written} events are written; the storm goes on until they have arrived")
    await watch.until(lambda: watch.arrived >= outbox.written)
    await storm.calm()
    await raging
    await storm.settle_down()
    await _no_waiting(ground)
    say("calm; what is open goes out")
    await watch.until(lambda: watch.arrived >= outbox.written and watch.open == 0 and not watch.for_people)
    watching.cancel()
    found = await findings(ground)
    proof = _verify(ground)
    return found | {
        "proof_holds": proof, "seed": seed, "seconds": round(time.monotonic() - begun), "largest_gap": watch.largest_gap,
        "gaps_seen": watch.gaps_seen, "resubmitted": watch.resubmitted, "storm": dict(sorted(storm.did.items())),
    }  # fmt: skip


async def _no_waiting(ground: FeedGround) -> None:
    """What failed often waits up to ten minutes for its next try: that a drill need not see."""
    connection = await ground.adapter_sql()
    await connection.execute(
        "UPDATE submission SET due_at = now() WHERE state IN ('received', 'mapped', 'submitted') AND due_at > now()"
    )
    await connection.close()


def _start(ground: FeedGround) -> None:
    ground.platform("platform").start()
    for name in ("gateway-a", "gateway-b"):
        ground.gateway(name).start()
    ground.adapter("gateway-a", "gateway-b", REQUEST_SECONDS="8").start()
    for name in WORKERS:
        ground.worker(name).start()


class Watch:
    """Looks every second, tells every ten, and sends again what only a person may."""

    def __init__(self, ground: FeedGround, outbox: Outbox) -> None:
        self._ground, self._outbox = ground, outbox
        self.arrived = self.open = self.for_people = self.resubmitted = 0
        self.largest_gap = self.gaps_seen = 0
        self._moved = time.monotonic()

    async def run(self) -> None:
        """Until cancelled. The bench's own connections are cut by nobody."""
        told = time.monotonic()
        before: tuple[int, ...] = ()
        while True:
            await asyncio.sleep(1)
            connection = await self._ground.adapter_sql()
            try:
                highest, count = await connection.fetchrow(
                    "SELECT coalesce(max(number), 0), count(*) FROM received_event"
                )
                rows = await connection.fetch("SELECT state, count(*) FROM submission GROUP BY state")
            finally:
                await connection.close()
            states = {row[0]: row[1] for row in rows}
            gap = highest - count
            self.gaps_seen += gap > 0
            self.largest_gap = max(self.largest_gap, gap)
            self.arrived = count
            self.open = sum(states.get(name, 0) for name in ("received", "mapped", "submitted"))
            self.for_people = sum(states.get(name, 0) for name in ("rejected", "parked"))
            if self.for_people:
                await self._as_a_person()
            now = (count, self.open, self.for_people)
            if now != before:
                before, self._moved = now, time.monotonic()
            if time.monotonic() - told > 10:
                told = time.monotonic()
                say(
                    f"  {self._outbox.written} written, {count} arrived, {self.open} open, {self.for_people} with people, gaps {gap}"
                )

    async def _as_a_person(self) -> None:
        for code in ("ambiguous", "40001", "40012"):
            self.resubmitted += len(await resubmit_code(self._ground.records, code, PERSON, "已与平台核对"))

    async def until(self, ready: Any) -> None:
        """`TimeoutError` when nothing moves any more."""
        while not ready():
            if time.monotonic() - self._moved > STILL:
                raise TimeoutError(
                    f"nothing moves: {self.arrived} arrived, {self.open} open, {self.for_people} with people"
                )
            await asyncio.sleep(0.3)


def _verify(ground: FeedGround) -> bool:
    env = ground["adapter"].env
    done = subprocess.run(
        [sys.executable, "-m", "regulator_adapter", "verify"], cwd=ROOT, env=env, capture_output=True, text=True, check=False
    )  # fmt: skip
    if done.returncode:
        say(done.stdout[-2000:] + done.stderr[-2000:])
    return done.returncode == 0


BAD = (
    "lost", "never_sent", "not_accepted", "records_missing", "records_unknown", "gaps", "breaks", "links_not_good", "out_of_order",
    "twice_unnamed",
)  # fmt: skip


def main() -> int:
    """Exit status 1 when anything differs."""
    parser = argparse.ArgumentParser(prog="python -m tests.drill.drill_feed")
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=20261123)
    chosen = parser.parse_args()
    with feed_ground() as ground:
        line = asyncio.run(drill(ground, chosen.events, chosen.seed))
    sys.stdout.write(json.dumps(line, ensure_ascii=False) + "\n")
    return 1 if any(line[name] for name in BAD) or not line["proof_holds"] else 0


if __name__ == "__main__":
    sys.exit(main())
