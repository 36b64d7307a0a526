"""City's supervisor → backend: a typed request in, passed on with the caller's name, the reply cut to the fields of the line."""

from typing import Any

import msgspec

from contracts import supervision
from foundation.logs import request_id
from foundation.web.parsing import decode
from foundation.web.problems import MEDIA_TYPE
from front_gateway.call import Answer
from front_gateway.deadline import Deadline
from front_gateway.policy.lines import Entry
from front_gateway.refusals import Target, Unreachable, Unusable
from front_gateway.upstream import GATEWAY_STATUS, Upstream

CALLER = "x-gateway-caller"
"""Tells the backend for whom the gateway speaks; the backend believes it of a gateway's certificate only."""
_HEADERS = (("content-type", "application/json"), ("cache-control", "no-store"))
_encoder = msgspec.json.Encoder()


class Supervising:
    """Asks the backend; without an address nobody is let through."""

    def __init__(self, upstream: Upstream | None) -> None:
        self._upstream = upstream

    async def answer(self, entry: Entry, caller: str, body: bytes) -> Answer:
        """The backend's reply, cut, or its refusal as it is. `BadRequest` or `Invalid` for what no supervisor may ask."""
        assert entry.cut is not None
        kind = supervision.BY_OPERATION[entry.text.operation]
        asked = decode(body, kind)
        if self._upstream is None:
            raise Unreachable(Target.BACKEND, "BACKEND_URL is not set")
        headers = (*_HEADERS[:1], (CALLER, caller), ("x-request-id", request_id.get()))
        sent = _encoder.encode(asked)
        reply = await self._upstream.send("POST", entry.path, headers, sent, Deadline(entry.text.seconds))
        if reply.status in GATEWAY_STATUS:
            raise Unreachable(Target.BACKEND, f"backend answered {reply.status}")
        if 400 <= reply.status < 500:
            return _refusal(reply.status, reply.body)
        if reply.status != 200:
            raise Unusable(Target.BACKEND, f"backend answered {reply.status}")
        return Answer(200, _HEADERS, _encoder.encode(entry.cut(_decoded(reply.body, kind.REPLY))))


def _decoded(body: bytes, kind: type[Any]) -> Any:
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.MsgspecError as error:
        raise Unusable(Target.BACKEND, "backend's reply does not fit the contract") from error


def _refusal(status: int, body: bytes) -> Answer:
    """Of the backend's own making; its code goes into the audit line."""
    try:
        code = str(msgspec.json.decode(body).get("code", ""))
    except (msgspec.MsgspecError, AttributeError):
        raise Unusable(Target.BACKEND, f"backend answered {status} without a problem body") from None
    headers = (("content-type", MEDIA_TYPE), ("cache-control", "no-store"))
    return Answer(status, headers, body, f"backend_{code}"[:60])
