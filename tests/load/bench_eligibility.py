"""`make bench-eligibility`: what one eligibility question asks of the hospital, through the gateway, a million residents behind it.

A question is two calls, one after the other, as the backend makes them: `find-patient` by id number and name, then `visits` of the last
370 days. Questions come at a fixed rate whether or not the ones before are answered, each about another resident drawn from the whole
file; a question's time counts from the moment it was due. Answers are compared with the world: a wrong one is an error.

Its last line is JSON: {residents, generated_s, rss_mb, rate, p50_ms, p99_ms, errors, …}.
"""

import argparse
import asyncio
import json
import os
import random
import resource
import ssl
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import httpx
import psutil
import uvloop

from foundation.clock import Clock
from standalone.certificates import Certificates, ensure
from standalone.paths import DataFolder
from tests.contract.hospitals import ROOT, Hospital, environment, gateway_before, identity
from tests.contract.started import free_port, running

LOOK_BACK = timedelta(days=370)
LONGEST_START = 600.0


@dataclass(frozen=True)
class Person:
    """Whom a question is about, and what must come back: one number, and so many visits."""

    id_number: str
    name: str
    number: str
    visits: int


@dataclass
class Tally:
    """`times` are seconds from the moment a question was due."""

    times: list[float] = field(default_factory=list)
    calls: dict[str, list[float]] = field(default_factory=lambda: {"find-patient": [], "visits": []})
    wrong: Counter[str] = field(default_factory=Counter)


def generate(folder: Path, size: str) -> float:
    """Seconds that the world took."""
    begun = time.monotonic()
    command = [sys.executable, "-m", "standalone.people", "--out", str(folder), "--size", size]
    subprocess.run(command, check=True, cwd=ROOT, stdout=sys.stderr)
    return time.monotonic() - begun


def draw(world: Path, number: int, since: date, seed: int) -> list[Person]:
    """Residents from anywhere in the file."""
    chance, path = random.Random(seed), world / "residents.json"
    people: dict[str, Person] = {}
    size = path.stat().st_size
    with path.open("rb") as file:
        while len(people) < number:
            file.seek(chance.randrange(size))
            file.readline()
            line = file.readline().rstrip(b",\n")
            if line.startswith(b"{"):
                one = json.loads(line)
                people[one["id"]] = Person(one["id_number"], one["name"], one["id"], _visits(one, since))
    return list(people.values())


def _visits(one: dict[str, Any], since: date) -> int:
    return sum(visit.get("discharged_on", visit["date"]) >= str(since) for visit in one.get("visits", []))


async def ask(
    session: aiohttp.ClientSession, url: str, person: Person, due: float, since: date, tally: Tally
) -> None:
    """One question, from the moment it was due."""
    await asyncio.sleep(due - time.perf_counter())
    try:
        found = await _call(
            session, url, "find-patient", {"id_number": person.id_number, "name": person.name}, tally
        )
        patient = found["patient"]["patient_id"]
        if patient != person.number:
            tally.wrong["somebody else"] += 1
        reply = await _call(session, url, "visits", {"patient_id": patient, "since": str(since)}, tally)
        if len(reply["visits"]) != person.visits:
            tally.wrong["visits missing"] += 1
    except (aiohttp.ClientError, TimeoutError, ValueError, TypeError, KeyError) as problem:
        tally.wrong[f"{type(problem).__name__}: {problem}"[:80]] += 1
    tally.times.append(time.perf_counter() - due)


async def _call(
    session: aiohttp.ClientSession, url: str, operation: str, body: dict[str, Any], tally: Tally
) -> Any:
    begun = time.perf_counter()
    async with session.post(f"{url}/his/v1/{operation}", json={"purpose": "eligibility", **body}) as reply:
        answer = await reply.json()
        tally.calls[operation].append(time.perf_counter() - begun)
        if reply.status != 200:
            raise ValueError(f"{operation} {reply.status} {answer.get('code')}")
        return answer


async def load(url: str, tls: ssl.SSLContext, people: list[Person], rate: float, since: date) -> Tally:
    """All questions, so many a second."""
    tally = Tally()
    connector = aiohttp.TCPConnector(ssl=tls, limit=64)
    async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(10)) as session:
        start = time.perf_counter() + 0.2
        await asyncio.gather(
            *(ask(session, url, one, start + place / rate, since, tally) for place, one in enumerate(people))
        )
    return tally


def at(values: list[float], part: float) -> float:
    """Quantile in milliseconds."""
    ordered = sorted(values)
    return round(ordered[min(int(len(ordered) * part), len(ordered) - 1)] * 1000, 2) if ordered else 0.0


def hospital(stack: ExitStack, folder: Path, world: Path, certificates: Certificates) -> tuple[Hospital, psutil.Process, float]:  # fmt: skip
    """The simulator over mutual TLS, once it is ready; its process, and the seconds it took."""
    port, health = free_port(), free_port()
    pair = certificates.hospital["his"]
    (data := folder / "his").mkdir(exist_ok=True)
    env = environment(
        PORT=str(port), HEALTH_PORT=str(health), HIS_WORLD=str(world), HIS_DATA=str(data),
        HIS_TLS_CERT=str(pair.certificate), HIS_TLS_KEY=str(pair.key), HIS_TLS_CA=str(certificates.hospital.root),
        HIS_TLS_CLIENTS=certificates.hospital["gateway-a"].identity,
    )  # fmt: skip
    begun = time.monotonic()
    command = [sys.executable, "-m", "simulators", "his"]
    process = stack.enter_context(running(command, port=health, folder=folder, env=env, name="his"))
    while True:
        try:
            if httpx.get(f"http://127.0.0.1:{health}/readyz").status_code == 200:
                break
        except httpx.TransportError:
            pass
        if process.poll() is not None or time.monotonic() - begun > LONGEST_START:
            raise SystemExit(f"the hospital did not start: {(folder / 'his.log').read_text()[-2000:]}")
        time.sleep(0.1)
    url = f"https://127.0.0.1:{port}"
    client = stack.enter_context(httpx.Client(base_url=url, verify=identity(certificates, "gateway-a")))
    return Hospital("simulator", url, client), psutil.Process(process.pid), time.monotonic() - begun


def measure(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """The line to print."""
    since = Clock().today() - LOOK_BACK
    world = options.world or folder / "world"
    made = 0.0 if (world / "world.json").is_file() else generate(world, options.size)
    about = json.loads((world / "world.json").read_bytes())
    certificates = ensure(DataFolder(folder / "certificates"))
    people = draw(world, int(options.rate * (options.seconds + options.warm)), since, options.seed)
    warm = int(options.rate * options.warm)
    with ExitStack() as stack:
        his, his_process, indexed = hospital(stack, folder, world, certificates)
        run = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=folder)))
        gateway = stack.enter_context(gateway_before(his, run, certificates))
        gateway_process = psutil.Process(gateway.process.pid)
        tls = identity(certificates, "backend-api")
        uvloop.run(load(gateway.url, tls, people[:warm], options.rate, since))
        time.sleep(1)
        spent = [sum(one.cpu_times()[:2]) for one in (his_process, gateway_process)]
        own = time.process_time()
        tally = uvloop.run(load(gateway.url, tls, people[warm:], options.rate, since))
        cpu = [sum(one.cpu_times()[:2]) - before for one, before in zip((his_process, gateway_process), spent, strict=True)]  # fmt: skip
        number = len(tally.times)
        return {
            "residents": about["residents"], "generated_s": round(made + indexed, 1), "world_s": round(made, 1),
            "index_s": round(indexed, 1), "generator_peak_mb": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024,
            "rss_mb": his_process.memory_info().rss >> 20, "gateway_rss_mb": gateway_process.memory_info().rss >> 20,
            "rate": options.rate, "questions": number, "p50_ms": at(tally.times, 0.5), "p99_ms": at(tally.times, 0.99),
            "max_ms": at(tally.times, 1.0), "find_p99_ms": at(tally.calls["find-patient"], 0.99),
            "visits_p99_ms": at(tally.calls["visits"], 0.99), "errors": sum(tally.wrong.values()), "wrong": tally.wrong,
            "cpu_ms_each": {"his": round(cpu[0] / number * 1000, 2), "gateway": round(cpu[1] / number * 1000, 2), "loader": round((time.process_time() - own) / number * 1000, 2)},
            "load_average": os.getloadavg()[0],
        }  # fmt: skip


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.load.bench_eligibility")
    parser.add_argument("--size", default="xl")
    parser.add_argument("--world", type=Path, help="a world that is there already")
    parser.add_argument("--rate", type=float, default=200, help="questions a second, two calls each")
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--warm", type=float, default=3, help="seconds that do not count")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="keep world and index here")
    options = parser.parse_args()
    if options.folder:
        options.folder.mkdir(parents=True, exist_ok=True)
        line = measure(options, options.folder)
    else:
        with tempfile.TemporaryDirectory(prefix="bench-eligibility-") as folder:
            line = measure(options, Path(folder))
    sys.stdout.write(json.dumps(line, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
