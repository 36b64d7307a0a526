"""Adapter → city platform: the body is sealed, so its bytes pass unchanged both ways; only listed headers do."""

from contracts.supervision_desk import PLATFORM_CERTIFICATE
from front_gateway.call import Answer, Call
from front_gateway.deadline import Deadline
from front_gateway.policy.lines import Entry
from front_gateway.refusals import BadTarget, Target, Unreachable, Unusable
from front_gateway.upstream import GATEWAY_STATUS, Upstream


class Outward:
    """Forwards to the platform."""

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream

    async def answer(self, entry: Entry, call: Call, body: bytes) -> Answer:
        """The platform's answer, whatever its status, except where it is no answer at all."""
        headers = entry.out.picked(call.headers)
        if len({name for name, _ in headers}) != len(headers):
            raise BadTarget("a listed header twice")
        deadline = Deadline(entry.text.seconds)
        reply = await self._upstream.send(call.method, call.target, headers, body, deadline)
        if reply.status == 503:
            raise Unreachable(Target.CITY, "platform answered 503")
        if reply.status in GATEWAY_STATUS:  # the records may have been stored before it gave up
            raise Unusable(Target.CITY, f"platform answered {reply.status}")
        if reply.status < 200 or 300 <= reply.status < 400:
            raise Unusable(Target.CITY, f"platform answered {reply.status}")
        code = "ok" if reply.status < 400 else f"platform_{reply.status}"
        back = entry.back.picked(reply.headers)
        if reply.certificate:
            back = (*back, (PLATFORM_CERTIFICATE, reply.certificate))
        return Answer(reply.status, back, reply.body, code)
