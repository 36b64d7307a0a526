"""The hospital behind the front gateways: typed operations, two gateways tried in turn."""

import ssl
from dataclasses import dataclass, field
from typing import Any, TypeVar

import aiohttp
import msgspec

from contracts import his
from foundation.errors import AppError, NotFound, Unavailable
from foundation.logs import log, request_id

T = TypeVar("T")
TIMEOUT = aiohttp.ClientTimeout(total=10, connect=2)


class _Problem(msgspec.Struct, frozen=True):
    code: str = ""
    detail: str = ""


@dataclass
class Hospital:
    """Client of the gateways. A call is tried once at each; writes carry a request id, so that this is safe."""

    urls: tuple[str, ...]
    tls: ssl.SSLContext
    _session: aiohttp.ClientSession | None = field(default=None, init=False)
    _preferred: int = field(default=0, init=False)

    async def call(self, request: Any, kind: type[T]) -> T:
        """Send one of `contracts.his`; `Unavailable` when no gateway gives a usable answer, `NotFound` for unknown patients."""
        raw = msgspec.json.encode(request)
        for attempt in range(len(self.urls)):
            index = (self._preferred + attempt) % len(self.urls)
            try:
                status, body = await self._post(self.urls[index], request.OPERATION, raw)
            except (aiohttp.ClientError, TimeoutError) as error:
                log.warning("gateway_unreachable", gateway=index, error=type(error).__name__)
                continue
            if status in (502, 503, 504) and attempt + 1 < len(self.urls):
                continue
            self._preferred = index
            return self._read(status, body, kind)
        raise Unavailable("院内系统暂时不可用，请稍后再试", code="hospital_unreachable")

    async def _post(self, url: str, operation: str, raw: bytes) -> tuple[int, bytes]:
        if self._session is None:
            connector = aiohttp.TCPConnector(ssl=self.tls, limit=64)
            self._session = aiohttp.ClientSession(connector=connector, timeout=TIMEOUT, trust_env=False)
        headers = {"content-type": "application/json", "x-request-id": request_id.get() or "none-none"}
        async with self._session.post(f"{url}/his/v1/{operation}", data=raw, headers=headers) as response:
            return response.status, await response.read()

    def _read(self, status: int, body: bytes, kind: type[T]) -> T:
        try:
            if status == 200:
                return msgspec.json.decode(body, type=kind)
            problem = msgspec.json.decode(body, type=_Problem)
        except msgspec.MsgspecError as error:
            raise Unavailable("院内系统返回的内容无法识别", code="hospital_answer_unusable") from error
        raise self._refused(status, problem)

    def _refused(self, status: int, problem: _Problem) -> AppError:
        if status == 404 and problem.code == "image_not_found":
            return NotFound("没有找到这幅影像", code="image_not_found")
        if status == 404:
            return NotFound("医院没有该就诊人的档案", code="patient_not_found")
        if status >= 500 or status == 429:  # too fast is no refusal: jobs come again, more slowly
            return Unavailable("院内系统暂时不可用，请稍后再试", code=problem.code or "hospital_unreachable")
        return HospitalRefused(
            problem.detail or "院内系统拒绝了请求", code=problem.code or "hospital_refused"
        )

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()


class HospitalRefused(AppError):
    """The hospital (or the gateway's whitelist) said no: for a desk, not for a retry."""

    status, code, title = 502, "hospital_refused", "院内系统拒绝了请求"


__all__ = ["Hospital", "HospitalRefused", "his"]
