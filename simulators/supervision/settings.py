"""Settings of the platform, read once."""

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from simulators.server import Common, Reader, SettingError, TlsFiles
from simulators.supervision.dependencies import Strictness
from simulators.supervision.envelope import Access

_POINT = re.compile(r"04[0-9a-fA-F]{128}")
_SIXTEEN_BYTES = re.compile(r"[0-9a-fA-F]{32}")


@dataclass(frozen=True)
class Hospital:
    """Whose records come in."""

    name: str
    organ_ids: frozenset[str]


@dataclass(frozen=True)
class Supervisor:
    login: str
    name: str
    password: str = field(repr=False)


@dataclass(frozen=True)
class HospitalAccess:
    """Where the hospital hears supervisors, and what we show there; no address: nobody is asked."""

    urls: tuple[str, ...] = ()
    tls: TlsFiles | None = None


@dataclass(frozen=True)
class SealFiles:
    """Our key for the day's statements, and whose seals we believe: of `hospital_root`, named `hospital_name` (a URI)."""

    certificate: Path
    key: Path
    hospital_root: Path
    hospital_name: str


@dataclass(frozen=True)
class Settings:
    common: Common
    tls: TlsFiles
    data: Path
    hospital: Hospital
    supervisors: tuple[Supervisor, ...]
    access: Access
    dependencies: Strictness
    enforce_quota: bool
    secure_cookie: bool
    board_seconds: float
    hospital_door: HospitalAccess = HospitalAccess()
    seals: SealFiles | None = None


def read(env: Reader) -> Settings:
    tls = env.tls("SUPERVISION")
    if tls is None:
        raise SettingError("SUPERVISION_TLS_CERT is not set")
    world = env.folder("SUPERVISION_WORLD")
    addresses = (env.optional("SUPERVISION_ADDRESSES") or "").replace(" ", "").split(",")
    return Settings(
        common=env.common(port=8410, health_port=8411),
        tls=tls,
        data=env.folder("SUPERVISION_DATA"),
        hospital=_hospital(world),
        supervisors=_supervisors(world),
        access=Access(
            unit_id=env.text("SUPERVISION_UNIT_ID"),
            app_key=env.text("SUPERVISION_APP_KEY"),
            app_secret=_sixteen_bytes(env, "SUPERVISION_APP_SECRET"),
            iv=_sixteen_bytes(env, "SUPERVISION_IV"),
            freshness_seconds=env.number("SUPERVISION_FRESHNESS_SECONDS", 300, minimum=1),
            addresses=frozenset(filter(None, addresses)),
            public=_point(env),
        ),
        dependencies=Strictness(env.choice("SUPERVISION_DEPENDENCIES", tuple(Strictness), Strictness.ALL)),
        enforce_quota=env.choice("SUPERVISION_QUOTA", ("off", "enforce"), "off") == "enforce",
        secure_cookie=env.flag("SUPERVISION_SECURE_COOKIE", False),
        board_seconds=env.number("SUPERVISION_BOARD_SECONDS", 2),
        hospital_door=_hospital_access(env),
        seals=_seals(env),
    )


def _seals(env: Reader) -> SealFiles | None:
    """Without a certificate no day is exchanged."""
    if env.optional("SUPERVISION_SEAL_CERT") is None:
        return None
    return SealFiles(
        certificate=env.file("SUPERVISION_SEAL_CERT"),
        key=env.file("SUPERVISION_SEAL_KEY"),
        hospital_root=env.file("SUPERVISION_HOSPITAL_SEAL_ROOT"),
        hospital_name=env.text("SUPERVISION_HOSPITAL_SEAL_NAME"),
    )


def _hospital_access(env: Reader) -> HospitalAccess:
    given = (env.optional("SUPERVISION_HOSPITAL_URLS") or "").replace(" ", "").split(",")
    urls = tuple(url.rstrip("/") for url in given if url)
    if not urls:
        return HospitalAccess()
    if any(not url.startswith("https://") for url in urls):
        raise SettingError("SUPERVISION_HOSPITAL_URLS: https addresses only")
    tls = TlsFiles(
        certificate=env.file("SUPERVISION_HOSPITAL_CERT"),
        key=env.file("SUPERVISION_HOSPITAL_KEY"),
        authority=env.file("SUPERVISION_HOSPITAL_CA"),
    )
    return HospitalAccess(urls, tls)


def _sixteen_bytes(env: Reader, name: str) -> bytes:
    value = env.text(name)
    if not _SIXTEEN_BYTES.fullmatch(value):
        raise SettingError(f"{name} is not 32 hex digits (16 bytes)")
    return bytes.fromhex(value)


def _point(env: Reader) -> bytes:
    """The hospital's registered public key; none: it has no access to what is signed by a key."""
    value = env.optional("SUPERVISION_SIGNING_PUBLIC") or ""
    if value and not _POINT.fullmatch(value):
        raise SettingError("SUPERVISION_SIGNING_PUBLIC is no uncompressed point in hex (130 digits, 04…)")
    return bytes.fromhex(value)


def _hospital(world: Path) -> Hospital:
    entry = _object(world / "hospital.json")
    codes = {str(entry[name]) for name in ("unified_social_credit_code", "code") if entry.get(name)}
    if not codes:
        raise SettingError(f"SUPERVISION_WORLD: hospital.json in {world} has no code")
    return Hospital(str(entry.get("name", "")), frozenset(codes))


def _supervisors(world: Path) -> tuple[Supervisor, ...]:
    """One at least; what needs four eyes needs `second_supervisor`, too."""
    parts = _object(world / "demo.json")
    found = []
    for part in ("supervisor", "second_supervisor"):
        entry = parts.get(part)
        if isinstance(entry, dict) and entry.get("login") and entry.get("password"):
            name = str(entry.get("name") or entry["login"])
            found.append(Supervisor(str(entry["login"]), name, str(entry["password"])))
    if not found:
        raise SettingError(
            f"SUPERVISION_WORLD: demo.json in {world} has no supervisor with login and password"
        )
    return tuple(found)


def _object(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise SettingError(f"SUPERVISION_WORLD: {path} cannot be read as JSON") from None
    if not isinstance(content, dict):
        raise SettingError(f"SUPERVISION_WORLD: {path} is not a JSON object")
    return content
