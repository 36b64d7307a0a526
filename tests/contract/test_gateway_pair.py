"""Two gateways at once: either may be killed in mid-call, and either may read its whitelist again, and nobody's call is lost."""

import asyncio
import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path

import httpx
import pytest
from aiohttp import web

from backend.outside.his import Hospital
from contracts import his
from front_gateway.audit_check import verify_day
from standalone.certificates import Certificates
from tests.contract import hospitals
from tests.contract.hospitals import Gateway, identity
from tests.contract.started import wait_until
from tests.unit.gateway import fhir
from tests.unit.gateway.background import Loop, OtherSide, Seen, serve

ASKED = his.FindPatient(purpose="eligibility", id_number=fhir.NUMBER, name=fhir.NAME)


@dataclass(frozen=True)
class Two:
    """Gateways `a` and `b` before one hospital, whose loop is `loop`."""

    a: Gateway
    b: Gateway
    hospital: OtherSide
    loop: Loop
    whitelist: Path


@pytest.fixture
def two(tmp_path: Path, certificates: Certificates) -> Iterator[Two]:
    """Both up."""
    loop, side, stack = Loop(), OtherSide(), contextlib.AsyncExitStack()
    side.on("GET /fhir/Patient", fhir.bundle(fhir.patient()))
    port = loop.run(serve(stack, side))
    system = hospitals.Hospital("held", f"http://127.0.0.1:{port}/fhir", httpx.Client())
    whitelist = tmp_path / "list.toml"
    shipped = (hospitals.ROOT / "front_gateway" / "whitelist.toml").read_text(encoding="utf-8")
    whitelist.write_text(
        shipped.replace("per_second = 200\nburst = 400", "per_second = 9000\nburst = 9000"), encoding="utf-8"
    )
    folders = [tmp_path / name for name in "ab"]
    for folder in folders:
        folder.mkdir()
    with contextlib.ExitStack() as gateways:
        gateways.enter_context(system.fhir)
        a, b = (
            gateways.enter_context(
                hospitals.gateway_before(
                    system, folder, certificates, GATEWAY_NAME=folder.name, WHITELIST=str(whitelist)
                )
            )
            for folder in folders
        )
        yield Two(a, b, side, loop, whitelist)
    loop.run(stack.aclose())
    loop.close()


def lines(gateway: Gateway) -> int:
    """How many calls it wrote down."""
    return sum(file.read_bytes().count(b'"kind":"call"') for file in gateway.audit.glob("*.jsonl"))


def verdict(gateway: Gateway, name: str) -> str:
    """What is wrong with its audit."""
    [file] = gateway.audit.glob("*.jsonl")
    day = date.fromisoformat(file.stem.removeprefix(f"audit-{name}-"))
    return verify_day(gateway.audit, name, day).problem


@pytest.mark.parametrize("killed", ["a", "b"])
def test_killing_either_in_mid_call_costs_that_calls_retry(
    two: Two, certificates: Certificates, killed: str
) -> None:
    dying, staying = (two.a, two.b) if killed == "a" else (two.b, two.a)
    count = 12
    gone = threading.Event()

    async def held(seen: Seen) -> web.Response:
        while not gone.is_set():
            await asyncio.sleep(0.005)
        return web.json_response(fhir.bundle(fhir.patient()), content_type="application/fhir+json")

    two.hospital.answers["GET /fhir/Patient"] = held

    async def ask() -> list[his.FindPatientReply]:
        client = Hospital((dying.url, staying.url), identity(certificates, "backend-api"))
        try:
            calls = [asyncio.create_task(client.call(ASKED, his.FindPatientReply)) for _ in range(count)]
            while len(two.hospital.seen) < count:
                await asyncio.sleep(0.005)
            os.kill(dying.process.pid, signal.SIGKILL)
            await asyncio.to_thread(dying.process.wait)
            gone.set()
            return await asyncio.gather(*calls)
        finally:
            await client.close()

    replies = asyncio.run(ask())

    assert [one.patient.name if one.patient else "" for one in replies] == [fhir.NAME] * count
    assert len(two.hospital.seen) == 2 * count
    assert lines(staying) == count
    assert verdict(staying, "b" if killed == "a" else "a") == ""


def more_than(said: list[int], count: int) -> bool:
    """Whether so many calls have been answered."""
    return len(said) > count


def said_so(log: Path, times: int) -> bool:
    """Whether the gateway has read its whitelist so often, well or ill."""
    return log.read_text(encoding="utf-8").count("reloaded") >= times


def test_a_whitelist_read_again_under_load_drops_no_call(two: Two, certificates: Certificates) -> None:
    stop = threading.Event()
    said: list[int] = []

    def calls() -> None:
        with httpx.Client(base_url=two.a.url, verify=identity(certificates, "backend-api")) as client:
            while not stop.is_set():
                body = {"purpose": "eligibility", "id_number": fhir.NUMBER, "name": fhir.NAME}
                said.append(client.post("/his/v1/find-patient", json=body).status_code)

    log = two.a.audit.parent / "gateway.log"
    threads = [threading.Thread(target=calls) for _ in range(4)]
    for one in threads:
        one.start()
    listed = two.whitelist.read_text(encoding="utf-8")
    for number in range(1, 9):
        before = len(said)
        wait_until(partial(more_than, said, before + 8), "calls")
        text = listed.replace("seconds = 5\n", f"seconds = {5 + number}\n") if number % 4 else "nonsense"
        two.whitelist.write_text(text, encoding="utf-8")
        os.kill(two.a.process.pid, signal.SIGHUP)
        wait_until(partial(said_so, log, number), "the reading")
    stop.set()
    for one in threads:
        one.join()

    assert set(said) == {200}
    assert log.read_text().count("whitelist_reloaded") == 6
    assert lines(two.a) == len(said)
