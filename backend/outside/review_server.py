"""The port to an outside review server: CDS Hooks 2.0, `order-sign`, over JSON with a signed token (docs/counterparts.md).

Its cards are advice; what of them stops a signature is the backend's decision. No usable answer is `Unavailable`, which a
caller must never read as "nothing found".
"""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal, Protocol
from uuid import UUID

import httpx
import jwt
import msgspec

from backend.outside.calling import answered, reaching, trace
from foundation.client import http_client
from foundation.clock import Clock
from foundation.errors import Unavailable
from foundation.ids import new_id

WHO = "外部审方服务"
LIFE = timedelta(minutes=3)
MOST_BYTES = 1_000_000
EXTENSION = "cn.nanxiang.review"


class Extension(msgspec.Struct, frozen=True):
    """What CDS Hooks has no word for: rule, version, gravity and the line it is about (from 0)."""

    rule: str = ""
    version: str = ""
    severity: Literal["block", "reason", "needs-reason", "info"] | None = None
    line: int | None = None


class Extensions(msgspec.Struct, frozen=True):
    """Others' extensions are not read."""

    review: Extension | None = msgspec.field(name=EXTENSION, default=None)


class Source(msgspec.Struct, frozen=True):
    """Where a card's advice comes from."""

    label: str


class Card(msgspec.Struct, frozen=True):
    """One card; `indicator`: info, warning, critical."""

    summary: str
    indicator: Literal["info", "warning", "critical"]
    source: Source
    detail: str = ""
    uuid: str = ""
    extension: Extensions = Extensions()


class Answer(msgspec.Struct, frozen=True):
    """The cards; none of them is the server's "nothing to say"."""

    cards: list[Card]


class ReviewServer(Protocol):
    """What prescribing needs."""

    @property
    def offered(self) -> bool:
        """Whether there is one."""

    async def order_sign(
        self, instance: UUID, context: dict[str, Any], prefetch: dict[str, Any]
    ) -> list[Card]:
        """Its cards; the same `instance` is the same content. `Unavailable` without a usable answer."""

    async def close(self) -> None:
        """Close the connections."""


class NoReviewServer:
    """A hospital that asks nobody else."""

    offered = False

    async def order_sign(
        self, instance: UUID, context: dict[str, Any], prefetch: dict[str, Any]
    ) -> list[Card]:
        """Never."""
        raise Unavailable(f"本院未配置{WHO}", code="review_server_not_configured")

    async def close(self) -> None:
        """Nothing is open."""


@dataclass(frozen=True)
class Identity:
    """Who we are there."""

    issuer: str
    key_id: str
    key: str

    @classmethod
    def load(cls, issuer: str, key_id: str, file: Path) -> "Identity":
        """With the key read from its file."""
        return cls(issuer, key_id, file.read_text(encoding="ascii"))


class CdsReviewServer:
    """A server that speaks CDS Hooks."""

    offered = True

    def __init__(self, base_url: str, service: str, identity: Identity, clock: Clock, seconds: float) -> None:
        self.http = http_client(base_url, seconds=seconds, connect=min(seconds, 2.0))
        self.base_url, self.service, self.identity, self.clock = (
            base_url.rstrip("/"),
            service,
            identity,
            clock,
        )

    async def order_sign(
        self, instance: UUID, context: dict[str, Any], prefetch: dict[str, Any]
    ) -> list[Card]:
        """One signed call."""
        path = f"/cds-services/{self.service}"
        body = {"hook": "order-sign", "hookInstance": str(instance), "context": context, "prefetch": prefetch}
        headers = {
            "content-type": "application/json",
            "authorization": f"Bearer {self._token(path)}",
            **trace(),
        }
        async with reaching(WHO):
            response = await self.http.post(path, content=msgspec.json.encode(body), headers=headers)
        return self._read(answered(response, WHO))

    def _token(self, path: str) -> str:
        now = self.clock.now()
        claims = {
            "iss": self.identity.issuer, "aud": f"{self.base_url}{path}", "iat": int(now.timestamp()),
            "exp": int((now + LIFE).timestamp()), "jti": new_id().hex,
        }  # fmt: skip
        return jwt.encode(claims, self.identity.key, algorithm="ES384", headers={"kid": self.identity.key_id})

    def _read(self, response: httpx.Response) -> list[Card]:
        """Anything but a readable 200 is no answer: a 412 or a 401 has reviewed nothing."""
        if response.status_code != 200 or len(response.content) > MOST_BYTES:
            raise Unavailable(
                f"{WHO}没有给出审查结果（{response.status_code}）", code="review_server_refused"
            )
        try:
            return msgspec.json.decode(response.content, type=Answer).cards
        except msgspec.MsgspecError as error:
            raise Unavailable(f"{WHO}返回的内容无法识别", code="counterpart_unusable") from error

    async def close(self) -> None:
        """Close the connections."""
        await self.http.aclose()
