"""A whole running system for tests that enter by the front door: real processes, started once per xdist worker.

`world.a_patient()` gives somebody nobody used before, so that tests share the system and nothing else. The clock only
moves forward: `await world.moves_on(minutes=31)`.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import httpx
import msgspec

from foundation.clock import Clock, local
from standalone import stores
from standalone.journey import Courier, Doctor, Patient, Pharmacist, Places, Staff
from standalone.journey.visiting import Api, until
from standalone.processes import BY_NAME
from standalone.system import System
from tests.free_ports import free_port_base
from tests.temporary import temporary_folder

T = TypeVar("T")
HYPERTENSION = "I10"
MORNING, EVENING = 9, 16
"""Hours of Shanghai: a world begins between them."""


class World:
    """The system, its people and its clock."""

    def __init__(self, system: System, ahead: timedelta = timedelta(0)) -> None:
        self.system = system
        self.clock = Clock(ahead)
        base = system.port_base
        self.places = Places(
            api=BY_NAME["api"].url(base), wechat=BY_NAME["wechat"].url(base), courier=BY_NAME["courier"].url(base),
            adapter_health=BY_NAME["adapter"].health_url(base), supervision=BY_NAME["supervision"].health_url(base),
        )  # fmt: skip
        folder = system.folder.world
        crowd = msgspec.json.decode((folder / "load_patients.json").read_bytes())
        insured = msgspec.json.decode((folder / "insured.json").read_bytes())
        self._accounts: dict[str, int] = {
            one["openid"]: one.get("account_fen", 0) for one in insured if not one.get("subsidised")
        }
        self.demo: dict[str, Any] = system.demo
        self._patients: list[dict[str, Any]] = [*self.demo["patients"], *crowd]
        self._turns: list[dict[str, Any]] = list(self.demo["doctors"])
        self._staff: dict[str, Staff] = {}
        self._open: list[Any] = []
        self._adapter: Api | None = None
        self._offset = ahead
        self._met: set[tuple[str, str]] = set()

    @property
    def ca_root(self) -> Path:
        """The root of the CA, as a verifier was given it."""
        return self.system.installation.ca.root

    def person(self, department: str = "", code: str = "", *, pays_cash: bool = False) -> dict[str, Any]:
        """Somebody eligible whom no test has used yet; hypertensives are kept for who asks for their code.

        `pays_cash`: the insurance's personal account is empty, so that some of every bill is paid in cash.
        """
        for place, one in enumerate(self._patients):
            fits = one["asks_for"].startswith(code) if code else not one["asks_for"].startswith(HYPERTENSION)
            if pays_cash and self._accounts.get(one["openid"]) != 0:
                continue
            if fits and department in ("", one["department"]):
                return self._patients.pop(place)
        raise LookupError("every patient of this world was used: make it larger")

    def patient_named(self, part: str) -> Patient:
        """A person of demo.json by her part."""
        return self._keep(Patient(self.places, self.demo[part], self.clock))

    async def a_newcomer(self) -> Patient:
        """Logged in and nothing else."""
        patient = self._keep(Patient(self.places, self.person(), self.clock))
        await patient.logs_in()
        return patient

    async def a_patient(self, department: str = "", code: str = "", *, pays_cash: bool = False) -> Patient:
        """Logged in, verified, consenting."""
        patient = self._keep(
            Patient(self.places, self.person(department, code, pays_cash=pays_cash), self.clock)
        )
        await patient.is_ready()
        return patient

    async def doctor(self, department: str = "") -> Doctor:
        """A doctor on shift; each call takes the next one, so that nobody's slots and visits run full."""
        turn = next(place for place, one in enumerate(self._turns) if department in ("", one["department"]))
        person = self._turns.pop(turn)
        self._turns.append(person)
        key = person["login"]
        if key not in self._staff:
            self._staff[key] = self._keep(Doctor(self.places, person, self.clock))
        found = self._staff[key]
        assert isinstance(found, Doctor)
        await on_duty(found)
        return found

    async def doctor_new_to(self, person: Mapping[str, Any]) -> Doctor:
        """A doctor of her department whom no other test has led this named person to: one place a doctor and day."""
        while True:
            found = await self.doctor(person["department"])
            pair = (str(person["id_number"]), found.id)
            if pair not in self._met:
                self._met.add(pair)
                return found

    async def pharmacist(self, part: str = "pharmacist") -> Pharmacist:
        """A pharmacist on shift."""
        if part not in self._staff:
            self._staff[part] = self._keep(Pharmacist(self.places, self.demo[part], self.clock))
        found = self._staff[part]
        assert isinstance(found, Pharmacist)
        await on_duty(found)
        return found

    async def passes(self, prescription_id: str) -> None:
        """Approved by a pharmacist, and by the other one where the doctor had to write a reason."""
        first = await self.pharmacist()
        if (await first.approves(prescription_id))["state"] == "checking":
            await (await self.pharmacist("second_pharmacist")).approves(prescription_id)

    async def staff(self, part: str) -> Staff:
        """Somebody of the staff, logged in."""
        if part not in self._staff:
            self._staff[part] = self._keep(Staff(self.places, self.demo[part], self.clock))
        await logged_in(self._staff[part])
        return self._staff[part]

    def courier(self) -> Courier:
        """A courier."""
        return self._keep(Courier(self.places))

    def api(self, token: str = "") -> Api:
        """The public API, for requests no client of ours would make."""
        api = self._keep(Api(self.places.api))
        api.token = token
        return api

    async def moves_on(self, **time: float) -> None:
        """Move every clock forward."""
        self._offset += timedelta(**time)
        self.clock.shift(self._offset)
        await self.system.set_clock(self._offset)

    async def faults(self, process: str, **switches: Any) -> None:
        """Set the fault switches of a simulator; none clears them."""
        address = self.system.health_url(process)
        async with httpx.AsyncClient(trust_env=False) as client:
            answer = await client.put(f"{address}/_test/faults", json=switches)
        assert answer.status_code < 300, answer.text

    async def reported(self, appointment_id: str, doctor: Staff) -> list[str]:
        """Event types of a visit in their order, once the adapter has them all."""

        async def look() -> list[str] | None:
            feed = await doctor.api.call("GET", f"/appointments/{appointment_id}/feed")
            return feed["events"] if feed["undelivered"] == 0 else None

        return await until(look, "the adapter")

    async def adapter(self, method: str, path: str) -> Any:
        """The adapter's health port."""
        if self._adapter is None:
            self._adapter = self._keep(Api(self.places.adapter_health, ""))
        return await self._adapter.call(method, path)

    async def figures(self) -> dict[str, Any]:
        """The adapter's figures."""
        found: dict[str, Any] = await self.adapter("GET", "/figures")
        return found

    async def until(self, look: Callable[[], Awaitable[T | None]], what: str, seconds: float = 30) -> T:
        """Wait for a condition."""
        return await until(look, what, seconds)

    def _keep(self, somebody: T) -> T:
        self._open.append(somebody)
        return somebody

    async def close(self) -> None:
        """Close every client."""
        for one in self._open:
            await one.close()


async def logged_in(staff: Staff) -> None:
    """Log in unless the session still holds."""
    if staff.api.token and (await staff.api.raw("GET", "/me")).status_code == 200:
        return
    await staff.logs_in()


async def on_duty(staff: Staff) -> None:
    """Log in and open a shift unless both still hold."""
    await logged_in(staff)
    if (await staff.api.raw("GET", "/shifts/current")).status_code != 200:
        await staff.opens_shift()


def till_morning() -> timedelta:
    """Until a morning: a test that lets hours pass must not meet midnight, whenever it is run. Nothing in the daytime."""
    now = local(Clock().now())
    morning = now.replace(hour=MORNING, minute=0, second=0, microsecond=0)
    if now < morning:
        return morning - now
    return timedelta(0) if now.hour < EVENING else morning + timedelta(days=1) - now


@asynccontextmanager
async def running_world(
    worker: int, only: Collection[str] = frozenset(BY_NAME), **environment: str
) -> AsyncIterator[World]:
    """A system of its own: one for a whole test session, or some of its processes for one module."""
    with temporary_folder("world-") as path:
        environ = {**os.environ, **environment}
        chosen = set(only) - set(environ.get("WORLD_WITHOUT", "").split(","))
        base, ahead = free_port_base(worker), till_morning()
        async with System(
            path / "data", base, env="test", only=chosen, size="s", ahead=ahead, environ=environ
        ) as system:
            world = World(system, ahead)
            try:
                yield world
            finally:
                await world.close()
        await asyncio.to_thread(stores.remove, path / "data")
