"""What every call goes through, in this order: plain path, caller, line, length, body, rate, the other side, audit.

Nothing is read from a caller that is not on the list, nothing is forwarded without a line, and no answer leaves before
its audit line is written.
"""

import re
import secrets
from time import perf_counter

from foundation.clock import Clock
from foundation.errors import AppError, Internal, TooLarge, Unavailable
from foundation.logs import log, request_id
from front_gateway.audit_file import AuditFile
from front_gateway.call import Answer, Call, problem
from front_gateway.inward import Inward
from front_gateway.keeping.route import PURPOSE, Keeping
from front_gateway.metrics import count
from front_gateway.note import Note
from front_gateway.outward import Outward
from front_gateway.policy.finding import Finder
from front_gateway.policy.let_in import kept_out
from front_gateway.policy.lines import Entry
from front_gateway.policy.reading import Policy
from front_gateway.rates import Limits, TokenBucket
from front_gateway.refusals import (
    BadTarget,
    HospitalRefused,
    NotListed,
    Target,
    Unreachable,
    Unusable,
    WrongSubject,
)
from front_gateway.supervising import Supervising
from front_gateway.targets import announced_length, shown, split_target

_SAFE_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")


class Door:
    """`serve` never raises: what goes wrong is a problem body and an audit line."""

    def __init__(
        self, policy: Policy, inward: Inward, outward: Outward, audit: AuditFile,
        supervising: Supervising | None = None, clock: Clock | None = None, keeping: Keeping | None = None,
    ) -> None:  # fmt: skip
        self._clock = clock or Clock()
        self._finder = Finder(policy)
        self._inward = inward
        self._outward = outward
        self._supervising = supervising or Supervising(None)
        self._keeping = keeping or Keeping(None)
        self._audit = audit
        self._limits: dict[tuple[str, str], Limits] = {}

    @property
    def policy(self) -> Policy:
        """The whitelist in force."""
        return self._finder.policy

    def replace_policy(self, policy: Policy) -> None:
        """Use another whitelist from the next call on; running calls end under the old one, and count where the line stayed."""
        before = {entry.name: entry.text for entry in self._finder.policy.entries}
        same = {entry.name for entry in policy.entries if before.get(entry.name) == entry.text}
        self._finder = Finder(policy)
        self._limits = {key: limits for key, limits in self._limits.items() if key[0] in same}

    async def serve(self, call: Call) -> Answer:
        """The answer to `call`."""
        begun, note = perf_counter(), Note()
        given = call.header("x-request-id")
        current = given if _SAFE_ID.fullmatch(given) else secrets.token_hex(8)
        mark = request_id.set(current)
        try:
            try:
                answer = await self._through(call, note)
            except AppError as error:
                note.reason = note.reason or _reason(error)
                answer = problem(error)
            except Exception as error:
                log.error("unhandled", exc_info=error)
                note.reason = type(error).__name__
                answer = problem(Internal())
            written = self._written(call, note, answer, perf_counter() - begun)
            if written is not answer and answer.stream is not None:
                await answer.stream.aclose()
        finally:
            request_id.reset(mark)
        headers = (*written.headers, ("x-request-id", current))
        return Answer(written.status, headers, written.body, written.code, written.length, written.stream)

    async def _through(self, call: Call, note: Note) -> Answer:
        finder = self._finder
        path, query = split_target(call.target)
        caller = finder.caller(call.identity, call.address)
        note.caller = caller.name
        candidates = finder.candidates(caller, call.method, path)
        if outside := [one for one in query if one not in candidates[0].query]:
            raise NotListed(f"query field not let in: {shown(','.join(outside))}", outside)
        largest = max(one.text.max_body for one in candidates)
        announced = announced_length(call.headers)
        if announced > largest:
            raise TooLarge(f"内容不能超过 {largest} 字节")
        if candidates[0].text.target is Target.STORE:
            return await self._kept(call, candidates, announced, note)
        body = await call.read(largest) if announced else b""
        note.bytes_in = len(body)
        if candidates[0].text.target is not Target.HIS:
            entry = candidates[0]
            note.entry = entry.name
            self._judge(entry, body)
            with self._limits_of(entry, caller.name).admitted():
                if entry.text.target is Target.CITY:
                    return await self._outward.answer(entry, call, body)
                return await self._supervising.answer(entry, caller.name, body)
        request = self._inward.decode(candidates[0].text.operation, body)
        note.purpose = request.purpose
        entry = finder.for_purpose(candidates, request.purpose)
        note.entry = entry.name
        if len(body) > entry.text.max_body:
            raise TooLarge(f"内容不能超过 {entry.text.max_body} 字节")
        self._judge(entry, body)
        with self._limits_of(entry, caller.name).admitted():
            return await self._inward.answer(entry, request, note)

    async def _kept(self, call: Call, candidates: list[Entry], announced: int, note: Note) -> Answer:
        """The hospital's store: what passes is opaque and not held, so all that is judged stands in the head."""
        purpose = call.header(PURPOSE)
        entry = self._finder.for_purpose(candidates, purpose)
        note.purpose, note.entry = purpose, entry.name
        if announced > (entry.text.max_body if entry.method == "PUT" else 0):
            raise TooLarge(f"内容不能超过 {entry.text.max_body} 字节")
        self._judge(entry, b"")
        with self._limits_of(entry, note.caller).admitted():
            return await self._keeping.answer(entry, call, announced, note)

    def _judge(self, entry: Entry, body: bytes) -> None:
        """The line's hours, and the fields that it lets in; `NotListed` naming what it does not."""
        if entry.hours is not None and not entry.hours.open_at(self._clock.now()):
            raise NotListed("outside the line's hours")
        if entry.let_in is not None and (outside := kept_out(entry.let_in, body)):
            raise NotListed(f"body field not let in: {','.join(outside)}"[:200], outside)

    def _limits_of(self, entry: Entry, caller: str) -> Limits:
        key = (entry.name, caller)
        if key not in self._limits:
            self._limits[key] = Limits(
                TokenBucket(entry.text.per_second, entry.text.burst), entry.text.at_once
            )
        return self._limits[key]

    def _written(self, call: Call, note: Note, answer: Answer, seconds: float) -> Answer:
        line = {
            "request_id": request_id.get(),
            "caller": note.caller,
            "identity": call.identity[:120],
            "address": call.address,
            "method": call.method[:10],
            "path": shown(call.target),
            "entry": note.entry,
            "purpose": note.purpose,
            "subject": note.subject,
            "resources": note.resources,
            "offending": note.offending,
            "code": answer.code,
            "reason": note.reason,
            "status": answer.status,
            "bytes_in": note.bytes_in,
            "bytes_out": 0 if call.method == "HEAD" else answer.size,
            "microseconds": round(seconds * 1_000_000),
        }
        if note.object:
            line |= {"object": note.object, "sha256": note.sha256}
        count(note.entry, answer.code, seconds)
        try:
            self._audit.write(line)
        except OSError as error:
            log.error("audit_not_written", error=str(error))
            return problem(Unavailable("前置机无法记录审计，已停止放行", code="audit_unavailable"))
        return answer


def _reason(error: AppError) -> str:
    """For the audit line: the refusal's own reason, or its code and fields."""
    if isinstance(error, WrongSubject):
        return f"entry about another patient: {error.resource_hash}"
    if isinstance(error, NotListed | BadTarget | Unusable | Unreachable):
        return error.reason
    if isinstance(error, HospitalRefused):
        return "refused by the hospital"
    return ",".join([error.code, *(f"{issue.field}:{issue.code}" for issue in error.issues)])[:200]
