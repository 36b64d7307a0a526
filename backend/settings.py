"""Settings of the backend's processes (`api`, `worker` and the commands); `docs/settings.md` lists them."""

import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

from cryptography.hazmat.primitives.serialization import load_pem_private_key

from backend.calling import Calling
from backend.insuring import Insuring
from backend.keeping import KeepingSettings
from backend.policy import Policy
from backend.reviewing import Reviewing
from foundation.crypto import Keyring
from foundation.feeding import Feeding
from foundation.prefork import cores
from foundation.settings import CommonSettings, Env, SettingsError, setting
from foundation.tls import client_context

LOOPBACK = ("127.0.0.1", "localhost", "::1")
HTTP = ("http", "https")
_URLS = {
    ("database_url",): ("postgresql+asyncpg",),
    ("redis_url",): ("redis", "rediss", "unix"),
    (
        "front_url", "api_url", "media_urls", "notify_url", "gateway_urls", "adapter_url", "wechat_api_url",
        "wechat_pay_url", "identity_url", "ca_url", "courier_url",
    ): HTTP,
}  # fmt: skip


def _all_urls(value: str | Sequence[str], schemes: Sequence[str]) -> bool:
    urls = [value] if isinstance(value, str) else value
    return all(urlsplit(url).scheme in schemes for url in urls)


def _pem(path: Path) -> None:
    if b"-----BEGIN " not in path.read_bytes():
        raise ValueError(f"{path.name} is no PEM file")


@lru_cache(maxsize=4)
def _private_key(pem: bytes) -> None:
    """`ValueError` when it is none. To look at its numbers takes a while, and settings are copied."""
    load_pem_private_key(pem, None)


class WeChatKeyMode(StrEnum):
    """By what a merchant knows WeChat Pay's signature: docs/decisions/0034."""

    PUBLIC_KEY = "public_key"
    CERTIFICATE = "certificate"


class CaAlgorithm(StrEnum):
    """ECDSA P-256 with SHA-256, or SM2 with SM3: docs/decisions/0050."""

    ECDSA = "ecdsa"
    SM2 = "sm2"


@dataclass(frozen=True, kw_only=True)
class Settings(Policy, Insuring, Calling, Reviewing, KeepingSettings, Feeding, CommonSettings):
    """What the API and the worker need."""

    port: int = setting("port of the listener (API 8100, worker's health 8101)", default=8100)
    api_processes: int = setting(
        "API processes on the one port, 0: one per core (in ENV=test always 1)", default=0
    )
    database_url: str = setting("PostgreSQL, postgresql+asyncpg://…", secret=True)
    redis_url: str = setting("Valkey or Redis without persistence", secret=True)
    hospital_id: UUID = setting("id of the hospital in every row")
    field_keys: str = setting("keys of personal columns, `id:hex32,…`", secret=True)
    field_key_current: str = setting("id of the key that new values use")
    index_key: bytes = setting("key of the blind indexes, hex", secret=True)
    object_folder: Path = setting("folder of attachments and recordings")
    front_url: str = setting("public address of the front")
    api_url: str = setting("public address of this API, for WebSockets")
    media_urls: tuple[str, ...] = setting("public addresses of the media processes", default=())
    notify_url: str = setting("base of the addresses that WeChat Pay and the courier call back")
    database_pool: int = setting("connections kept open", default=8)

    tls_cert: Path = setting("our certificate towards gateways and adapter")
    tls_key: Path = setting("its key")
    tls_root: Path = setting("root that signed the gateways and the adapter")
    gateway_urls: tuple[str, ...] = setting("front gateways, tried in turn")
    adapter_url: str = setting("regulator adapter")

    wechat_api_url: str = setting("api.weixin.qq.com or a mock")
    wechat_pay_url: str = setting("api.mch.weixin.qq.com or a mock")
    wechat_appid: str = setting("mini-program's appid")
    wechat_secret: str = setting("its secret", secret=True)
    wechat_mchid: str = setting("merchant number")
    wechat_apiv3_key: str = setting("APIv3 key, 32 characters", secret=True)
    wechat_merchant_key: Path = setting("merchant's private key")
    wechat_merchant_serial: str = setting("serial of the merchant's certificate")
    wechat_key_mode: WeChatKeyMode = setting(
        "whether WeChat Pay answers with its public key or with platform certificates, which are fetched",
        default=WeChatKeyMode.PUBLIC_KEY,
    )
    wechat_public_key: Path | None = setting("WeChat Pay's public key, in public-key mode", default=None)
    wechat_public_key_id: str = setting("its id, PUB_KEY_ID_…, in public-key mode", default="")
    wechat_public_keys: Path | None = setting(
        "folder of more public keys of WeChat Pay, `<id>.pem`, read again when an unknown id appears",
        default=None,
    )
    wechat_pay_backup_url: str = setting(
        "api2.mch.weixin.qq.com: asked when the first cannot be reached", default=""
    )

    sms_url: str = setting("company of text messages; none are sent without it", default="")
    sms_app_key: str = setting("our key there", default="")
    sms_secret: str = setting("our secret there", default="", secret=True)

    epc_url: str = setting(
        "e-prescription centre of the national insurance; nothing is uploaded without it", default=""
    )
    epc_app_id: str = setting("our id there, at least 16 characters", default="")
    epc_app_secret: str = setting("our secret there", default="", secret=True)
    epc_fixmedins_code: str = setting("our code as a designated institution", default="")
    epc_fixmedins_name: str = setting("our name there", default="")

    identity_url: str = setting("real-name service")
    identity_app_key: str = setting("our key there")
    identity_secret: str = setting("our secret there", secret=True)
    ca_url: str = setting("signature CA")
    ca_app_key: str = setting("our key there")
    ca_secret: str = setting("our secret there", secret=True)
    ca_algorithm: CaAlgorithm = setting(
        "what prescriptions and records are signed with; sheets (PDF) are ECDSA either way",
        default=CaAlgorithm.ECDSA,
    )
    ca_root: Path | None = setting(
        "the CA's root, PEM: what does not lead to it is refused. May be left out for a CA on this machine alone,"
        " where the first one it shows is held to while the process lives",
        default=None,
    )
    ca_sm2_root: Path | None = setting(
        "the same for `CA_ALGORITHM=sm2`: the CA's root over SM2, PEM", default=None
    )
    courier_url: str = setting("courier company")
    courier_app_key: str = setting("our key there")
    courier_secret: str = setting("our secret there", secret=True)
    courier_callback_key: str = setting("the key the courier signs callbacks with")
    courier_callback_secret: str = setting("its secret", secret=True)

    def __post_init__(self) -> None:
        problems = [
            f"{name.upper()} is malformed: not {' or '.join(schemes)}"
            for names, schemes in _URLS.items()
            for name in names
            if not _all_urls(getattr(self, name), schemes)
        ]
        problems += [
            *self.policy_problems(),
            *self.insuring_problems(),
            *self.calling_problems(),
            *self.reviewing_problems(),
            *self.keeping_problems(),
            *self.feeding_problems(),
            *self._ca_problems(),
            *self._sms_problems(),
            *self._epc_problems(),
        ]
        if self.wechat_pay_backup_url and not _all_urls(self.wechat_pay_backup_url, HTTP):
            problems.append("WECHAT_PAY_BACKUP_URL is malformed: not http or https")
        if not 0 <= self.api_processes <= 64 or (self.api_processes > 1 and self.env is Env.TEST):
            problems.append(
                "API_PROCESSES is malformed: not 0 to 64, or above 1 in ENV=test, where clocks are set one by one"
            )
        if not self.gateway_urls:
            problems.append("GATEWAY_URLS names nothing")
        if len(self.wechat_apiv3_key.encode()) != 32:
            problems.append("WECHAT_APIV3_KEY is malformed: not 32 characters")
        for names, read in (
            ("FIELD_KEYS, FIELD_KEY_CURRENT or INDEX_KEY", self.keyring),
            ("TLS_CERT, TLS_KEY or TLS_ROOT", self.tls),
            ("WECHAT_MERCHANT_KEY", lambda: _private_key(self.wechat_merchant_key.read_bytes())),
            ("WECHAT_PUBLIC_KEY, WECHAT_PUBLIC_KEY_ID or WECHAT_PUBLIC_KEYS", self._wechat_keys),
        ):
            try:
                read()
            except (OSError, ValueError) as error:
                why = getattr(error, "strerror", None) or str(error)
                problems.append(f"{names} is malformed: {' '.join(str(why).split())}")
        if problems:
            raise SettingsError(problems)

    def _wechat_keys(self) -> None:
        """`ValueError` or `OSError`."""
        if self.wechat_key_mode is WeChatKeyMode.PUBLIC_KEY:
            if self.wechat_public_key is None or not self.wechat_public_key_id.startswith("PUB_KEY_ID_"):
                raise ValueError("public-key mode needs a key and its id PUB_KEY_ID_…")
            _pem(self.wechat_public_key)
        if self.wechat_public_keys is not None and not self.wechat_public_keys.is_dir():
            raise ValueError(f"{self.wechat_public_keys.name} is no folder")

    def _ca_missing(self) -> list[str]:
        """Which roots nobody gave us."""
        wanted = ["ca_root", *(["ca_sm2_root"] if self.ca_algorithm is CaAlgorithm.SM2 else [])]
        return [name.upper() for name in wanted if getattr(self, name) is None]

    def _ca_problems(self) -> list[str]:
        """A root that cannot be read, or none of a CA elsewhere, whom anybody on the way could pretend to be."""
        problems = []
        if urlsplit(self.ca_url).hostname not in LOOPBACK:
            problems = [f"{name} is missing: CA_URL is not on this machine" for name in self._ca_missing()]
        for name in ("ca_root", "ca_sm2_root"):
            path: Path | None = getattr(self, name)
            try:
                if path is not None:
                    _pem(path)
            except (OSError, ValueError) as error:
                problems.append(f"{name.upper()} is malformed: {getattr(error, 'strerror', None) or error}")
        return problems

    def _sms_problems(self) -> list[str]:
        """An address without a key, or none at all of the kind."""
        if not self.sms_url:
            return []
        missing = [name for name in ("sms_app_key", "sms_secret") if not getattr(self, name)]
        problems = [f"{name.upper()} is missing" for name in missing]
        if not _all_urls(self.sms_url, HTTP):
            problems.append("SMS_URL is malformed: not http or https")
        return problems

    def api_count(self) -> int:
        """How many API processes there are."""
        return 1 if self.env is Env.TEST else self.api_processes or cores()

    def _epc_problems(self) -> list[str]:
        """An address without what belongs to it, or none at all of the kind."""
        if not self.epc_url:
            return []
        needed = ("epc_app_id", "epc_app_secret", "epc_fixmedins_code", "epc_fixmedins_name")
        problems = [f"{name.upper()} is missing" for name in needed if not getattr(self, name)]
        if not _all_urls(self.epc_url, HTTP):
            problems.append("EPC_URL is malformed: not http or https")
        if self.epc_app_id and len(self.epc_app_id.encode()) < 16:
            problems.append("EPC_APP_ID is malformed: shorter than 16 bytes, which the key is made of")
        return problems

    def tls(self) -> ssl.SSLContext:
        """Towards gateways and adapter; `OSError` when a file is missing or no PEM."""
        return client_context(self.tls_cert, self.tls_key, self.tls_root)

    def keyring(self) -> Keyring:
        """Keys of the encrypted columns; `ValueError`."""
        pairs = (part.strip().partition(":") for part in self.field_keys.split(","))
        keys = {name: bytes.fromhex(value) for name, _, value in pairs}
        return Keyring(keys, self.field_key_current, self.index_key)

    def production_problems(self) -> list[str]:
        """Mocks, plain http and development keys must not reach patients."""
        problems = self.feeding_in_the_clear()
        for name in (
            "wechat_api_url",
            "wechat_pay_url",
            "identity_url",
            "ca_url",
            "courier_url",
            "notify_url",
            "front_url",
            *(("wechat_pay_backup_url",) if self.wechat_pay_backup_url else ()),
            *(("sms_url",) if self.sms_url else ()),
            *(("epc_url",) if self.epc_url else ()),
            *(("object_url",) if self.object_url else ()),
            *self.insuring_addresses(),
            *self.reviewing_addresses(),
        ):
            url = urlsplit(getattr(self, name))
            if url.scheme != "https" or url.hostname in LOOPBACK:
                problems.append(f"{name.upper()} is not https to a public host")
        problems += [
            f"{name} is missing: nothing the CA says could be believed" for name in self._ca_missing()
        ]
        if self.field_key_current.startswith("dev"):
            problems.append("FIELD_KEY_CURRENT is a development key")
        if len(self.media_urls) < 2:
            problems.append("MEDIA_URLS names fewer than two audio-video systems (基本标准 四(二))")
        return problems
