"""Sends one list of records through a gateway; the other gateway is tried when one is gone."""

import asyncio
import ssl
from collections.abc import Mapping, Sequence
from typing import Any, Self
from uuid import UUID

import aiohttp

from contracts.supervision_desk import PLATFORM_CERTIFICATE
from foundation.clock import Clock
from foundation.ids import new_id
from foundation.logs import log
from regulator_adapter.city_wire import Credentials, Message, seal
from regulator_adapter.profiles import Profile
from regulator_adapter.replies import Meaning, Reply, read

CONNECT_SECONDS = 3
KEEP_ALIVE_SECONDS = 4
"""Shorter than the five seconds after which common servers hang up: a request into a closing connection looks ambiguous."""
MAX_REPLY = 1_000_000


async def whole(response: aiohttp.ClientResponse) -> bytes | None:
    """The body to its end, None when it is too long: one read gives no more than what has come so far."""
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > MAX_REPLY:
            return None
    return bytes(body)


class CityClient:
    """One connection pool to the gateways. Open it inside the running loop, close it at the end."""

    def __init__(
        self,
        gateways: Sequence[str],
        credentials: Credentials,
        clock: Clock,
        tls: ssl.SSLContext,
        *,
        concurrency: int = 16,
        request_seconds: int = 15,
        own: Mapping[str, Credentials] | None = None,
    ) -> None:
        """`own` are the credentials of profiles that have some of their own. `certificate` is what the platform showed a gateway last."""
        self.gateways = [url.rstrip("/") for url in gateways]
        self.credentials = credentials
        self.own = dict(own or {})
        self.clock = clock
        self.tls = tls
        self.concurrency = concurrency
        self.request_seconds = request_seconds
        self.session: aiohttp.ClientSession | None = None
        self.certificate = ""
        self._preferred = 0

    async def __aenter__(self) -> Self:
        timeout = aiohttp.ClientTimeout(total=self.request_seconds, sock_connect=CONNECT_SECONDS)
        connector = aiohttp.TCPConnector(
            ssl=self.tls, limit=self.concurrency, keepalive_timeout=KEEP_ALIVE_SECONDS
        )
        self.session = aiohttp.ClientSession(connector=connector, timeout=timeout, auto_decompress=False)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self.session is not None:
            await self.session.close()
            await asyncio.sleep(0)

    async def send(
        self, profile: Profile, method: str, records: Sequence[Mapping[str, Any]]
    ) -> tuple[Reply, Message]:
        """Seal and send; an answer of ours where the platform gave none. The message is what went out last."""
        reply = Reply(Meaning.CLOSED, "no_gateway", "no gateway answers")
        message = self._seal(profile, method, records, new_id())
        for offset in range(len(self.gateways)):
            at = (self._preferred + offset) % len(self.gateways)
            if offset:  # the platform may have seen the nonce
                message = self._seal(profile, method, records, new_id())
            reply = await self._post(self.gateways[at] + profile.path, message)
            if reply.meaning is not Meaning.CLOSED:
                self._preferred = at
                break
        return reply, message

    def _seal(
        self, profile: Profile, method: str, records: Sequence[Mapping[str, Any]], nonce: UUID
    ) -> Message:
        millis = int(self.clock.now().timestamp() * 1000)
        credentials = self.own.get(profile.name, self.credentials)
        return seal(
            records, credentials, service=profile.service, method=method, nonce=nonce, millis=millis,
            suite=profile.suite, by_key=profile.signed_by_key,
        )  # fmt: skip

    async def _post(self, url: str, message: Message) -> Reply:
        """One attempt. A connection that never came about stored nothing; one that broke may have."""
        assert self.session is not None
        try:
            async with self.session.post(
                url, data=message.body, headers=message.headers, allow_redirects=False
            ) as response:
                self.certificate = response.headers.get(PLATFORM_CERTIFICATE, self.certificate)
                return read(response.status, await whole(response) or b"")
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL) as error:
            log.warning("gateway_unreachable", url=url, error=type(error).__name__)
            return Reply(Meaning.CLOSED, "no_gateway", f"{type(error).__name__} towards the gateway")
        except (aiohttp.ClientError, TimeoutError) as error:
            log.warning("answer_lost", url=url, error=type(error).__name__)
            return Reply(Meaning.UNKNOWN, "no_answer", f"{type(error).__name__} after sending")
