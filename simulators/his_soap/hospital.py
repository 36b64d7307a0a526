"""The running hospital: store, clock, faults, and the table of trades."""

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from xml.etree import ElementTree as ET

from simulators.his.world import Canary, WorldError, read
from simulators.his_soap import timetable
from simulators.his_soap.asked import MALFORMED, NOTHING, RULE, Asked, Result
from simulators.his_soap.fees import LOCK, UNLOCK
from simulators.his_soap.load import open_store
from simulators.his_soap.messages import Malformed, Tree, element
from simulators.his_soap.reading import Reader, page_of
from simulators.his_soap.store import Store
from simulators.his_soap.writing import Writer
from simulators.server import Clock, Faults

DONE = "0"


class Lost(Exception):
    """The write was done, its answer is not given."""


class Hospital:
    """`store` exists once `ready`."""

    def __init__(
        self, world: Path, data: Path, clock: Clock, give_up: Callable[[], None] = lambda: None
    ) -> None:
        """`give_up` is called, with `failure` set, when the world cannot be loaded."""
        self._world = world
        self._data = data
        self._give_up = give_up
        self.clock = clock
        self.faults = Faults(
            down=bool, slow_seconds=float, refuse_writes=str, lose_write_answers=bool, wrong_patient=bool, garbage=bool,
            taken=bool, fault=str, result_code=str, other_answer=bool, bomb=str, charset=str, cdata=bool,
        )  # fmt: skip
        self.ready = False
        self.failure = ""
        self.store: Store
        self._reader: Reader
        self._writer: Writer

    @contextlib.asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Loads in a thread, so that the health port answers meanwhile."""
        await asyncio.to_thread(self._try_to_open)
        try:
            yield
        finally:
            if self.ready:
                self.ready = False
                self.store.close()

    def _try_to_open(self) -> None:
        try:
            self.open()
        except (WorldError, sqlite3.Error, OSError) as problem:
            self.failure = str(problem)
            self._give_up()

    def open(self) -> None:
        """Raises WorldError."""
        self.store = open_store(self._world, self._data)
        self._reader = Reader(self.store, self.clock, lambda: self.faults.on("wrong_patient"))
        self._writer = Writer(self.store, self.clock, lambda: self.faults.on("taken"))
        timetable.ensure(self.store, self.clock)
        self.ready = True

    def answer(self, root: ET.Element) -> ET.Element:
        """The string that comes back. Raises Malformed, and Lost after a write."""
        asked = Asked.of(root)
        message_id = "0" if self.faults.on("other_answer") else asked.message_id
        try:
            if code := self.faults.text("result_code"):
                raise Result(code, "按测试要求返回")
            rows, total = self._rows(asked)
        except Result as result:
            return _response(message_id, result.code, result.said, [], 0)
        if not rows and not total:
            return _response(message_id, NOTHING, "不存在", [], 0)
        return _response(message_id, DONE, "成功", rows, total)

    def _rows(self, asked: Asked) -> tuple[list[Tree], int]:
        """Rows of the page asked for, and how many there are in all."""
        if reads := self._reader.trades.get(asked.trade):
            rows = reads(asked)
            return page_of(asked, rows), len(rows)
        if asked.trade in (LOCK, UNLOCK):
            locks = self._writer.of_a_fee(asked)
            return locks, len(locks)
        if asked.trade not in self._writer.trades:
            raise Malformed(f"交易 {asked.trade} 不存在")
        if reason := self.faults.text("refuse_writes"):
            raise Result(RULE, reason)
        row = self._writer.write(asked)
        if self.faults.on("lose_write_answers"):
            raise Lost
        return [row], 1

    def canaries(self) -> list[Canary]:
        return read(self._world, "canaries.json", list[Canary])


def _response(message_id: str, code: str, said: str, rows: list[Tree], total: int) -> ET.Element:
    return element(
        "Response",
        {
            "Head": {"ResultCode": code, "ResultText": said, "MessageId": message_id},
            "Body": {"Total": total, "Rows": {"Row": rows}},
        },
    )


def malformed(said: str) -> ET.Element:
    """The answer to what cannot be read."""
    return _response("", MALFORMED, said, [], 0)
