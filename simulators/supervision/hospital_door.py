"""The way from the platform to the hospital: its gateways, over mutual TLS, tried in turn. What is asked is in the hospital's document.

A supervisor may look in on a live consultation and read a written one; each request names her and the order she acts on.
"""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp

from simulators.server import TlsFiles
from simulators.supervision.settings import Supervisor

TIMEOUT = aiohttp.ClientTimeout(total=10, connect=2)
GONE = frozenset({502, 503, 504})
AWAY = {"code": "no_gateway", "detail": "医院的前置机没有应答，请稍后再试"}


@dataclass(frozen=True)
class Said:
    """The hospital's answer; `problem` has words for the supervisor, empty when it went well."""

    status: int
    body: Mapping[str, Any]

    @property
    def problem(self) -> str:
        """Why not: the sentence, and each field that was wrong."""
        if self.status < 400:
            return ""
        issues = self.body.get("issues") or []
        more = "；".join(str(one.get("message", "")) for one in issues if isinstance(one, dict))
        return " ".join(filter(None, (str(self.body.get("detail") or "医院没有接受"), more)))


class HospitalDoor:
    """Asks for the supervisor whose request it is. Without addresses nobody is asked."""

    def __init__(self, urls: tuple[str, ...], tls: TlsFiles | None) -> None:
        self._urls = urls
        self._tls = _context(tls) if tls is not None else None

    @property
    def there(self) -> bool:
        return bool(self._urls)

    async def ask(self, operation: str, asked: Mapping[str, Any], by: Supervisor) -> Said:
        """One request; the second gateway when the first is gone."""
        said = Said(503, AWAY)
        who = {"account": by.login, "name": by.name}
        for url in self._urls:
            said = await self._ask(f"{url}/supervision/v1/{operation}", {"supervisor": who, **asked})
            if said.status not in GONE:
                break
        return said

    async def _ask(self, url: str, asked: Mapping[str, Any]) -> Said:
        connector = aiohttp.TCPConnector(ssl=self._tls if self._tls is not None else True)
        try:
            async with (
                aiohttp.ClientSession(connector=connector, timeout=TIMEOUT) as http,
                http.post(url, json=asked) as answer,
            ):
                body = await answer.json(content_type=None)
                return Said(answer.status, body if isinstance(body, dict) else {})
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
            return Said(503, AWAY)


def _context(files: TlsFiles) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.SERVER_AUTH, cafile=str(files.authority))
    context.load_cert_chain(files.certificate, files.key)
    return context
