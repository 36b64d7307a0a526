"""The third hospital, which speaks SOAP. What it has is read from its own staff's side and told in the words of the others."""

import contextlib
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx

from standalone.certificates import Certificates
from tests.contract.hospitals import WORLD, Hospital, environment
from tests.contract.started import free_port, running

Json = dict[str, Any]
_VISIT = {"0": "planned", "1": "in-progress", "2": "finished", "9": "cancelled"}


@dataclass(frozen=True)
class SoapHospital(Hospital):
    """`fhir` is a client of its health port here: it has no FHIR."""

    dialect: str = "soap"

    def entries(self, kind: str, **by: str) -> list[Json]:
        """What it has of a kind, by `outer` (request), `key` (appointment) or `number`."""
        answer = self.fhir.get("/_test/entries", params={"kind": kind, **by})
        assert answer.status_code == 200, answer.text
        found: list[Json] = answer.json()
        return found

    def resources(self, kind: str, **params: str) -> list[Json]:
        system, _, value = params["identifier"].rpartition("|")
        by = {"outer" if system.endswith(":request") else "key": value}
        theirs, told = _TOLD[kind]
        return [told(one, value) for one in self.entries(theirs, **by)]

    def slot_status(self, slot_id: str) -> str:
        [slot] = self.entries("slot", number=slot_id)
        return {"0": "free", "1": "busy"}[slot["SlotState"]]


def _visit(one: Json, _: str) -> Json:
    starts = datetime.fromisoformat(f"{one['StartTime']}+08:00")
    bookings = [{"reference": f"Appointment/{number}"} for number in one["Bookings"]]
    return {
        "id": one["VisitNo"], "status": _VISIT[one["Status"]], "period": {"start": starts.isoformat()},
        "subject": {"reference": f"Patient/{one['PatientNo']}"}, **({"appointment": bookings} if bookings else {}),
    }  # fmt: skip


def _booking(one: Json, _: str) -> Json:
    status = "booked" if one["State"] == "1" else "cancelled"
    return {"status": status, "slot": [{"reference": f"Slot/{one['SlotNo']}"}]}


def _charge(one: Json, _: str) -> Json:
    return {"totalGross": {"value": float(one["Amount"]), "currency": "CNY"}, "status": "balanced"}


def _document(one: Json, outer: str) -> Json:
    return {
        "content": [{"attachment": {"data": one["Content"]}}],
        "identifier": [{"value": outer}, {"value": one["Sha256"]}],
    }


def _dispensing(one: Json, outer: str) -> Json:
    return {"identifier": [{"value": value} for value in (outer, one["PrescriptionNo"], one["WaybillNo"])]}


_TOLD: dict[str, tuple[str, Callable[[Json, str], Json]]] = {
    "Encounter": ("visit", _visit),
    "Appointment": ("booking", _booking),
    "Invoice": ("charge", _charge),
    "DocumentReference": ("document", _document),
    "MedicationDispense": ("dispensing", _dispensing),
}


@contextlib.contextmanager
def soap(folder: Path, certificates: Certificates, names: Json | None = None) -> Iterator[SoapHospital]:
    """The simulated hospital, by mutual TLS; `names` are elements that it calls otherwise."""
    port, health = free_port(), free_port()
    pair = certificates.hospital["his"]
    (folder / "names.json").write_text(json.dumps(names or {}), encoding="utf-8")
    env = environment(
        PORT=str(port),
        HEALTH_PORT=str(health),
        HIS_WORLD=str(WORLD),
        HIS_DATA=str(folder),
        HIS_NAMES=str(folder / "names.json"),
        HIS_TLS_CERT=str(pair.certificate),
        HIS_TLS_KEY=str(pair.key),
        HIS_TLS_CA=str(certificates.hospital.root),
        HIS_TLS_CLIENTS=certificates.hospital["gateway-a"].identity,
    )
    command = [sys.executable, "-m", "simulators", "his_soap"]
    controls = f"http://127.0.0.1:{health}"
    with (
        running(command, port=port, folder=folder, env=env, name="his_soap"),
        httpx.Client(base_url=controls, timeout=20) as staff,
    ):
        yield SoapHospital("soap", f"https://127.0.0.1:{port}", staff, controls)
