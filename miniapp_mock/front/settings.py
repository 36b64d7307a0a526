"""Settings of the front; `docs/settings.md` lists them."""

import ipaddress
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from foundation.settings import CommonSettings, SettingsError, setting


class Driver(StrEnum):
    """How the pages reach WeChat: the mock's pages, a mini-program's shell around a web-view, or WeChat's own browser."""

    MOCK = "mock"
    SHELL = "shell"
    H5 = "h5"


@dataclass(frozen=True, kw_only=True)
class Settings(CommonSettings):
    """Addresses, and how WeChat is reached. The front keeps no state and no key."""

    port: int = setting("port of the listener", default=8000)
    backend_url: str = setting("the backend's API, as this process reaches it")
    front_url: str = setting("public address of these pages")
    api_url: str = setting("public address of the API: the chat's WebSocket goes there")
    media_urls: tuple[str, ...] = setting("public addresses of the media processes", default=())
    wechat_pages_url: str = setting("where WeChat's own pages are (the mock's phone and cashier)")
    insurance_pages_url: str = setting(
        "where the page is on which patients authorise their insurance; WECHAT_PAGES_URL if left out",
        default="",
    )
    wechat_appid: str = setting("mini-program's appid")
    wechat_driver: Driver = setting("how the pages reach WeChat", default=Driver.MOCK)

    def __post_init__(self) -> None:
        named = [
            (name, getattr(self, name))
            for name in ("backend_url", "front_url", "api_url", "wechat_pages_url")
        ]
        named += [("media_urls", one) for one in self.media_urls]
        named += [("insurance_pages_url", self.insurance_pages_url)] if self.insurance_pages_url else []
        if wrong := [name for name, value in named if not _is_address(value)]:
            raise SettingsError(
                [f"{name.upper()} is malformed: not an http address" for name in dict.fromkeys(wrong)]
            )
        for name, value in named:  # callers put paths behind it
            if name != "media_urls":
                object.__setattr__(self, name, value.rstrip("/"))

    @property
    def authorisation_page(self) -> str:
        """Tencent's page `/oauth/code`."""
        return f"{self.insurance_pages_url or self.wechat_pages_url}/oauth/code"

    @property
    def origin(self) -> str:
        """What browsers put into `Origin`."""
        parts = urlsplit(self.front_url)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def sockets(self) -> list[str]:
        """Where pages may open WebSockets, as `connect-src` names them."""
        found = [urlsplit(one.replace("http", "ws", 1)) for one in (self.api_url, *self.media_urls)]
        return list(dict.fromkeys(f"{one.scheme}://{one.netloc}" for one in found))

    def production_problems(self) -> list[str]:
        """Patients reach the pages by https only, and never WeChat's mock."""
        public = {"FRONT_URL": self.front_url, "API_URL": self.api_url}
        public |= {f"MEDIA_URLS ({one})": one for one in self.media_urls}
        problems = [
            f"{name} must be https" for name, value in public.items() if not value.startswith("https://")
        ]
        if self.wechat_driver is Driver.MOCK:
            problems.append("WECHAT_DRIVER must not be mock")
        if _is_loopback(self.wechat_pages_url):
            problems.append("WECHAT_PAGES_URL points at this machine")
        return problems


def _is_address(value: str) -> bool:
    try:
        parts = urlsplit(value)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _is_loopback(value: str) -> bool:
    host = urlsplit(value).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
