"""The city platform as a process, a gateway before it, the adapter behind that, and a relay that delivers events."""

import contextlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import msgspec

from contracts.envelope import Delivery, Envelope
from standalone.certificates import Certificates
from standalone.stores import StoreOptions
from tests.builders.events import HOSPITAL_ID
from tests.contract.hospitals import environment, identity
from tests.contract.started import free_port, running, wait_until
from tests.temporary import stores_in_memory

SAMPLES = Path(__file__).parent / "samples" / "supervision"
SAMPLES_BY_TABLE = Path(__file__).parent / "samples" / "supervision_guangdong"
WORLD = SAMPLES / "world"
ACCESS = {
    "UNIT_ID": "UNIT0001",
    "APP_KEY": "app-1",
    "APP_SECRET": "00112233445566778899aabbccddeeff",
    "IV": "ff" * 16,
}
NOT_STARTED = "redis://127.0.0.1:1/0"


@dataclass(frozen=True)
class Platform:
    """A running platform; `controls` is its plain port."""

    url: str
    controls: httpx.Client

    def summary(self) -> dict[str, Any]:
        """What it has, by its own count."""
        answer = self.controls.get("/_test/summary")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def faults(self, **switches: Any) -> None:
        """Set exactly these faults."""
        answer = self.controls.put("/_test/faults", json=switches)
        assert answer.status_code == 200, answer.text


@dataclass(frozen=True)
class Adapter:
    """A running adapter; `relay` is the backend's worker, `desk` its API, `stranger` a process that may not deliver."""

    relay: httpx.Client
    desk: httpx.Client
    stranger: httpx.Client
    health: httpx.Client
    environment: dict[str, str]
    folder: Path

    def deliver(self, envelopes: list[Envelope]) -> httpx.Response:
        """`POST /events`."""
        return self.relay.post("/events", content=msgspec.json.encode(Delivery(envelopes)))

    def figures(self) -> dict[str, Any]:
        """`GET /figures`."""
        found: dict[str, Any] = self.health.get("/figures").json()
        return found

    def settle(self) -> dict[str, Any]:
        """Wait until everything is accepted or with people."""

        def at_rest() -> bool:
            found = self.figures()
            return bool(found["missing"] == found["parked"] + found["rejected"])

        wait_until(at_rest, "all records settled")
        return self.figures()


@contextlib.contextmanager
def platform(folder: Path, certificates: Certificates, **settings: str) -> Iterator[Platform]:
    """The simulator of the city platform, by mutual TLS; `settings` come on top."""
    port, health = free_port(), free_port()
    pair = certificates.platform["supervision"]
    data = folder / "platform"
    data.mkdir()
    env = environment(
        PORT=str(port),
        HEALTH_PORT=str(health),
        SUPERVISION_WORLD=str(WORLD),
        SUPERVISION_DATA=str(data),
        SUPERVISION_TLS_CERT=str(pair.certificate),
        SUPERVISION_TLS_KEY=str(pair.key),
        SUPERVISION_TLS_CA=str(certificates.platform.root),
        SUPERVISION_TLS_CLIENTS=certificates.platform["gateway-a"].identity,
        SUPERVISION_SEAL_CERT=str(certificates.platform["supervision-seal"].certificate),
        SUPERVISION_SEAL_KEY=str(certificates.platform["supervision-seal"].key),
        SUPERVISION_HOSPITAL_SEAL_ROOT=str(certificates.hospital.root),
        SUPERVISION_HOSPITAL_SEAL_NAME=certificates.hospital["adapter-seal"].identity,
        **{f"SUPERVISION_{name}": value for name, value in ACCESS.items()},
        **settings,
    )
    command = [sys.executable, "-m", "simulators", "supervision"]
    with (
        running(command, port=port, folder=folder, env=env, name="platform"),
        httpx.Client(base_url=f"http://127.0.0.1:{health}", timeout=20) as controls,
    ):
        yield Platform(f"https://127.0.0.1:{port}", controls)


@contextlib.contextmanager
def gateway(city: Platform, folder: Path, certificates: Certificates) -> Iterator[str]:
    """A gateway whose outward side leads to `city`; nobody listens where the hospital should be. Yields its address."""
    port, health = free_port(), free_port()
    pair, towards = certificates.hospital["gateway-a"], certificates.platform["gateway-a"]
    audit = folder / "audit"
    audit.mkdir()
    env = environment(
        GATEWAY_NAME="a",
        PORT=str(port),
        HEALTH_PORT=str(health),
        AUDIT_FOLDER=str(audit),
        SERVER_CERT=str(pair.certificate),
        SERVER_KEY=str(pair.key),
        CLIENT_ROOT=str(certificates.hospital.root),
        HIS_URL=f"http://127.0.0.1:{free_port()}",
        CITY_URL=city.url,
        CITY_CERT=str(towards.certificate),
        CITY_KEY=str(towards.key),
        CITY_ROOT=str(certificates.platform.root),
    )
    command = [sys.executable, "-m", "front_gateway"]
    with running(command, port=port, folder=folder, env=env, name="gateway"):
        yield f"https://127.0.0.1:{port}"


@contextlib.contextmanager
def adapter(
    gateways: str, folder: Path, certificates: Certificates, *, direct: bool = False, **settings: str
) -> Iterator[Adapter]:
    """The adapter with a database of its own, migrated by its own command. `direct`: no gateway, it shows the gateway's certificate."""
    import subprocess

    port, health = free_port(), free_port()
    pair = certificates.hospital["adapter"]
    outward = certificates.platform if direct else certificates.hospital
    towards = outward["gateway-a" if direct else "adapter"]
    options = StoreOptions(postgres_port=free_port(), valkey_port=free_port(), redis_url=NOT_STARTED)
    with stores_in_memory(options) as urls:
        env = environment(
            PORT=str(port),
            HEALTH_PORT=str(health),
            DATABASE_URL=urls.regulator,
            HOSPITAL_ID=str(HOSPITAL_ID),
            FIELD_KEYS="t1:" + "11" * 32,
            FIELD_KEY_CURRENT="t1",
            INDEX_KEY="22" * 32,
            SERVER_CERT=str(pair.certificate),
            SERVER_KEY=str(pair.key),
            CLIENT_ROOT=str(certificates.hospital.root),
            ALLOWED_CALLERS=certificates.hospital["backend-worker"].identity,
            GATEWAY_URLS=gateways,
            TLS_CERT=str(towards.certificate),
            TLS_KEY=str(towards.key),
            TLS_ROOT=str(outward.root),
            ORGANISATION=str(WORLD / "hospital.json"),
            TIMING="immediate",
            DESK_CALLERS=certificates.hospital["backend-api"].identity,
            SEAL_CERT=str(certificates.hospital["adapter-seal"].certificate),
            SEAL_KEY=str(certificates.hospital["adapter-seal"].key),
            PLATFORM_SEAL_ROOT=str(certificates.platform.root),
            PLATFORM_SEAL_IDENTITY=certificates.platform["supervision-seal"].identity,
            RECONCILE_SECONDS="0",
            **{f"PLATFORM_{name}": value for name, value in ACCESS.items()},
            **settings,
        )
        command = [sys.executable, "-m", "regulator_adapter"]
        subprocess.run([*command, "migrate"], cwd=folder, env=env, check=True, timeout=60)
        url = f"https://127.0.0.1:{port}"
        with (
            running(command, port=port, folder=folder, env=env, name="adapter"),
            httpx.Client(base_url=url, verify=identity(certificates, "backend-worker"), timeout=30) as relay,
            httpx.Client(base_url=url, verify=identity(certificates, "backend-api"), timeout=30) as desk,
            httpx.Client(
                base_url=url, verify=identity(certificates, "backend-media"), timeout=30
            ) as stranger,
            httpx.Client(base_url=f"http://127.0.0.1:{health}", timeout=30) as plain,
        ):
            yield Adapter(relay, desk, stranger, plain, env, folder)
