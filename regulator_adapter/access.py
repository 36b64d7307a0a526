"""What each platform gave the hospital. One access for all (`PLATFORM_…`), or some of their own in a TOML file (`PLATFORM_ACCESS`):

[guangdong]
unit_id = "4400001"
app_key = "…"
app_secret = "…"                                   # 16 bytes, hex; or the path of a file that holds them; or pkcs11:…
app_secret_pin = "…"
iv = "…"
signing_key = "pkcs11:token=hospital;object=sign"  # or the path of a PEM file
signing_pin = "…"
pkcs11_module = "/usr/lib/softhsm/libsofthsm2.so"
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from foundation.suites import Signer, signer
from foundation.suites.secret_keys import secret_key
from regulator_adapter.city_wire import Credentials


@dataclass(frozen=True)
class Access:
    """One platform's: the number the hospital has there, and how it is spoken to."""

    unit_id: str
    credentials: Credentials


@dataclass(frozen=True)
class Accesses:
    """All of them; `own` by profile, everything else by `common`."""

    common: Access
    own: Mapping[str, Access] = field(default_factory=dict)

    def of(self, profile: str) -> Access:
        """The access of a profile."""
        return self.own.get(profile, self.common)


class _Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    unit_id: str
    app_key: str
    app_secret: str
    iv: str
    app_secret_pin: str = ""
    signing_key: str = ""
    signing_pin: str = ""
    pkcs11_module: str = ""


def key_at(location: str, pin: str, module: str) -> Signer | None:
    """The signing key, None without a location. `ValueError` when there is none there."""
    return signer(location, pin, module) if location else None


def read_own(path: str, known: tuple[str, ...]) -> dict[str, Access]:
    """By profile, none without a path. `ValueError` in one line, which shows no secret."""
    if not path:
        return {}
    try:
        entries = msgspec.convert(tomllib.loads(Path(path).read_text(encoding="utf-8")), dict[str, _Entry])
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise ValueError(f"{Path(path).name}: {type(error).__name__}") from None
    if unknown := sorted(entries.keys() - set(known)):
        raise ValueError(f"{Path(path).name} has {', '.join(unknown)}, which is no profile")
    return {name: _access(name, entry) for name, entry in entries.items()}


def _access(name: str, entry: _Entry) -> Access:
    try:
        iv = bytes.fromhex(entry.iv)
    except ValueError:
        raise ValueError(f"{name}: iv is hex") from None
    secret = secret_key(entry.app_secret, entry.app_secret_pin, entry.pkcs11_module)
    key = key_at(entry.signing_key, entry.signing_pin, entry.pkcs11_module)
    return Access(entry.unit_id, Credentials(entry.app_key, secret, iv, key))
