"""Answers `exchangeDay` and `explainDay`, in the envelope of every other request."""

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from starlette.responses import Response

from simulators.server import Clock
from simulators.supervision.answers import (
    ACCEPTED_TEXT,
    Inner,
    OuterRefusalError,
    RecordRefusalError,
    inner_answer,
    outer_answer,
)
from simulators.supervision.days import figures
from simulators.supervision.days.seals import HospitalSeal, NotTheirsError, Sealer
from simulators.supervision.envelope import Access, Opened, Request, open_request
from simulators.supervision.faults import PlatformFaults
from simulators.supervision.store import Database, records
from simulators.supervision.tables import Method, Profile, shanghai
from simulators.supervision.times import utc_text

EXCHANGE, EXPLAIN = "exchangeDay", "explainDay"
METHODS = frozenset({EXCHANGE, EXPLAIN})
VERSION = 1
DEEPEST = 2
_COMPARED = ("events", "records", "streams", "methods", "parts")


@dataclass(frozen=True)
class DayDesk:
    """`organ_ids` are the hospital's codes; `hospital_seal` is missing where nobody told us whose seals to believe."""

    database: Database
    access: Access
    clock: Clock
    faults: PlatformFaults
    organ_ids: frozenset[str]
    sealer: Sealer
    hospital_seal: HospitalSeal | None

    def opened(self, request: Request) -> Opened | Response:
        """In the loop's thread, which owns the store: the request, or why nobody looks at it."""
        now_ms = int(self.clock.timestamp() * 1000)
        kept_ms = int(2 * self.access.freshness_seconds * 1000)
        try:
            with self.database.transaction() as connection:
                return open_request(
                    request, _days(), self.access, now_ms,
                    lambda nonce: records.nonce_is_new(connection, nonce, now_ms, kept_ms),
                )  # fmt: skip
        except OuterRefusalError as refusal:
            return outer_answer(refusal)

    def answer(self, opened: Opened) -> Response:
        """In any thread."""
        try:
            answer = self._exchange if opened.method.name == EXCHANGE else self._explain
            return inner_answer(Inner.ACCEPTED, ACCEPTED_TEXT, **answer(_only(opened.items)))
        except RecordRefusalError as refusal:
            return inner_answer(refusal.code, refusal.text)

    def _exchange(self, item: Mapping[str, Any]) -> dict[str, Any]:
        """Their statement is checked and kept, ours goes back; whether they agree is ours to say, under our seal."""
        text = item.get("statement")
        theirs = self._statement(text, item.get("seal"))
        day, through = self._day(theirs), _number(theirs, "through")
        depth = _number(theirs, "depth")
        if depth > DEEPEST:
            raise RecordRefusalError(Inner.FAILED, "depth超出范围")
        with self.database.reading() as connection:
            counted = figures.figures(connection, day, through, depth)
        agreed = all(counted[name] == theirs.get(name) for name in _COMPARED)
        agreed = agreed and counted["chainHash"] in ("", theirs.get("chainHash"))
        statement = counted | {
            "by": "platform", "version": VERSION, "profile": "shanghai", "day": day.isoformat(),
            "organID": theirs["organID"], "unitID": theirs["unitID"], "supplement": _number(theirs, "supplement"),
            "through": through, "depth": depth, "agreed": agreed, "statedAt": self.clock.now().isoformat(),
        }  # fmt: skip
        ours = figures.canonical(statement)
        seal = self.sealer.seal(ours, forged=self.faults.text("forge") == "key")
        if self.faults.text("forge") == "figures":
            ours = figures.canonical(statement | {"records": statement["records"] + 1})
        self._keep(statement, str(text), ours, agreed)
        return {"statement": ours, "seal": seal}

    def _statement(self, text: Any, seal: Any) -> Mapping[str, Any]:
        if not isinstance(text, str):
            raise RecordRefusalError(Inner.MISSING, "statement")
        if self.hospital_seal is None:
            raise RecordRefusalError(Inner.FAILED, "seal：平台没有登记医院的签章证书")
        try:
            self.hospital_seal.check(text, seal, self.clock.now())
        except NotTheirsError as problem:
            raise RecordRefusalError(Inner.FAILED, f"seal不可信：{problem}") from None
        try:
            statement = dict(json.loads(text))
        except (ValueError, TypeError):
            raise RecordRefusalError(Inner.FAILED, "statement不是JSON对象") from None
        missing = [name for name in ("day", "through", "depth", "organID", "unitID") if name not in statement]
        if missing:
            raise RecordRefusalError(Inner.MISSING, "|".join(missing))
        if statement["unitID"] != self.access.unit_id or statement["organID"] not in self.organ_ids:
            raise RecordRefusalError(Inner.FAILED, "unitID与接入机构不一致")
        return statement

    def _day(self, asked: Mapping[str, Any]) -> date:
        try:
            day = date.fromisoformat(str(asked.get("day")))
        except ValueError:
            raise RecordRefusalError(Inner.FAILED, "day不是日期") from None
        if day >= self.clock.today():
            raise RecordRefusalError(Inner.FAILED, "day尚未结束")
        return day

    def _explain(self, item: Mapping[str, Any]) -> dict[str, Any]:
        day, part = self._day(item), item.get("part", "")
        if not isinstance(part, str) or len(part) > DEEPEST:
            raise RecordRefusalError(Inner.FAILED, "part不正确")
        with self.database.reading() as connection:
            lines, more = figures.explained(
                connection, day, _number(item, "through"), part, _number(item, "after")
            )
        return {"lines": lines, "more": more}

    def _keep(self, statement: Mapping[str, Any], theirs: str, ours: str, agreed: bool) -> None:
        with self.database.writing() as connection:
            connection.execute(
                "INSERT INTO day_statements VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (day, supplement) DO UPDATE SET "
                "at = excluded.at, agreed = excluded.agreed, theirs = excluded.theirs, ours = excluded.ours",
                (
                    statement["day"],
                    statement["supplement"],
                    utc_text(self.clock.now()),
                    int(agreed),
                    theirs,
                    ours,
                ),
            )


def statements(connection: sqlite3.Connection) -> list[dict[str, Any]]:
    """What was exchanged, for people and tests."""
    rows = connection.execute("SELECT * FROM day_statements ORDER BY day, supplement")
    return [
        {
            "day": row["day"], "supplement": row["supplement"], "at": row["at"], "agreed": bool(row["agreed"]),
            "theirs": json.loads(row["theirs"]), "ours": json.loads(row["ours"]),
        }
        for row in rows
    ]  # fmt: skip


def _days() -> Profile:
    methods = {name: Method(name, "日对账", (), ("", "")) for name in METHODS}
    return Profile("shanghai", shanghai().service_id, methods)


def _only(items: list[Any]) -> Mapping[str, Any]:
    if len(items) != 1 or not isinstance(items[0], dict):
        raise RecordRefusalError(Inner.FAILED, "每次只受理一个")
    return dict(items[0])


def _number(asked: Mapping[str, Any], name: str) -> int:
    value = asked.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**62:
        raise RecordRefusalError(Inner.FAILED, f"{name}不正确")
    return value
