"""Text messages: sent by registered templates, and asked what became of them. A port, because every company differs."""

from dataclasses import dataclass
from typing import Protocol

import httpx
import msgspec

from backend.outside.signed import SignedClient
from foundation.errors import Unavailable


class SmsRefused(Exception):
    """The company will not send this message; asking again will not help."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class SmsState(msgspec.Struct, frozen=True):
    """`status`: accepted, delivered, undelivered."""

    id: str
    status: str
    reason: str = ""


class SmsProvider(Protocol):
    """What any company can do. `Unavailable` when it does not answer, `SmsRefused` when it says no."""

    @property
    def exists(self) -> bool:
        """Whether there is one at all."""

    async def send(self, request_id: str, phone: str, template: str, params: dict[str, str]) -> SmsState:
        """Send; the same `request_id` again is the same message."""

    async def state(self, message_id: str) -> SmsState:
        """What became of it."""

    async def close(self) -> None:
        """Close the connections."""


class NoSms:
    """A hospital without a contract: whoever would send a text goes on to the next channel."""

    exists = False

    async def send(self, request_id: str, phone: str, template: str, params: dict[str, str]) -> SmsState:
        """Refused."""
        raise SmsRefused("no_provider")

    async def state(self, message_id: str) -> SmsState:
        """Refused."""
        raise SmsRefused("no_provider")

    async def close(self) -> None:
        """Nothing to close."""


class _Error(msgspec.Struct):
    code: str = ""


@dataclass(frozen=True)
class SmsCompany:
    """Client of the company of docs/counterparts.md."""

    client: SignedClient
    exists = True

    async def send(self, request_id: str, phone: str, template: str, params: dict[str, str]) -> SmsState:
        """POST /v1/messages."""
        body = {"request_id": request_id, "phone": phone, "template": template, "params": params}
        response = await self.client.call("POST", "/v1/messages", body)
        return self._read(response)

    async def state(self, message_id: str) -> SmsState:
        """GET /v1/messages/{id}."""
        return self._read(await self.client.call("GET", f"/v1/messages/{message_id}"))

    def _read(self, answer: httpx.Response) -> SmsState:
        if answer.status_code in (200, 201):
            return self.client.read(answer, SmsState)
        if answer.status_code == 401:
            raise Unavailable("短信公司不接受我方签名", code="counterpart_unusable")
        raise SmsRefused(self.client.read(answer, _Error).code.lower() or f"status_{answer.status_code}")

    async def close(self) -> None:
        """Close the connections."""
        await self.client.close()
