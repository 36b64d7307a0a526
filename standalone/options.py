"""What the caller may say by variables: `make run PORT_BASE=9000 SIZE=s` and the like. Wrong ones end in one line, status 2."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from standalone.certificates import is_host
from standalone.doors import own_address
from standalone.processes import LARGEST_OFFSET

SIZES = ("s", "m", "l", "xl")
ENVS = ("development", "test")


@dataclass(frozen=True)
class Options:
    """Settings of `standalone` itself."""

    data: Path
    port_base: int
    size: str
    demo: bool
    env: str
    host: str
    environ: Mapping[str, str]


NAMES = {
    "DATA": "data folder (.data)",
    "PORT_BASE": "first port; all others follow it (8000)",
    "SIZE": "residents of a new world: s, m, l or xl = 1,000, 10,000, 100,000 or 1,000,000 (m)",
    "DEMO": "0 leaves out the demo visit on the first start (1)",
    "ENV": "development or test (development)",
    "TLS": "1 serves https for a phone on the same network (0)",
    "TLS_HOST": "with TLS=1: name or address of this machine there (its own address)",
    "EPC": "1 starts a stand-in of the national e-prescription centre and uploads to it (0)",
    "ROUTING": "which platforms hear what: city (Tianjin's interface and the proposal for Shanghai), shanghai or guangdong (city)",
    "FORK": "0 gives every process an interpreter of its own (1)",
    "DATABASE_URL": "a PostgreSQL to use for the hospital's side instead of the embedded one",
    "REGULATOR_DATABASE_URL": "the same for the regulator's side",
    "REDIS_URL": "a Valkey or Redis to use instead of the embedded one",
}
"""What each variable means, with its default."""


def read(environ: Mapping[str, str]) -> Options:
    """Options from variables; ValueError with a line that names the wrong one."""
    port = environ.get("PORT_BASE", "8000")
    if not (port.isascii() and port.isdigit()) or not 1024 <= int(port) <= 65535 - LARGEST_OFFSET:
        raise ValueError(f"PORT_BASE is {port!r}: expected 1024 to {65535 - LARGEST_OFFSET}")
    return Options(
        data=Path(environ.get("DATA") or ".data"),
        port_base=int(port),
        size=_one_of(environ, "SIZE", SIZES, "m"),
        demo=_one_of(environ, "DEMO", ("0", "1"), "1") == "1",
        env=_one_of(environ, "ENV", ENVS, "development"),
        host=_host(environ),
        environ={**environ, "EPC": _one_of(environ, "EPC", ("0", "1"), "0")},
    )


def read_or_exit() -> Options:
    """Options of this process."""
    try:
        return read(os.environ)
    except ValueError as problem:
        sys.stderr.write(f"settings: {problem}\n")
        raise SystemExit(2) from None


def _host(environ: Mapping[str, str]) -> str:
    """Under which name browsers come over https; empty without TLS=1."""
    if _one_of(environ, "TLS", ("0", "1"), "0") == "0":
        return ""
    host = environ.get("TLS_HOST") or own_address()
    if not is_host(host):
        raise ValueError(f"TLS_HOST is {host!r}: expected a name or an address")
    return host


def _one_of(environ: Mapping[str, str], name: str, allowed: tuple[str, ...], default: str) -> str:
    value = environ.get(name) or default
    if value not in allowed:
        raise ValueError(f"{name} is {value!r}: expected {' or '.join(allowed)}")
    return value
