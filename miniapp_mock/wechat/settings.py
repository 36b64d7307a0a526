"""Settings from the environment, read once; anything wrong is one line on stderr and exit code 2."""

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

T = TypeVar("T")
KINDS = ("new", "old", "migrating")
REAL_DOMAINS = ("qq.com", "tenpay.com", "wechat.com", "wechatpay.cn", "wxaurl.cn", "wxmpurl.cn")


class SettingError(ValueError):
    """A setting is missing or malformed; the message names it and fits one line."""


@dataclass(frozen=True)
class Settings:
    env: str
    log_level: str
    host: str
    port: int
    data: Path
    world: Path
    front_url: str
    appid: str
    mchid: str
    merchant_kind: str
    merchant_cert: Path
    public_key_id: str | None
    private_key: Path | None
    platform_cert: Path | None
    platform_key: Path | None
    secret: str = field(repr=False)
    apiv3_key: bytes = field(repr=False)
    insurance_key: str = ""
    insurance_secret: str = field(default="", repr=False)


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

    def choice(self, name: str, options: Sequence[str], default: str) -> str:
        value = self.text(name, default)
        if value not in options:
            raise SettingError(f"{name} is {value!r}, expected one of {', '.join(options)}")
        return value

    def port(self, name: str, default: int) -> int:
        value = self.text(name, str(default))
        if not value.isascii() or not value.isdigit() or int(value) > 65535:
            raise SettingError(f"{name} is not a port: {value!r}")
        return int(value)

    def file(self, name: str) -> Path:
        path = Path(self.text(name))
        if not path.is_file():
            raise SettingError(f"{name} names no file: {path}")
        return path

    def folder(self, name: str, *, make: bool = False) -> Path:
        path = Path(self.text(name))
        try:
            if make:
                path.mkdir(exist_ok=True)
        except OSError as problem:
            raise SettingError(f"{name} is no folder that can be used: {path} ({problem.strerror})") from None
        if not path.is_dir():
            raise SettingError(f"{name} names no folder: {path}")
        return path

    def url(self, name: str) -> str:
        """`http(s)://host[:port][/path]` without a slash at the end; never WeChat's own."""
        value = self.text(name)
        try:
            parts = urlsplit(value)
            wrong = parts.scheme not in {"http", "https"} or not parts.hostname or parts.port == 0
        except ValueError:
            wrong = True
        if wrong or parts.query or parts.fragment or parts.username:
            raise SettingError(f"{name} is not an http address: {value!r}")
        self.refuse_real_host(name)
        return value.rstrip("/")

    def refuse_real_host(self, name: str) -> None:
        """A mock beside the real WeChat would mix invented money with real."""
        value = self.optional(name) or ""
        host = (urlsplit(value if "//" in value else f"//{value}").hostname or "").rstrip(".")
        if any(host == domain or host.endswith(f".{domain}") for domain in REAL_DOMAINS):
            raise SettingError(f"{name} names the real WeChat ({host}); the mock does not start beside it")


def read(env: Reader) -> Settings:
    if env.choice("ENV", ("development", "test", "production"), "development") == "production":
        raise SettingError("ENV is 'production'; a mock of WeChat is not for production")
    for name in ("HOST", "WECHAT_API_URL", "WECHAT_PAY_URL"):
        env.refuse_real_host(name)
    kind = env.choice("WECHAT_MERCHANT_KIND", KINDS, "new")
    # Keys of the other kind may be given too: a tester can change the kind of merchant while the mock runs.
    by_public_key = kind != "old" or env.optional("WECHAT_PRIVATE_KEY") is not None
    by_certificate = kind != "new" or env.optional("WECHAT_PLATFORM_CERT") is not None
    return Settings(
        env=env.text("ENV", "development"),
        log_level=env.choice("LOG_LEVEL", ("DEBUG", "INFO", "WARNING", "ERROR"), "INFO"),
        host=env.text("HOST", "127.0.0.1"),
        port=env.port("PORT", 8010),
        data=env.folder("WECHAT_DATA", make=True),
        world=env.folder("WECHAT_WORLD"),
        front_url=env.url("WECHAT_FRONT_URL"),
        appid=env.text("WECHAT_APPID"),
        secret=env.text("WECHAT_SECRET"),
        mchid=env.text("WECHAT_MCHID"),
        apiv3_key=_apiv3_key(env),
        insurance_key=env.optional("WECHAT_INSURANCE_KEY") or "",
        insurance_secret=env.optional("WECHAT_INSURANCE_SECRET") or "",
        merchant_kind=kind,
        merchant_cert=env.file("WECHAT_MERCHANT_CERT"),
        public_key_id=_public_key_id(env) if by_public_key else None,
        private_key=env.file("WECHAT_PRIVATE_KEY") if by_public_key else None,
        platform_cert=env.file("WECHAT_PLATFORM_CERT") if by_certificate else None,
        platform_key=env.file("WECHAT_PLATFORM_KEY") if by_certificate else None,
    )


def _apiv3_key(env: Reader) -> bytes:
    key = env.text("WECHAT_APIV3_KEY").encode()
    if len(key) != 32:
        raise SettingError(f"WECHAT_APIV3_KEY has {len(key)} bytes, expected 32")
    return key


def _public_key_id(env: Reader) -> str:
    value = env.text("WECHAT_PUBLIC_KEY_ID")
    if not value.startswith("PUB_KEY_ID_"):
        raise SettingError(f"WECHAT_PUBLIC_KEY_ID does not start with PUB_KEY_ID_: {value!r}")
    return value


def read_or_exit(build: Callable[[Reader], T], env: Mapping[str, str] | None = None) -> T:
    """`build(reader)`, or one line on stderr and exit code 2."""
    try:
        return build(Reader(env))
    except SettingError as problem:
        sys.stderr.write(f"{problem}\n")
        raise SystemExit(2) from None
