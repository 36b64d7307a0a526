"""One hospital with a small world, served on loopback for all tests of this folder: loaded whole, and then as a large one is kept."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest

from simulators.his.__main__ import health_app
from simulators.his.app import create_app
from simulators.his.hospital import Hospital
from simulators.his.load import Limits
from simulators.server import Clock, Listener, in_background
from standalone.people import make_world

STRICT = {"Prefer": "handling=strict"}
FHIR = {"content-type": "application/fhir+json"}


@dataclass(frozen=True)
class Server:
    fhir: httpx.Client
    health: httpx.Client
    demo: dict[str, Any]
    today: date
    world: Path

    def find(self, kind: str, **params: str) -> list[dict[str, Any]]:
        """Resources of the first page, asked strictly."""
        answer = self.fhir.get(
            f"/{kind}", params={name.rstrip("_"): value for name, value in params.items()}, headers=STRICT
        )
        assert answer.status_code == 200, answer.text
        return [entry["resource"] for entry in answer.json().get("entry", [])]

    def create(self, resource: dict[str, Any], **headers: str) -> httpx.Response:
        return self.fhir.post(f"/{resource['resourceType']}", json=resource, headers={**FHIR, **headers})

    def faults(self, **values: object) -> None:
        assert self.health.put("/_test/faults", json=values).status_code == 200


@pytest.fixture(scope="session", params=[Limits(), Limits(whole=0, most=2_000)], ids=["whole", "large"])
def _server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    world, data = tmp_path_factory.mktemp("world"), tmp_path_factory.mktemp("data")
    clock = Clock()
    make_world(world, "s", 5, today=clock.today())
    hospital = Hospital(world, data, clock, limits=request.param)
    listeners = [
        Listener(create_app(hospital), "127.0.0.1", 0),
        Listener(health_app(hospital, "test"), "127.0.0.1", 0),
    ]
    demo = json.loads((world / "demo.json").read_bytes())
    with (
        in_background(listeners) as (fhir, health),
        httpx.Client(base_url=fhir, timeout=20) as fhir_client,
        httpx.Client(base_url=health, timeout=20) as health_client,
    ):
        yield Server(fhir_client, health_client, demo, clock.today(), world)


@pytest.fixture
def his(_server: Server) -> Iterator[Server]:
    yield _server
    _server.faults()
    _server.health.post("/_test/clock", json={"offset_seconds": 0})
