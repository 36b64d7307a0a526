"""Hospitals that the gateway must get along with, each with a gateway before it, and a caller before that."""

import contextlib
import os
import ssl
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from foundation.tls import client_context
from standalone.certificates import Certificates
from tests.contract.started import free_port, running

ROOT = Path(__file__).parents[2]
SAMPLES = Path(__file__).parent / "samples" / "his"
WORLD = SAMPLES / "world"


@dataclass(frozen=True)
class Hospital:
    """`fhir` speaks to the hospital directly, as its own staff would; `base` is the path its FHIR server lies under."""

    name: str
    url: str
    fhir: httpx.Client
    health: str = ""
    dialect: str = "fhir"

    def slot_status(self, slot_id: str) -> str:
        """Whether a place of its schedule is free."""
        return str(self.fhir.get(f"/Slot/{slot_id}").json()["status"])

    def resources(self, kind: str, **params: str) -> list[dict[str, Any]]:
        """What the hospital itself has."""
        answer = self.fhir.get(f"/{kind}", params=params)
        assert answer.status_code == 200, answer.text
        return [entry["resource"] for entry in answer.json().get("entry", [])]


@dataclass(frozen=True)
class Gateway:
    """A running gateway: `api` and `worker` are callers with their own certificates."""

    hospital: Hospital
    url: str
    api: httpx.Client
    worker: httpx.Client
    health: str
    audit: Path
    process: subprocess.Popen[bytes]

    def ask(self, operation: str, **body: Any) -> httpx.Response:
        """Call an operation as the API does, or as the worker does when it writes or compares money."""
        caller = self.worker if operation.startswith(("write-", "charges")) else self.api
        return caller.post(f"/his/v1/{operation}", json=body)

    def patient_id(self, number: str, name: str) -> str:
        """The hospital's id of a person."""
        reply = self.ask("find-patient", purpose="eligibility", id_number=number, name=name)
        assert reply.status_code == 200, reply.text
        found: str = reply.json()["patient"]["patient_id"]
        return found


def environment(**more: str) -> dict[str, str]:
    """This process's own, with the project importable."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("HIS_", "SEKMET_"))}
    return {**kept, "PYTHONPATH": str(ROOT), "ENV": "test", **more}


@contextlib.contextmanager
def sekmet(folder: Path) -> Iterator[Hospital]:
    """sekmet-fhir as it comes (base address of its links included: it calls itself localhost:8090), with our world in it."""
    port = free_port()
    command = [
        str(Path(sys.executable).parent / "sekmet"),
        "serve",
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
    ]
    url = f"http://127.0.0.1:{port}/fhir"
    with running(command, port=port, folder=folder, env=environment(), name="sekmet"):
        load(url, folder)
        with httpx.Client(base_url=url, timeout=20) as fhir:
            yield Hospital("sekmet", url, fhir)


def load(url: str, folder: Path) -> None:
    """Run the loader as a person would."""
    done = subprocess.run(
        [sys.executable, "-m", "standalone.load_fhir", "--url", url, "--world", str(WORLD)],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@contextlib.contextmanager
def simulator(folder: Path, certificates: Certificates) -> Iterator[Hospital]:
    """Our own simulated hospital, by mutual TLS."""
    port, health = free_port(), free_port()
    pair = certificates.hospital["his"]
    env = environment(
        PORT=str(port),
        HEALTH_PORT=str(health),
        HIS_WORLD=str(WORLD),
        HIS_DATA=str(folder),
        HIS_TLS_CERT=str(pair.certificate),
        HIS_TLS_KEY=str(pair.key),
        HIS_TLS_CA=str(certificates.hospital.root),
        HIS_TLS_CLIENTS=certificates.hospital["gateway-a"].identity,
    )
    url = f"https://127.0.0.1:{port}"
    with (
        running([sys.executable, "-m", "simulators", "his"], port=port, folder=folder, env=env, name="his"),
        httpx.Client(base_url=url, verify=identity(certificates, "gateway-a"), timeout=20) as fhir,
    ):
        yield Hospital("simulator", url, fhir, f"http://127.0.0.1:{health}")


@contextlib.contextmanager
def gateway_before(
    hospital: Hospital, folder: Path, certificates: Certificates, **more: str
) -> Iterator[Gateway]:
    """A gateway process in front of `hospital`; nobody listens where the city platform should be."""
    port, health, nobody = free_port(), free_port(), free_port()
    pair, towards = certificates.hospital["gateway-a"], certificates.platform["gateway-a"]
    audit = folder / "audit"
    audit.mkdir()
    env = (
        environment(
            GATEWAY_NAME="a",
            PORT=str(port),
            HEALTH_PORT=str(health),
            AUDIT_FOLDER=str(audit),
            SERVER_CERT=str(pair.certificate),
            SERVER_KEY=str(pair.key),
            CLIENT_ROOT=str(certificates.hospital.root),
            HIS_URL=hospital.url,
            HIS_DIALECT=hospital.dialect,
            HIS_CERT=str(pair.certificate),
            HIS_KEY=str(pair.key),
            HIS_ROOT=str(certificates.hospital.root),
            CITY_URL=f"https://127.0.0.1:{nobody}",
            CITY_CERT=str(towards.certificate),
            CITY_KEY=str(towards.key),
            CITY_ROOT=str(certificates.platform.root),
        )
        | more
    )
    url = f"https://127.0.0.1:{port}"
    command = [sys.executable, "-m", "front_gateway"]
    with (
        running(command, port=port, folder=folder, env=env, name="gateway") as process,
        httpx.Client(base_url=url, verify=identity(certificates, "backend-api"), timeout=30) as api,
        httpx.Client(base_url=url, verify=identity(certificates, "backend-worker"), timeout=30) as worker,
    ):
        yield Gateway(hospital, url, api, worker, f"http://127.0.0.1:{health}", audit, process)


def identity(certificates: Certificates, name: str) -> ssl.SSLContext:
    """A client's context with the certificate of process `name`."""
    pair = certificates.hospital[name]
    return client_context(pair.certificate, pair.key, certificates.hospital.root)


def new_request() -> str:
    """A fresh request id."""
    return str(uuid.uuid4())
