"""`make bench-journeys`: whole visits per minute on this machine, everything on but video, and the memory of the idle system.

The last line is JSON: {per_min, cpu_s_per_journey, idle_pss_mb, …}. Players and system share the cores, so the CPU of the
system's own processes is counted apart; a visit counts only when its parcel has arrived, the hospital has acknowledged
each step, and after the last one nothing may be missing at the supervisor's.
"""

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from typing import Any

import msgspec
import psutil

from foundation.clock import Clock
from standalone.journey import Courier, Doctor, Patient, Pharmacist, Places
from standalone.journey.play import Play
from standalone.journey.visiting import Api, until
from standalone.processes import BY_NAME
from standalone.system import System

HYPERTENSION = "I10"
OURS = ("api", "worker", "media", "gateway-a", "gateway-b", "adapter", "front")
"""Whose memory counts: the hospital's own processes, without doubles and stores."""


def places(base: int) -> Places:
    """Public addresses."""
    return Places(
        api=BY_NAME["api"].url(base), wechat=BY_NAME["wechat"].url(base), courier=BY_NAME["courier"].url(base),
        adapter_health=BY_NAME["adapter"].health_url(base), supervision=BY_NAME["supervision"].health_url(base),
    )  # fmt: skip


class Meter:
    """CPU and memory of the system's processes, by name; the embedded stores count too."""

    def __init__(self, system: System) -> None:
        self._named = {
            name: psutil.Process(unit.child.pid) for name, unit in system.units.items() if unit.child
        }
        known = {process.pid for process in self._named.values()}
        self._stores = [
            process
            for process in psutil.process_iter(["name"])
            if process.pid not in known and process.info["name"] in ("postgres", "valkey-server")
        ]

    def pss_mb(self) -> dict[str, float]:
        """Proportional set size of our own processes."""
        return {
            name: round(sum(one.memory_full_info().pss for one in _all(self._named[name])) / 1e6, 1)
            for name in OURS
        }

    def cpu(self) -> dict[str, float]:
        """Seconds so far; what postgres has ended meanwhile is lost, which is little."""
        found = {name: _spent(process) for name, process in self._named.items()}
        found["stores"] = sum(_spent(process) for process in self._stores)
        return found


def _all(process: psutil.Process) -> list[psutil.Process]:
    """With its children: the API is one process per core."""
    return [process, *process.children()]


def _spent(process: psutil.Process) -> float:
    try:
        return sum(sum(one.cpu_times()[:2]) for one in _all(process))
    except psutil.NoSuchProcess:
        return 0.0


class Crowd:
    """Players who go through visits side by side, each with a doctor of his own."""

    def __init__(self, system: System, where: Places, count: int) -> None:
        folder = system.folder.world
        people = msgspec.json.decode((folder / "load_patients.json").read_bytes())
        fitting = [one for one in people if one["asks_for"].startswith(HYPERTENSION)]  # the drug is for them
        self._people: Iterator[dict[str, Any]] = iter(fitting[:count])
        self._demo, self._where = system.demo, where
        self._clock = Clock()
        self.took: list[float] = []
        self.steps: Counter[str] = Counter()
        self.failed: Counter[str] = Counter()

    async def run(self, players: int) -> None:
        """Until everybody has been seen."""
        pharmacists = cycle(
            [await self._ready(Pharmacist, self._demo[part]) for part in ("pharmacist", "second_pharmacist")]
        )
        doctors = [await self._ready(Doctor, one) for one in self._demo["doctors"][:players]]
        courier = Courier(self._where)
        await asyncio.gather(*(self._visits(doctor, next(pharmacists), courier) for doctor in doctors))

    async def _ready(self, kind: Any, person: dict[str, Any]) -> Any:
        somebody = kind(self._where, person, self._clock)
        await somebody.is_on_duty()
        somebody.is_on_duty = _already
        return somebody

    async def _visits(self, doctor: Doctor, pharmacist: Pharmacist, courier: Courier) -> None:
        for person in self._people:
            patient = Patient(self._where, person)
            play = Play(self._where, patient, doctor, pharmacist, courier, shown=_nobody, shared=True)
            began = time.monotonic()
            try:
                await self._one(play)
            except Exception as error:
                self.failed[f"{type(error).__name__}: {error}"[:120]] += 1
            else:
                self.took.append(time.monotonic() - began)
                sys.stderr.write(f"\r{len(self.took)} visits")
            finally:
                await patient.close()

    async def _one(self, play: Play) -> None:
        for step in (
            play.login, play.verify, play.consent, play.eligibility, play.book, play.pay_registration, play.accept,
            play.talk, play.write, play.review, play.pay_drugs, play.deliver, play.written_back, play.rate,
        ):  # fmt: skip
            at = time.monotonic()
            await step()
            self.steps[step.__name__] += round((time.monotonic() - at) * 1000)


async def _already() -> None:
    """On duty since the start."""


def _nobody(*_: object) -> None:
    """Shown to nobody."""


async def settled(where: Places) -> dict[str, Any]:
    """The adapter's figures once nothing is missing."""
    adapter = Api(where.adapter_health, "")

    async def look() -> dict[str, Any] | None:
        figures: dict[str, Any] = await adapter.call("GET", "/figures")
        return figures if figures["missing"] == 0 and figures["gaps"] == 0 else None

    try:
        return await until(look, "the supervisor's receipts", 120)
    except TimeoutError:
        sys.stderr.write(f"the adapter says: {await adapter.call('GET', '/figures')}\n")
        raise
    finally:
        await adapter.close()


async def bench(visits: int, players: int, base: int) -> dict[str, Any]:
    """One run on a system of its own."""
    with tempfile.TemporaryDirectory(prefix="bench-journeys-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        await asyncio.to_thread(folder.chmod, 0o755)
        async with System(folder / "data", base, size="m") as system:
            where = places(base)
            await settled(where)
            meter = Meter(system)
            idle = meter.pss_mb()
            sys.stderr.write(f"idle PSS {idle}\n")
            crowd = Crowd(system, where, visits)
            before, began = meter.cpu(), time.monotonic()
            await crowd.run(players)
            played = time.monotonic() - began
            ms = {step: spent // max(visits, 1) for step, spent in crowd.steps.items()}
            sys.stderr.write(
                f"\nplayed in {played:.1f} s; failed: {dict(crowd.failed)}; ms per visit: {ms}\n"
            )
            figures = await settled(where)
            lasted = time.monotonic() - began
            after = meter.cpu()
    return report(crowd, idle, {name: after[name] - before[name] for name in after}, played, lasted, figures)


def report(
    crowd: Crowd,
    idle: dict[str, float],
    cpu: dict[str, float],
    played: float,
    lasted: float,
    figures: dict[str, Any],
) -> dict[str, Any]:
    """The line."""
    done = len(crowd.took)
    sys.stderr.write(
        f"\nms per visit by step: { ({name: ms // max(done, 1) for name, ms in crowd.steps.items()}) }\n"
    )
    return {
        "per_min": round(done / lasted * 60, 1),
        "cpu_s_per_journey": round(sum(cpu.values()) / max(done, 1), 3),
        "idle_pss_mb": round(sum(idle.values())),
        "visits": done, "failed": sum(crowd.failed.values()), "seconds": round(lasted, 1),
        "tail_s": round(lasted - played, 1), "median_visit_s": round(statistics.median(crowd.took or [0]), 2),
        "cpu_ms_by_process": {name: round(spent / max(done, 1) * 1000) for name, spent in sorted(cpu.items())},
        "supervision_missing": figures["missing"],
    }  # fmt: skip


def main() -> int:
    """Exit status 1 when a visit failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.load.bench_journeys")
    parser.add_argument("--visits", type=int, default=160)
    parser.add_argument("--players", type=int, default=12)
    parser.add_argument("--base", type=int, default=16000)
    chosen = parser.parse_args()
    line = asyncio.run(bench(chosen.visits, chosen.players, chosen.base))
    sys.stdout.write(json.dumps(line) + "\n")
    return 1 if line["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
