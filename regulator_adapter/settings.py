"""Settings of the adapter; `docs/settings.md` lists them."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

from foundation.crypto import Keyring
from foundation.feeding import Feeding
from foundation.settings import CommonSettings, SettingsError, setting
from foundation.suites.secret_keys import secret_key
from regulator_adapter import profiles
from regulator_adapter.access import Access, Accesses, key_at, read_own
from regulator_adapter.city_wire import Credentials
from regulator_adapter.days.seals import Signer, Trust, read_signer, read_trust
from regulator_adapter.organisation import Organisation, read_organisation
from regulator_adapter.profiles import Profile
from regulator_adapter.routing import Routing, routing


class Timing(StrEnum):
    """When records go out."""

    PROFILE = "profile"
    IMMEDIATE = "immediate"


@dataclass(frozen=True, kw_only=True)
class StoreSettings(CommonSettings):
    """What every command needs that touches the database."""

    database_url: str = setting("PostgreSQL of the adapter, postgresql+asyncpg://…", secret=True)
    database_pool: int = setting("connections kept open", default=8)


@dataclass(frozen=True, kw_only=True)
class DeskSettings(StoreSettings):
    """What `resubmit`, `verify` and `reconcile` need."""

    hospital_id: UUID = setting("id of the hospital in every row")
    field_keys: str = setting("keys of encrypted columns, `id:hex32,…`", secret=True)
    field_key_current: str = setting("id of the key that new values use")
    index_key: bytes = setting("key of the blind indexes, hex", secret=True)
    routing: str = setting(
        "which profile reports what: city, shanghai, guangdong, or a TOML file", default="city"
    )

    def __post_init__(self) -> None:
        _try("FIELD_KEYS, FIELD_KEY_CURRENT", self.keyring)
        _try("ROUTING", self.table)

    def table(self) -> Routing:
        """What goes where."""
        return routing(self.routing)

    def keyring(self) -> Keyring:
        """Keys of the encrypted columns."""
        pairs = (part.strip().partition(":") for part in self.field_keys.split(","))
        keys = {name: bytes.fromhex(value) for name, _, value in pairs}
        return Keyring(keys, self.field_key_current, self.index_key)

    def production_problems(self) -> list[str]:
        """Development keys must not reach patients."""
        if self.field_key_current.startswith("dev"):
            return ["FIELD_KEY_CURRENT is a development key"]
        return []


@dataclass(frozen=True, kw_only=True)
class Settings(Feeding, DeskSettings):
    """What the serving process needs."""

    port: int = setting("port of `POST /events`, mTLS", default=8300)
    health_port: int = setting("port of health, metrics and figures, loopback", default=8310)
    server_cert: Path = setting("certificate of the listener")
    server_key: Path = setting("its key")
    client_root: Path = setting("root that signed the callers")
    allowed_callers: tuple[str, ...] = setting("URI identities that may send events")
    gateway_urls: tuple[str, ...] = setting("front gateways, tried in turn")
    tls_cert: Path = setting("our certificate towards the gateways")
    tls_key: Path = setting("its key")
    tls_root: Path = setting("root that signed the gateways")
    organisation: Path = setting("hospital.json: who reports")
    platform_unit_id: str = setting("unitID given by the platform")
    platform_app_key: str = setting("appKey given by the platform")
    platform_app_secret: str = setting(
        "appSecret given by the platform: 16 bytes as hex, a file that holds them, or pkcs11:token=…;object=…", secret=True
    )  # fmt: skip
    platform_app_secret_pin: str = setting("PIN of that key's token", default="", secret=True)
    platform_iv: bytes = setting("IV of the vendor's SDK, 16 bytes as hex", secret=True)
    platform_signing_key: str = setting(
        "the hospital's own signing key, for platforms that want one: a PEM file, or pkcs11:token=…;object=…",
        default="",
    )
    platform_signing_pin: str = setting("PIN of that key's token", default="", secret=True)
    pkcs11_module: str = setting("library of the security module, for keys of pkcs11:…", default="")
    platform_access: str = setting("TOML file with accesses of their own for single profiles", default="")
    timing: Timing = setting("profile, or immediate: no waiting for the night", default=Timing.PROFILE)
    concurrency: int = setting("requests to one platform at a time", default=8)
    request_seconds: int = setting("time-out of one request, longer than the gateway's own", default=35)
    max_attempts: int = setting("failed attempts after which a row is parked for people", default=300)
    desk_callers: tuple[str, ...] = setting(
        "URI identities behind which the hospital's supervision desk stands", default=()
    )
    seal_cert: Path | None = setting(
        "certificate of the day's statements; without it no day closes", default=None
    )
    seal_key: str = setting("its key: a PEM file over SM2 or P-256, or pkcs11:token=…;object=…", default="")
    seal_pin: str = setting("PIN of that key's token", default="", secret=True)
    platform_seal_root: Path | None = setting(
        "root behind the platform's seal on its statements", default=None
    )
    platform_seal_identity: str = setting("URI identity in the platform's seal certificate", default="")
    reconcile_seconds: int = setting(
        "how often open days are compared; 0: only when somebody asks", default=300
    )
    ambiguous_resends: int = setting(
        "how often a record is sent again when it may have arrived, at a platform that stores twice",
        default=1,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("server_cert", "server_key", "client_root", "tls_cert", "tls_key", "tls_root"):
            if not getattr(self, name).is_file():
                raise SettingsError([f"{name.upper()} names no file"])
        for url in self.gateway_urls:
            if urlsplit(url).scheme != "https":
                raise SettingsError([f"GATEWAY_URLS: {url} is not https"])
        if not self.gateway_urls or not self.allowed_callers:
            raise SettingsError(["GATEWAY_URLS and ALLOWED_CALLERS name at least one each"])
        _try("PLATFORM_APP_SECRET, PLATFORM_IV", self.credentials)
        _try("PLATFORM_ACCESS", self.accesses)
        _try("ORGANISATION", self.reporter)
        _try("SEAL_CERT, SEAL_KEY", self.signer)
        _try("PLATFORM_SEAL_ROOT", self.trust)
        _try("ROUTING", self.lines)
        if problems := self.feeding_problems():
            raise SettingsError(problems)

    def production_problems(self) -> list[str]:
        """No message in the clear either, or under a key that everybody knows."""
        known = self.accesses()
        every = {"PLATFORM_APP_SECRET": known.common} | {
            f"PLATFORM_ACCESS: {name}": one for name, one in known.own.items()
        }
        examples = [f"{name} is an example's" for name, one in every.items() if one.credentials.key.example]
        return super().production_problems() + self.feeding_in_the_clear() + examples

    def credentials(self) -> Credentials:
        """Towards platforms without an access of their own."""
        key = key_at(self.platform_signing_key, self.platform_signing_pin, self.pkcs11_module)
        secret = secret_key(self.platform_app_secret, self.platform_app_secret_pin, self.pkcs11_module)
        return Credentials(self.platform_app_key, secret, self.platform_iv, key)

    def accesses(self) -> Accesses:
        """Towards each platform."""
        common = Access(self.platform_unit_id, self.credentials())
        return Accesses(common, read_own(self.platform_access, profiles.NAMES))

    def lines(self) -> list[Profile]:
        """The platforms to send to: all whose interface we can speak. `ValueError` when the table needs another."""
        access = self.accesses()
        known = [
            profile
            for profile in map(profiles.profile, profiles.NAMES)
            if not profile.signed_by_key or access.of(profile.name).credentials.signer
        ]
        missing = set(self.table().profiles) - {one.name for one in known}
        if missing:
            raise ValueError(f"{', '.join(sorted(missing))} wants PLATFORM_SIGNING_KEY")
        for profile in known:
            access.of(profile.name).credentials.key.cipher(profile.suite)
        return known

    def signer(self) -> Signer | None:
        """Our seal on the days."""
        if self.seal_cert is None or not self.seal_key:
            return None
        return read_signer(self.seal_cert, self.seal_key, self.seal_pin, self.pkcs11_module)

    def trust(self) -> Trust | None:
        """Whose seals we believe."""
        if self.platform_seal_root is None or not self.platform_seal_identity:
            return None
        return read_trust(self.platform_seal_root, self.platform_seal_identity)

    def reporter(self) -> Organisation:
        """Who reports."""
        return read_organisation(self.organisation, self.platform_unit_id)


def _try(name: str, read: object) -> None:
    assert callable(read)
    try:
        read()
    except (ValueError, OSError) as error:
        raise SettingsError([f"{name} is malformed: {error}"]) from None
