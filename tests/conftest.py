"""What holds for every test: no socket leaves this machine, and each xdist worker has ports of its own."""

import ipaddress
import os
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest
from hypothesis import settings

from tests.free_ports import free_port_base

if TYPE_CHECKING:
    from tests.world import World

pytest_plugins = ["tests.fixtures"]
# How long one example takes is a matter of who else is on the machine.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
AT_REST = Path(__file__).parents[1] / "artefacts" / "data-at-rest.md"
LOCAL_NAMES = {"localhost", "", socket.gethostname()}


def pytest_configure(config: pytest.Config) -> None:
    """A report of an earlier run is no proof; workers leave it to the run that started them."""
    if not hasattr(config, "workerinput"):
        AT_REST.unlink(missing_ok=True)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name the report on what the cloud keeps, if this run made one."""
    if AT_REST.exists():
        told = next(
            line for line in AT_REST.read_text(encoding="utf-8").splitlines() if line.startswith("**")
        )
        terminalreporter.write_line(
            f"{AT_REST.relative_to(terminalreporter.config.rootpath)}: {told.strip('*')}"
        )


class OutsideWorld(RuntimeError):
    """A test wanted to talk to another machine."""


def _is_local(address: object) -> bool:
    if not isinstance(address, tuple):  # a path, or an address family that is no network
        return True
    host = address[0].decode() if isinstance(address[0], bytes) else str(address[0])
    try:
        found = ipaddress.ip_address(host)
    except ValueError:
        return host in LOCAL_NAMES
    return found.is_loopback or found.is_unspecified or host in _own_addresses()


def _own_addresses() -> frozenset[str]:
    """Of this machine's interfaces, also of those that a test has just made: what is sent there does not leave it."""
    return frozenset(
        one.address.partition("%")[0] for found in psutil.net_if_addrs().values() for one in found
    )


@pytest.fixture(scope="session", autouse=True)
def only_this_machine() -> Iterator[None]:
    """Connecting to another machine, or asking for its address, raises."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("connect", "connect_ex", "sendto"):
            patch.setattr(socket.socket, name, _guarded(getattr(socket.socket, name)))
        real_getaddrinfo = socket.getaddrinfo

        def getaddrinfo(host: object, *rest: object, **more: object) -> object:
            if host is not None and not _is_local((host,)):
                raise OutsideWorld(f"a test asks where {host!r} is")
            return real_getaddrinfo(host, *rest, **more)  # type: ignore[arg-type]

        patch.setattr(socket, "getaddrinfo", getaddrinfo)
        yield


def _guarded(real: object) -> object:
    def method(self: socket.socket, *arguments: object) -> object:
        if self.family in (socket.AF_INET, socket.AF_INET6) and not _is_local(arguments[-1]):
            raise OutsideWorld(f"a test connects to {arguments[-1]!r}")
        return real(self, *arguments)  # type: ignore[operator]

    return method


@pytest.fixture(scope="session")
def worker() -> int:
    """Number of this xdist worker, 0 when there is only one."""
    return int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))


@pytest.fixture
def port_base(worker: int) -> int:
    """First port of a whole system of its own; every port that it needs is free."""
    return free_port_base(worker)


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Asynchronous tests run on asyncio."""
    return "asyncio"


@pytest.fixture(scope="session")
async def world(worker: int, anyio_backend: str) -> AsyncIterator["World"]:
    """The whole system, started when the first test of this worker asks for it."""
    from tests.world import running_world

    async with running_world(worker) as running:
        yield running
