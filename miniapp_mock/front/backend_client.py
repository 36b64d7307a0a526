"""The front's only source: the backend's JSON API, called with the token of the browser's cookie.

```
Refused        the backend said no: status, code, words for the user, words per field
BackendDown    it did not answer at all, or with something that is no answer of the API
```
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import msgspec

from foundation.client import http_client
from foundation.logs import log, request_id

PREFIX = "/api/v1"
STREAM_SILENCE = 40.0
"""Seconds without a byte after which a stream is given up; the backend's heartbeat comes every 15."""


class Refused(Exception):
    """A problem body of the API."""

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        self.status = status
        self.code = str(problem.get("code", ""))
        self.detail = str(problem.get("detail") or problem.get("title") or "操作没有成功，请稍后再试")
        self.request_id = str(problem.get("request_id", ""))
        issues = problem.get("issues")
        self.fields = {
            str(issue.get("field", "")): str(issue.get("message", ""))
            for issue in (issues if isinstance(issues, list) else [])
            if isinstance(issue, dict)
        }
        super().__init__(f"{status} {self.code}")


class BackendDown(Exception):
    """No answer that can be used."""


@dataclass(frozen=True)
class Caller:
    """Which device asks, and through which addresses it came."""

    device: str = ""
    addresses: str = ""


class Api:
    """Calls on behalf of one browser; an empty `token` is a visitor who is not logged in."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        streams: httpx.AsyncClient,
        token: str = "",
        caller: Caller | None = None,
    ) -> None:
        self._http, self._streams, self.token, self.caller = http, streams, token, caller or Caller()

    def as_holder(self, token: str, caller: Caller | None = None) -> "Api":
        """The same connections for another token."""
        return Api(self._http, self._streams, token, caller)

    async def get(self, path: str, **query: str | int | None) -> Any:
        """A read; query values that are None are left out."""
        params = {name: value for name, value in query.items() if value is not None}
        return await self._json("GET", path, params=params)

    async def find(self, path: str) -> Any:
        """A read of something that may not be there yet: None instead of 404."""
        try:
            return await self.get(path)
        except Refused as refused:
            if refused.status == 404:
                return None
            raise

    async def post(self, path: str, body: Mapping[str, Any] | None = None, *, once: str = "") -> Any:
        """A verb; `once` is the idempotency key, so that the same form sent twice does one thing."""
        headers = {"idempotency-key": once} if once else {}
        content = msgspec.json.encode(body) if body is not None else b""
        if content:
            headers["content-type"] = "application/json"
        return await self._json("POST", path, content=content, headers=headers)

    async def put(self, path: str, body: Mapping[str, Any]) -> Any:
        """A whole new content."""
        headers = {"content-type": "application/json"}
        return await self._json("PUT", path, content=msgspec.json.encode(body), headers=headers)

    async def delete(self, path: str) -> Any:
        """Take back."""
        return await self._json("DELETE", path)

    async def upload(self, path: str, data: bytes, media_type: str) -> Any:
        """A file as the raw body."""
        return await self._json("POST", path, content=data, headers={"content-type": media_type})

    async def piece(self, path: str, data: bytes, offset: str) -> Any:
        """A piece of a file from byte `offset` on."""
        headers = {"content-type": "application/offset+octet-stream", "upload-offset": offset}
        return await self._json("PATCH", path, content=data, headers=headers)

    @asynccontextmanager
    async def stream(
        self, path: str, headers: Mapping[str, str] | None = None
    ) -> AsyncIterator[httpx.Response]:
        """An answer that is passed on piece by piece; its headers have been read and are good."""
        request = self._streams.build_request("GET", PREFIX + path, headers=self._headers(headers or {}))
        try:
            response = await self._streams.send(request, stream=True)
        except httpx.HTTPError as error:
            raise _down(path, error) from error
        try:
            if response.status_code >= 400:
                await response.aread()
                raise _refusal(response)
            yield response
        finally:
            await response.aclose()

    async def ping(self) -> None:
        """Whether the backend is ready."""
        response = await self._http.get("/readyz")
        response.raise_for_status()

    def _headers(self, more: Mapping[str, str]) -> dict[str, str]:
        headers = {"x-request-id": request_id.get(), **more}
        if self.caller.device:
            headers["x-device"] = self.caller.device
        if self.caller.addresses:
            headers["x-forwarded-for"] = self.caller.addresses
        if self.token:
            headers["authorization"] = f"Bearer {self.token}"
        return headers

    async def _json(
        self, method: str, path: str, *, headers: Mapping[str, str] | None = None, **options: Any
    ) -> Any:
        try:
            response = await self._http.request(
                method, PREFIX + path, headers=self._headers(headers or {}), **options
            )
        except httpx.HTTPError as error:
            raise _down(path, error) from error
        if response.status_code >= 400:
            raise _refusal(response)
        if not response.content:
            return None
        try:
            return msgspec.json.decode(response.content)
        except msgspec.DecodeError as error:
            raise _down(path, error) from error


def _refusal(response: httpx.Response) -> Refused | BackendDown:
    try:
        problem = msgspec.json.decode(response.content, type=dict[str, Any])
    except msgspec.MsgspecError:
        log.warning("backend_unusable", status=response.status_code)
        return BackendDown(f"status {response.status_code} without a problem body")
    return Refused(response.status_code, problem)


def _down(path: str, error: Exception) -> BackendDown:
    log.warning("backend_down", path=path.split("/")[1], error=type(error).__name__)
    return BackendDown(str(error))


@asynccontextmanager
async def open_api(backend_url: str) -> AsyncIterator[Api]:
    """Two pools: calls, and streams that stay open for as long as a page is looked at and must not starve the calls."""
    timeout = httpx.Timeout(STREAM_SILENCE, connect=2.0)
    endless = httpx.Limits(max_connections=None, max_keepalive_connections=0)
    async with (
        http_client(backend_url) as http,
        httpx.AsyncClient(base_url=backend_url, timeout=timeout, limits=endless, trust_env=False) as streams,
    ):
        yield Api(http, streams)
