"""What the systems send by themselves, when a tester says so."""

import asyncio
from typing import Any

from simulators.lis_ris.answers import Answers, results
from simulators.lis_ris.records import Records
from simulators.lis_ris.wire import BEGIN, FINISH, Msg, msh, packed
from simulators.server import BadField

SENDERS = {"ORU^R01": "LIS", "ORM^O01": "LIS", "ADT^A08": "MPI", "ADT^A40": "MPI"}
SECONDS = 10.0


class Pushing:
    """Writes one message and gives the acknowledgement."""

    def __init__(self, records: Records, answers: Answers, send_to: tuple[tuple[str, int], ...]) -> None:
        self._records = records
        self._answers = answers
        self._send_to = send_to

    async def push(self, wish: dict[str, Any]) -> dict[str, str]:
        """`kind`, `number`; optional `old` (the merged number), `sender`, `control`, `letters`, `status`, `to` (host:port)."""
        kind, number = wish.get("kind"), wish.get("number")
        if kind not in SENDERS:
            raise BadField("kind", f"one of {', '.join(SENDERS)}")
        if not isinstance(number, str) or not number:
            raise BadField("number", "expected a text")
        letters = str(wish.get("letters", "utf-8"))
        control = str(wish.get("control") or self._answers.next_control())
        sender = str(wish.get("sender") or SENDERS[kind])
        head = msh(sender, "INTERNET-HOSPITAL", kind, control, self._answers.now(), letters)
        frame = BEGIN + packed([head, *self._body(kind, number, wish)], letters) + FINISH
        return await self._sent(frame, str(wish.get("to", "")))

    def _body(self, kind: str, number: str, wish: dict[str, Any]) -> list[str]:
        pid = self._answers.pid(number, str(wish.get("name", "")))
        status = str(wish.get("status", "F"))
        if kind == "ADT^A40":
            return [f"EVN|A40|{self._answers.now()}", pid, f"MRG|{wish.get('old', '')}^^^NXYY^MR"]
        if kind == "ADT^A08":
            return [f"EVN|A08|{self._answers.now()}", pid, "PV1|1|O"]
        if kind == "ORM^O01":
            return [pid, f"ORC|SC|{wish.get('placer', 'X-1')}|F0000001||CM"]
        category = "imaging" if wish.get("sender") == "RIS" else "lab"
        found = self._records.reports([number], category, "0000-00-00")
        lines = [pid]
        for _, report in found[-1:]:
            lines += results({**report, "status": status})
        return lines if len(lines) > 1 else [pid, f"OBR|1||L0|x^x|{'|' * 17}{self._answers.now()}|||{status}"]

    async def _sent(self, frame: bytes, to: str) -> dict[str, str]:
        host, _, port = to.rpartition(":")
        places = [(host, int(port))] if to else list(self._send_to)
        for one in places:
            try:
                async with asyncio.timeout(SECONDS):
                    reader, writer = await asyncio.open_connection(*one)
                    try:
                        writer.write(frame)
                        raw = await reader.readuntil(FINISH)
                    finally:
                        writer.close()
            except (OSError, asyncio.IncompleteReadError):
                continue
            said = Msg(raw.removeprefix(BEGIN).removesuffix(FINISH))
            return {
                "code": said.field("MSA", 1),
                "control": said.field("MSA", 2),
                "words": said.field("MSA", 3),
            }
        return {"code": "", "control": "", "words": "nobody took it"}
