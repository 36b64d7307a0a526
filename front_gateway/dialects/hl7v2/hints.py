"""Carries hints to the backend."""

from typing import Protocol

import msgspec

from contracts.hints import HintTaken, HospitalHint
from foundation.logs import request_id
from front_gateway.deadline import Deadline
from front_gateway.refusals import Target, Unreachable, Unusable
from front_gateway.upstream import GATEWAY_STATUS, Upstream

PATH = "/hospital/v1/hints"
SECONDS = 4.0
_encode = msgspec.json.Encoder().encode


class Hints(Protocol):
    """Where hints go."""

    async def tell(self, hint: HospitalHint) -> bool:
        """Whether it was new there; raises when it was not kept."""


class BackendHints:
    """Tells the backend; without an address nobody."""

    def __init__(self, upstream: Upstream | None) -> None:
        self._upstream = upstream

    async def tell(self, hint: HospitalHint) -> bool:
        """Whether it was new there. `Unreachable`, `TooSlow`, `Unusable` when it was not kept, or perhaps not."""
        if self._upstream is None:
            raise Unreachable(Target.BACKEND, "BACKEND_URL is not set")
        headers = (("content-type", "application/json"), ("x-request-id", request_id.get()))
        reply = await self._upstream.send("POST", PATH, headers, _encode(hint), Deadline(SECONDS))
        if reply.status in GATEWAY_STATUS:
            raise Unreachable(Target.BACKEND, f"backend answered {reply.status}")
        try:
            if reply.status == 200:
                return msgspec.json.decode(reply.body, type=HintTaken).fresh
        except msgspec.MsgspecError:
            pass
        raise Unusable(Target.BACKEND, f"backend answered {reply.status}")
