"""Settings from the environment, read once; anything wrong is one line on stderr and exit code 2."""

import ipaddress
import math
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")


class SettingError(ValueError):
    """A setting is missing or malformed; the message names it and fits one line."""


@dataclass(frozen=True)
class TlsFiles:
    """Certificate and key of this listener, the authority of its clients, and which of them may come in.

    `clients` holds URI subject alternative names; empty lets in every certificate of the authority.
    """

    certificate: Path
    key: Path
    authority: Path
    clients: tuple[str, ...] = ()


@dataclass(frozen=True)
class Common:
    env: str
    log_level: str
    host: str
    port: int
    health_port: int | None


class Reader:
    """Typed look-ups in a mapping of settings; an empty value counts as missing."""

    def __init__(self, env: Mapping[str, str] | None = None) -> None:
        self._env = os.environ if env is None else env

    def optional(self, name: str) -> str | None:
        return self._env.get(name, "").strip() or None

    def text(self, name: str, default: str | None = None) -> str:
        value = self.optional(name) or default
        if value is None:
            raise SettingError(f"{name} is not set")
        return value

    def integer(
        self, name: str, default: int | None = None, *, minimum: int = 0, maximum: int | None = None
    ) -> int:
        value = self.text(name, None if default is None else str(default))
        try:
            number = int(value)
        except ValueError:
            raise SettingError(f"{name} is not a whole number: {value!r}") from None
        if number < minimum or (maximum is not None and number > maximum):
            raise SettingError(f"{name} is out of range: {number}")
        return number

    def number(self, name: str, default: float | None = None, *, minimum: float = 0) -> float:
        value = self.text(name, None if default is None else str(default))
        try:
            number = float(value)
        except ValueError:
            raise SettingError(f"{name} is not a number: {value!r}") from None
        if not math.isfinite(number) or number < minimum:
            raise SettingError(f"{name} is out of range: {value}")
        return number

    def flag(self, name: str, default: bool) -> bool:
        value = self.text(name, "1" if default else "0").lower()
        if value in {"1", "true", "yes", "on"}:
            return True
        if value in {"0", "false", "no", "off"}:
            return False
        raise SettingError(f"{name} is neither 1 nor 0: {value!r}")

    def choice(self, name: str, options: Sequence[str], default: str | None = None) -> str:
        value = self.text(name, default)
        if value not in options:
            raise SettingError(f"{name} is {value!r}, expected one of {', '.join(options)}")
        return value

    def file(self, name: str) -> Path:
        path = Path(self.text(name))
        if not path.is_file():
            raise SettingError(f"{name} names no file: {path}")
        return path

    def folder(self, name: str, default: str | None = None) -> Path:
        """An existing folder, made if its parent exists."""
        path = Path(self.text(name, default))
        try:
            path.mkdir(exist_ok=True)
        except OSError as problem:
            raise SettingError(f"{name} is no folder that can be used: {path} ({problem.strerror})") from None
        return path

    def common(self, *, port: int, health_port: int | None = None) -> Common:
        return Common(
            env=self.choice("ENV", ("development", "test", "production"), "development"),
            log_level=self.choice("LOG_LEVEL", ("DEBUG", "INFO", "WARNING", "ERROR"), "INFO"),
            host=self.text("HOST", "127.0.0.1"),
            port=self.integer("PORT", port, maximum=65535),
            health_port=None
            if health_port is None
            else self.integer("HEALTH_PORT", health_port, maximum=65535),
        )

    def tls(self, prefix: str) -> TlsFiles | None:
        names = [f"{prefix}_TLS_{part}" for part in ("CERT", "KEY", "CA")]
        if not any(self.optional(name) for name in names):
            return None
        certificate, key, authority = (self.file(name) for name in names)
        clients = tuple(
            filter(None, (self.optional(f"{prefix}_TLS_CLIENTS") or "").replace(" ", "").split(","))
        )
        return TlsFiles(certificate, key, authority, clients)


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def require_tls_beyond_loopback(prefix: str, host: str, tls: TlsFiles | None) -> None:
    """Plain HTTP is for this machine only."""
    if tls is None and not is_loopback(host):
        raise SettingError(
            f"{prefix}_TLS_CERT is not set; without TLS HOST must be a loopback address, not {host}"
        )


def read_settings(build: Callable[[Reader], T], env: Mapping[str, str] | None = None) -> T:
    """`build(reader)`, or one line on stderr and exit code 2."""
    try:
        return build(Reader(env))
    except SettingError as problem:
        sys.stderr.write(f"{problem}\n")
        raise SystemExit(2) from None
