"""Faults on demand, on the plain port: `PUT /_test/faults {…}`, `{}` clears them.

outage            503 for everything
hang_up           the connection is cut before anything is looked at
slow_seconds      every answer waits so long
busy, busy_every  outer -1 always, or for every nth request
expired           outer 40011 always, as if the platform's clock were wrong
frozen            outer 40003
no_right          outer 40006 for the named method
outer             this outer code for everything, whatever it means (`busy` is -1)
reject_every      every nth record is refused with inner -1
lose_reply        the records are stored, then the connection is cut
lose_reply_every  the same for every nth request
forge             the day's statement: `key` sealed with a key that is not the platform's, `figures` altered after sealing
wrong_reply       stored, but the answer is: `html`, `empty`, `not_json`, `no_body`, `text_code`
"""

from collections import Counter
from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from simulators.server import Faults
from simulators.supervision.answers import Outer, OuterRefusalError, outer_answer

TRANSPORT = "supervision.transport"


class PlatformFaults(Faults):
    """The declared faults and the counters behind every "nth"."""

    def __init__(self) -> None:
        super().__init__(
            outage=bool, hang_up=bool, slow_seconds=float, busy=bool, busy_every=int, expired=bool, frozen=bool,
            no_right=str, reject_every=int, outer=int, lose_reply=bool, lose_reply_every=int, wrong_reply=str,
            forge=str,
        )  # fmt: skip
        self._counter: Counter[str] = Counter()

    def clear(self) -> None:
        super().clear()
        self._counter.clear()

    def replace(self, values: Mapping[str, object]) -> None:
        """Counting begins anew."""
        super().replace(values)
        self._counter.clear()

    def before(self, request: Request) -> Response | None:
        """An answer that takes the platform's place."""
        if self.on("outage"):
            return PlainTextResponse("service unavailable", status_code=503)
        if self.on("hang_up"):
            return HangUp()
        code = None
        if self.on("busy") or self.nth("busy_every"):
            code = Outer.BUSY
        elif self.on("frozen"):
            code = Outer.FROZEN
        elif self.on("expired"):
            code = Outer.EXPIRED
        elif (method := self.text("no_right")) and method == request.headers.get("x-service-method"):
            code = Outer.NO_RIGHT
        elif (asked := int(self.number("outer"))) in tuple(Outer):
            code = Outer(asked)
        return outer_answer(OuterRefusalError(code)) if code is not None else None

    def after(self, answer: Response) -> Response:
        if self.on("lose_reply") or self.nth("lose_reply_every"):
            return HangUp()
        wrong: dict[str, Response] = {
            "html": HTMLResponse("<html><body>502 Bad Gateway</body></html>"),
            "empty": Response(),
            "not_json": Response("{", media_type="application/json"),
            "no_body": JSONResponse({"code": 200}),
            "text_code": JSONResponse({"code": "200", "body": {"msgCode": "200", "msg": "ok"}}),
        }
        return wrong.get(self.text("wrong_reply"), answer)

    def reject_now(self) -> bool:
        return self.nth("reject_every")

    def nth(self, name: str) -> bool:
        every = int(self.number(name))
        if not every:
            return False
        self._counter[name] += 1
        return self._counter[name] % every == 0


class HangUp(Response):
    """Cuts the connection instead of answering."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        transport = scope.get(TRANSPORT)
        if transport is None:  # no real connection below
            raise ConnectionAbortedError
        transport.abort()
        while (await receive())["type"] != "http.disconnect":
            pass
