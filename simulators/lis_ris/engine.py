"""The interface engine: takes messages over MLLP, answers them, and spoils the answers as a tester wishes."""

import asyncio
import contextlib
import logging

from simulators.lis_ris.answers import Answers
from simulators.lis_ris.wire import BEGIN, FINISH, Msg
from simulators.server import Faults

IDLE_SECONDS = 120.0
log = logging.getLogger("lis_ris")


class Engine:
    """Listens until `close`."""

    def __init__(self, answers: Answers, faults: Faults) -> None:
        self._answers = answers
        self._faults = faults
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self.port = 0

    async def open(self, host: str, port: int) -> None:
        self._server = await asyncio.start_server(self._talk, host, port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
        for writer in list(self._writers):
            writer.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            while not (self._faults.on("down") and not self._faults.text("only")):
                async with asyncio.timeout(IDLE_SECONDS):
                    raw = await reader.readuntil(FINISH)
                if not await self._one(raw.removeprefix(BEGIN).removesuffix(FINISH), writer):
                    break
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError, TimeoutError):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _one(self, raw: bytes, writer: asyncio.StreamWriter) -> bool:
        """Whether the line stays open."""
        try:
            message = Msg(raw)
        except (ValueError, UnicodeDecodeError):
            log.warning("no message")
            return False
        faults = self.holding(message.field("MSH", 5))
        await faults.delay()
        if faults.on("down") or faults.on("hangs_up"):
            return False
        if faults.on("garbage"):
            writer.write(b"HTTP/1.1 200 OK\r\n\r\nnonsense")
            await writer.drain()
            return True
        framed = BEGIN + self._answers.to(message, faults) + FINISH
        for piece in [bytes([one]) for one in framed] if faults.on("split") else [framed]:
            writer.write(piece)
            await writer.drain()
        if faults.on("twice"):
            writer.write(framed)
            await writer.drain()
        return not faults.on("closes")

    def holding(self, system: str) -> Faults:
        """The faults as they are for one of the two systems."""
        if self._faults.text("only") in ("", system):
            return self._faults
        return declared()


def declared() -> Faults:
    return Faults(
        down=bool, slow_seconds=float, closes=bool, hangs_up=bool, garbage=bool, split=bool, twice=bool, wrong_patient=bool,
        wrong_control_id=bool, gb18030=bool, no_charset=bool, refuse=str, only=str,
    )  # fmt: skip
