"""One set of certificates and one running gateway a test."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from foundation.tls import client_context
from front_gateway.policy.reading import DEFAULT, Policy, read_policy
from standalone.certificates import Certificates, ensure
from standalone.paths import DataFolder
from tests.unit.gateway.background import Running, gateway

Caller = Callable[[str], httpx.Client]


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return ensure(DataFolder(tmp_path_factory.mktemp("certificates")))


@pytest.fixture
def policy() -> Policy:
    return read_policy(DEFAULT)


@pytest.fixture
def running(policy: Policy, certificates: Certificates, tmp_path: Path) -> Iterator[Running]:
    """A gateway with the policy of the module (override `policy` for another)."""
    with gateway(policy, certificates, tmp_path) as up:
        yield up


@pytest.fixture
def caller(running: Running, certificates: Certificates) -> Iterator[Caller]:
    """`caller("backend-api")` is a client with that process's certificate."""
    with ExitStack() as stack:

        def make(name: str) -> httpx.Client:
            pair = certificates.hospital[name]
            tls = client_context(pair.certificate, pair.key, certificates.hospital.root)
            return stack.enter_context(
                httpx.Client(base_url=f"https://127.0.0.1:{running.port}", verify=tls, timeout=20)
            )

        yield make


@pytest.fixture
def ask(caller: Caller) -> Callable[..., httpx.Response]:
    """Call an operation as the API does, or as the worker does when it writes or compares money."""
    clients: dict[str, httpx.Client] = {}

    def call(operation: str, **body: Any) -> httpx.Response:
        name = (
            "backend-worker"
            if operation.startswith(("write-", "charges", "stock", "prices", "lock-", "unlock-"))
            else "backend-api"
        )
        if name not in clients:
            clients[name] = caller(name)
        return clients[name].post(f"/his/v1/{operation}", json=body)

    return call
