"""Turns over the days that are not closed, every few minutes; also when somebody asks. Nothing depends on the rhythm."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field

from prometheus_client import Gauge

from foundation.db.unit_of_work import unit_of_work
from foundation.errors import AppError
from foundation.logs import log
from regulator_adapter.days import opening
from regulator_adapter.days.service import Days, reconcile

UNCLOSED = Gauge("regulator_days_unclosed", "days that are over and not closed")
OLDEST = Gauge("regulator_oldest_day_seconds", "age of the oldest day that is over and not closed")


@dataclass
class Turning:
    """The loop; `wanted` wakes it."""

    days: Days
    seconds: int
    wanted: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`."""
        stopped = asyncio.create_task(stop.wait())
        while not stop.is_set():
            if self.seconds:
                try:
                    await self.turn()
                except Exception as error:
                    log.error("days_failed", exc_info=error)
            waiting = asyncio.create_task(self.wanted.wait())
            with suppress(TimeoutError):
                async with asyncio.timeout(self.seconds or None):
                    await asyncio.wait({stopped, waiting}, return_when=asyncio.FIRST_COMPLETED)
            waiting.cancel()
            self.wanted.clear()
        stopped.cancel()

    async def turn(self) -> int:
        """Open what is due and reconcile what is open; returns how many days stay open."""
        await opening.open_days(self.days.db)
        async with unit_of_work(self.days.db) as session:
            due = [row.day for row in await opening.unclosed(session)]
        left = []
        for day in due:
            try:
                row = await reconcile(self.days, day)
            except AppError as error:
                log.info("day_not_reconciled", day=day.isoformat(), code=error.code)
                left.append(day)
                continue
            if row.closed_at is None:
                left.append(day)
            else:
                log.info("day_closed", day=day.isoformat(), supplement=row.supplement, events=row.events)
        UNCLOSED.set(len(left))
        OLDEST.set((self.days.db.clock.today() - min(left)).days * 86_400 if left else 0)
        return len(left)
