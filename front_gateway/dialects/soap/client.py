"""Asks one hospital: a call of one interface, an answer with a result code and rows. Nothing is tried twice."""

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from foundation.clock import Clock
from foundation.errors import Invalid, invalid
from foundation.logs import log
from front_gateway.deadline import Deadline
from front_gateway.dialects.hashes import resource_hash
from front_gateway.dialects.soap.envelope import Fault, decoded, envelope, headers, taken_out
from front_gateway.dialects.soap.hospital_profile import Profile
from front_gateway.dialects.soap.rows import Row, Words, unusable
from front_gateway.dialects.soap.trees import Maker, Node, Unreadable, Unwritable, read
from front_gateway.refusals import (
    HospitalRefused,
    PlaceTaken,
    Target,
    TooSlow,
    Unreachable,
    Unusable,
    WrongSubject,
)
from front_gateway.upstream import GATEWAY_STATUS, Reply, Upstream

Value = str | Sequence["Fields"]
Fields = Mapping[str, Value]
"""What is asked, by our words; a list of fields becomes one element each."""
PAGE_LIMIT = 40
SHOWN = 200
"""Characters of a hospital's own words that are passed on."""


class TooManyPages(Unusable):
    """More than is read for one question."""


@dataclass(frozen=True)
class Answer:
    """`meaning` is done, nothing, exists or over; every other result is raised. `total` is of all pages, None unsaid."""

    meaning: str
    rows: list[Row]
    total: int | None


class SoapClient:
    """`Unusable`, `WrongSubject`, `Unreachable`, `TooSlow`, `HospitalRefused`, `PlaceTaken` are what can go wrong."""

    def __init__(self, upstream: Upstream, profile: Profile, clock: Clock) -> None:
        self._upstream = upstream
        self._clock = clock
        self.profile = profile
        self.words = Words(profile)

    def has(self, interface: str) -> bool:
        """Whether the hospital offers it."""
        return bool(self.profile.interfaces[interface])

    async def ask(self, interface: str, fields: Fields, deadline: Deadline) -> Answer:
        """One call. A hospital that will not have it is `HospitalRefused` with its words, or `PlaceTaken`."""
        return await self._ask(interface, fields, deadline, page=0)

    async def rows(self, interface: str, fields: Fields, deadline: Deadline) -> list[Row]:
        """All rows over all pages; none when the hospital says that there are none."""
        frame = self.profile.frame
        if not frame.page:
            return (await self.ask(interface, fields, deadline)).rows
        found: list[Row] = []
        before: list[Row] = []
        for page in range(1, PAGE_LIMIT + 1):
            answer = await self._ask(interface, fields, deadline, page=page)
            if answer.rows and answer.rows == before:
                raise unusable(f"{interface}: pages repeat themselves")
            before = answer.rows
            found += answer.rows
            full = len(answer.rows) >= frame.rows_per_page
            if not answer.rows or (len(found) >= answer.total if answer.total is not None else not full):
                return found
        raise TooManyPages(Target.HIS, f"{interface}: too many pages")

    async def about(
        self,
        interface: str,
        patients: Collection[str],
        fields: Fields,
        kind: str,
        word: str,
        deadline: Deadline,
    ) -> list[Row]:
        """Rows about each of `patients`. `WrongSubject` for a row about anybody else; `word` is the field with its number."""
        found: list[Row] = []
        for patient in patients:
            for row in await self.rows(interface, {"patient_no": patient, **fields}, deadline):
                self.check_subject(row, patients, kind, row.text(word))
                found.append(row)
        return found

    @staticmethod
    def check_subject(row: Row, patients: Collection[str], kind: str, number: str) -> None:
        """`WrongSubject` unless the row names one of `patients`; a row that names nobody is unusable."""
        if row.needed("patient_no") not in patients:
            raise WrongSubject(resource_hash(kind, number))

    async def greet(self, deadline: Deadline) -> None:
        """Raises when the hospital does not answer, or has no such method."""
        wire = self.profile.wire
        if not wire.wsdl:
            try:
                await self._upstream.reach(deadline.left())
            except (OSError, TimeoutError):
                raise Unreachable(Target.HIS, "no connection") from None
            return
        reply = await self._upstream.send(
            "GET", f"{wire.path}{wire.wsdl}", (("accept", "text/xml"),), None, deadline
        )
        _usable(reply, "wsdl", (200,))
        try:
            root = read(decoded(reply.body, _content_type(reply)))
        except Unreadable as error:
            raise unusable(f"WSDL: {error}") from None
        if not any(one.attributes.get("name") == wire.method for one in root.all("portType/operation")):
            raise unusable("WSDL without the method")

    async def _ask(self, interface: str, fields: Fields, deadline: Deadline, *, page: int) -> Answer:
        wire, message_id = self.profile.wire, str(uuid.uuid4())
        head, text = self._request(interface, fields, message_id, page)
        reply = await self._upstream.send(
            "POST", wire.path, headers(wire), envelope(wire, text, head), deadline
        )
        _usable(reply, interface, (200, 500))
        try:
            root = taken_out(wire, reply.body, _content_type(reply))
        except Fault as fault:
            log.warning("hospital_fault", what=interface, client=fault.client)
            raise unusable(f"{interface}: SOAP fault") from None
        except Unreadable as error:
            raise unusable(f"{interface}: {error}") from None
        if reply.status != 200:
            raise unusable(f"{interface}: HTTP {reply.status}")
        return self._answer(interface, root, message_id)

    def _request(self, interface: str, fields: Fields, message_id: str, page: int) -> tuple[str, str]:
        """The head and the whole string; the head is empty where it is inside the string."""
        frame = self.profile.frame
        root = Maker(frame.root)
        apart = bool(self.profile.wire.head)
        head = Maker(frame.head or frame.root) if apart else root.add(frame.head) if frame.head else root
        head.add(frame.interface, self.profile.interfaces[interface])
        head.add(frame.message_id, message_id)
        head.add(frame.sender, frame.sender_code)
        head.add(frame.sent_at, self.words.moment(self._clock.now()))
        body = root.add(frame.body) if frame.body else root
        self._fill(interface, body, fields)
        if page:
            body.add(frame.page, str(page))
            body.add(frame.page_size, str(frame.rows_per_page))
        return head.text() if apart else "", root.text()

    def _fill(self, interface: str, into: Maker, fields: Fields) -> None:
        for word, value in fields.items():
            path = self.profile.name(interface, word)
            try:
                if isinstance(value, str):
                    into.add(path, value)
                else:
                    for one in value:
                        self._fill(interface, into.add(path), one)
            except Unwritable:
                raise _unwritable(word) from None

    def _answer(self, interface: str, root: Node, message_id: str) -> Answer:
        frame = self.profile.frame
        if frame.answered_id and root.text_at(frame.answered_id) != message_id:
            raise unusable(f"{interface}: an answer to another call")
        code, said = root.text_at(frame.result_code), root.text_at(frame.result_text)[:SHOWN]
        meaning = self.profile.meanings.get(code)
        if meaning is None:
            log.warning("hospital_answered", what=interface, result=code[:20])
            raise unusable(f"{interface}: result code {code[:20]!r} is not in the profile")
        if meaning == "busy":
            raise Unreachable(Target.HIS, f"{interface}: busy")
        if meaning == "taken":
            raise PlaceTaken(said)
        if meaning == "refused":
            raise HospitalRefused(said or f"结果代码 {code}")
        rows = [Row(self.profile, interface, node) for node in root.all(frame.rows)]
        if meaning == "nothing" and rows:
            raise unusable(f"{interface}: nothing, and rows")
        return Answer(meaning, rows, _total(interface, root.text_at(frame.total) if frame.total else ""))


def _total(interface: str, text: str) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise unusable(f"{interface}: the total is no number")
    return int(text)


def _unwritable(word: str) -> Invalid:
    return invalid(word, "wrong_format", "含有不能识别的字符")


def _content_type(reply: Reply) -> str:
    return next((value for name, value in reply.headers if name == "content-type"), "")


def _usable(reply: Reply, what: str, wanted: Collection[int]) -> None:
    """Raise what a status other than `wanted` means. 500 may be a SOAP fault."""
    if reply.status in wanted:
        return
    log.warning("hospital_answered", what=what, status=reply.status)
    if reply.status == 504:
        raise TooSlow(Target.HIS)
    if reply.status in GATEWAY_STATUS or reply.status == 429:
        raise Unreachable(Target.HIS, f"{what}: HTTP {reply.status}")
    raise unusable(f"{what}: HTTP {reply.status}")
