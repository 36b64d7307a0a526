"""Real-name service: does this name belong to this id number?"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec

from backend.outside.signed import SignedClient
from foundation.errors import Unavailable

PROVIDER = "real-name-service"


class Verification(msgspec.Struct, frozen=True):
    """The service's answer; `result`: match, mismatch, not_found."""

    request_id: str
    serial: str
    result: str
    checked_at: datetime


@dataclass(frozen=True)
class IdentityService:
    """Client of the real-name service."""

    client: SignedClient

    async def verify(self, request_id: UUID, name: str, id_number: str) -> Verification:
        """Ask; `Unavailable` when there is no usable answer. A person is then not verified, never assumed."""
        body = {"request_id": str(request_id), "name": name, "id_number": id_number}
        response = await self.client.call("POST", "/v1/verifications", body)
        if response.status_code != 200:
            raise Unavailable("实名认证服务暂时不可用，请稍后再试", code="identity_service_refused")
        answer = self.client.read(response, Verification)
        if answer.request_id != str(request_id) or answer.result not in ("match", "mismatch", "not_found"):
            raise Unavailable("实名认证服务返回的内容无法识别", code="counterpart_unusable")
        return answer
