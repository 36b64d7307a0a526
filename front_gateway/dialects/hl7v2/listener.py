"""The MLLP port: what the hospital's systems push. Each message meets a sender of the whitelist or is rejected and written down.

Order: connection (address, certificate), frame, letters, MSH-3/4, message type, rate, what it comes to, the backend, the audit, the
acknowledgement. AA is said only when the backend has the hint and the audit its line; then the sender may forget the message.
"""

import asyncio
import secrets
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic, perf_counter

from foundation.clock import Clock
from foundation.errors import AppError
from foundation.logs import log, request_id
from front_gateway.audit_file import AuditFile
from front_gateway.dialects.hl7v2.charsets import Charset
from front_gateway.dialects.hl7v2.frames import BadFrame, Frames, framed
from front_gateway.dialects.hl7v2.hints import Hints
from front_gateway.dialects.hl7v2.message import BadMessage, Message, parsed
from front_gateway.dialects.hl7v2.pushed import acknowledgement, read
from front_gateway.identity import identity_of
from front_gateway.metrics import count
from front_gateway.policy.senders import Sender
from front_gateway.rates import Limits, TokenBucket

IDLE_SECONDS = 600.0
"""A line that is kept and says nothing."""
MESSAGE_SECONDS = 10.0
"""From the first byte of a message to its last."""
MOST_CONNECTIONS = 64
CLOSE_SECONDS = 5.0
SAID = {"AA": 200, "AE": 503, "AR": 403}
"""What the audit's `status` is for each acknowledgement."""


@dataclass
class _Verdict:
    """One message: what is answered, and what is written down about it."""

    ack: str = "AE"
    words: str = ""
    code: str = "ok"
    reason: str = ""
    sender: str = ""
    kind: str = ""
    subject: str = ""
    resources: int = 0
    message: Message | None = None
    charset: Charset = Charset.UTF_8


class MllpListener:
    """Serves until `close`; `ports` are those that were really taken, by "plain" and "tls"."""

    def __init__(
        self, senders: Callable[[], dict[str, Sender]], hints: Hints, audit: AuditFile, clock: Clock
    ) -> None:
        self._senders = senders
        self._hints = hints
        self._audit = audit
        self._clock = clock
        self._limits: dict[str, tuple[Sender, Limits]] = {}
        self._servers: list[asyncio.Server] = []
        self._open: dict[asyncio.Task[None], tuple[asyncio.StreamReader, asyncio.StreamWriter]] = {}
        self.ports: dict[str, int] = {}

    async def open(self, host: str, port: int, tls: ssl.SSLContext | None) -> None:
        """Listen, over TLS or in plain; `OSError` when the port is taken."""
        server = await asyncio.start_server(
            self._connected,
            host,
            port,
            ssl=tls,
            limit=65_536,
            **({"ssl_handshake_timeout": 10} if tls else {}),
        )
        self._servers.append(server)
        self.ports["tls" if tls else "plain"] = server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Take no more; what is being answered is answered, for `CLOSE_SECONDS` at most."""
        for one in self._servers:
            one.close()
        for reader, writer in self._open.values():
            if isinstance(writer.transport, asyncio.ReadTransport) and not writer.is_closing():
                writer.transport.pause_reading()  # nothing may come behind the end that is said next
            reader.feed_eof()
        if self._open:
            _, late = await asyncio.wait(self._open, timeout=CLOSE_SECONDS)
            for task in late:
                task.cancel()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open[task] = reader, writer
        try:
            await self._conversation(reader, writer)
        except (ConnectionError, ssl.SSLError):
            pass
        finally:
            self._open.pop(task, None)
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def _conversation(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        identity = identity_of(writer.get_extra_info("peercert"))
        address = str((writer.get_extra_info("peername") or ("",))[0])
        candidates = [one for one in self._senders().values() if one.may_connect(identity, address)]
        if not candidates or len(self._open) > MOST_CONNECTIONS:
            reason = "nobody may come from there" if not candidates else "too many connections"
            self._written(_Verdict(ack="AR", code="not_listed", reason=reason), identity, address, 0, 0, 0.0)
            return
        frames = Frames(max(one.text.max_message for one in candidates))
        while True:
            try:
                found = await self._next(reader, frames)
            except BadFrame as error:
                verdict = _Verdict(ack="AR", code="bad_frame", reason=str(error))
                self._written(verdict, identity, address, 0, 0, 0.0)
                return
            if not found:
                return
            for raw in found:
                writer.write(await self._answered(raw, identity, address))
                await writer.drain()

    async def _next(self, reader: asyncio.StreamReader, frames: Frames) -> list[bytes]:
        """The messages that came whole; none when the other side hung up or said nothing for long."""
        until = monotonic() + IDLE_SECONDS
        while True:
            was_begun = frames.begun
            try:
                async with asyncio.timeout(max(0.01, until - monotonic())):
                    data = await reader.read(65_536)
            except TimeoutError:
                if was_begun:
                    raise BadFrame("a message that did not end") from None
                return []
            if not data:
                if was_begun:
                    raise BadFrame("closed in the middle of a message")
                return []
            if found := frames.feed(data):
                return found
            if not was_begun and frames.begun:
                until = monotonic() + MESSAGE_SECONDS

    async def _answered(self, raw: bytes, identity: str, address: str) -> bytes:
        begun = perf_counter()
        mark = request_id.set(secrets.token_hex(8))
        verdict = _Verdict()
        try:
            await self._judged(verdict, raw, identity, address)
            answer = framed(self._said(verdict))
            if not self._written(verdict, identity, address, len(raw), len(answer), perf_counter() - begun):
                verdict.ack, verdict.words = "AE", "audit unavailable"
                answer = framed(self._said(verdict))
            return answer
        finally:
            request_id.reset(mark)

    async def _judged(self, verdict: _Verdict, raw: bytes, identity: str, address: str) -> None:
        """Fill `verdict`; what goes wrong is part of it."""
        try:
            sender = self._recognised(verdict, raw, identity, address)
            if sender is None:
                return
            assert verdict.message is not None
            with self._limits_of(sender).admitted():
                pushed = read(verdict.message, sender.name, self._clock.now())
                verdict.resources = pushed.resources
                if pushed.hint is not None:
                    verdict.subject = pushed.hint.subjects[0]
                    fresh = await self._hints.tell(pushed.hint)
                    verdict.reason = "" if fresh else "again"
                else:
                    verdict.reason = "nothing to tell"
            verdict.ack = "AA"
        except BadMessage as error:
            verdict.ack, verdict.code, verdict.reason, verdict.words = (
                "AR",
                "bad_message",
                str(error),
                str(error),
            )
        except AppError as error:
            verdict.code, verdict.reason = error.code, str(getattr(error, "reason", ""))
            verdict.words = "cannot be passed on now, send again"
        except Exception as error:
            log.error("unhandled", exc_info=error)
            verdict.code, verdict.reason, verdict.words = "internal", type(error).__name__, "send again"

    def _recognised(self, verdict: _Verdict, raw: bytes, identity: str, address: str) -> Sender | None:
        """The sender whose message this is; None, with the verdict, when there is none."""
        failed: BadMessage | None = None
        for one in self._senders().values():
            if not one.may_connect(identity, address):
                continue
            try:
                message = parsed(raw, Charset(one.text.charset))
            except BadMessage as error:
                failed = error
                continue
            verdict.message = message
            if not one.is_meant(message.header.part(3), message.header.part(4)):
                continue
            verdict.sender, verdict.kind, verdict.charset = one.name, message.kind, Charset(one.text.charset)
            if message.kind in one.messages and len(raw) <= one.text.max_message:
                return one
            verdict.ack, verdict.code, verdict.words = "AR", "not_listed", "not accepted"
            verdict.reason = "a message type or size that is not this sender's"
            return None
        if verdict.message is None and failed is not None:
            raise failed
        verdict.ack, verdict.code, verdict.words = "AR", "not_listed", "not accepted"
        verdict.reason = "MSH-3 and MSH-4 are no sender's from there"
        return None

    def _limits_of(self, sender: Sender) -> Limits:
        known = self._limits.get(sender.name)
        if known is None or known[0] is not sender:
            bucket = TokenBucket(sender.text.per_second, sender.text.burst)
            known = self._limits[sender.name] = (sender, Limits(bucket, sender.text.at_once))
        return known[1]

    def _said(self, verdict: _Verdict) -> bytes:
        return acknowledgement(
            verdict.message, verdict.ack, verdict.words, self._clock.now(), verdict.charset
        )

    def _written(
        self, verdict: _Verdict, identity: str, address: str, size: int, out: int, seconds: float
    ) -> bool:
        """Append the line; False when it could not be written."""
        entry = f"hl7 {verdict.sender}" if verdict.sender else ""
        line = {
            "request_id": request_id.get(),
            "caller": verdict.sender,
            "identity": identity[:120],
            "address": address,
            "method": "MLLP",
            "path": verdict.kind[:16],
            "entry": entry,
            "purpose": "",
            "subject": verdict.subject,
            "resources": verdict.resources,
            "offending": "",
            "code": verdict.code,
            "reason": verdict.reason,
            "status": SAID[verdict.ack],
            "bytes_in": size,
            "bytes_out": out,
            "microseconds": round(seconds * 1_000_000),
        }
        count(entry, verdict.code, seconds)
        try:
            self._audit.write(line)
        except OSError as error:
            log.error("audit_not_written", error=str(error))
            return False
        return True
