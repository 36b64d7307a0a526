"""Takes a request apart, judges its records one by one, stores what is good, answers.

Error behaviour is the interface's: an outer code when the envelope is wrong, -99/-98/-1 when the content is; the first
bad record ends its list, those before it stay stored. `tianjin-1.0` stores repetitions again, `shanghai` keeps an
event once and answers with its first receipt, `guangdong` judges and answers each row for itself.
"""

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from starlette.responses import Response

from simulators.server import Clock
from simulators.supervision import alerts
from simulators.supervision.agreement import check_agreement
from simulators.supervision.answers import (
    ACCEPTED_TEXT,
    EMPTY_TEXT,
    Inner,
    Outer,
    OuterRefusalError,
    RecordRefusalError,
    inner_answer,
    outer_answer,
)
from simulators.supervision.business import keys_of, made_known
from simulators.supervision.chain import add_link
from simulators.supervision.dependencies import Strictness, check_needs
from simulators.supervision.envelope import Access, Opened, Request, open_request
from simulators.supervision.faults import PlatformFaults
from simulators.supervision.rows import check_row
from simulators.supervision.store import Database, records
from simulators.supervision.tables import Answers, Method, Profile
from simulators.supervision.times import wire_text
from simulators.supervision.validate import check_record

_PREFIXES = {"shanghai": "SH", "guangdong": "GD"}
"""Of receipts."""
_LONGEST_NAME = 180


@dataclass(frozen=True)
class Rules:
    """How strictly content is judged. `organ_ids` are the codes of the hospital that has the access."""

    organ_ids: frozenset[str]
    dependencies: Strictness = Strictness.ALL
    enforce_quota: bool = False


@dataclass(frozen=True)
class Receiver:
    database: Database
    access: Access
    rules: Rules
    clock: Clock
    faults: PlatformFaults

    def receive(self, request: Request, profile: Profile) -> Response:
        with self.database.transaction() as connection:
            try:
                opened = self._open(connection, request, profile)
                return self._take(connection, profile, opened)
            except OuterRefusalError as refusal:
                name = request.headers.get("x-service-method", "")
                records.refuse(
                    connection, at=self.clock.now(), profile=profile.name,
                    method=name if name in profile.methods else "-", code=refusal.code, reason=refusal.text,
                )  # fmt: skip
                return outer_answer(refusal)

    def _open(self, connection: sqlite3.Connection, request: Request, profile: Profile) -> Opened:
        now_ms = int(self.clock.timestamp() * 1000)
        kept_ms = int(2 * self.access.freshness_seconds * 1000)
        opened = open_request(
            request, profile, self.access, now_ms,
            lambda nonce: records.nonce_is_new(connection, nonce, now_ms, kept_ms),
        )  # fmt: skip
        if self.rules.enforce_quota and opened.method.quota:
            accepted = records.counted(connection, profile.name, opened.method.name, "accepted")
            if accepted + len(opened.items) > opened.method.quota:
                raise OuterRefusalError(Outer.OTHER, f"超出测试环境额度{opened.method.quota}")
        return opened

    def _take(self, connection: sqlite3.Connection, profile: Profile, opened: Opened) -> Response:
        if not opened.items:
            return self._empty(connection, profile, opened.method)
        if profile.answers is Answers.ROWS:
            return self._rows(connection, profile, opened)
        receipts: list[dict[str, Any]] = []
        for position, item in enumerate(opened.items):
            try:
                receipts.append(self._one(connection, profile, opened, item))
            except RecordRefusalError as refusal:
                named = self._note(connection, profile, opened, item, position, refusal)
                if profile.answers is Answers.LIST:
                    return inner_answer(refusal.code, refusal.text)
                return inner_answer(
                    refusal.code, refusal.text, failedIndex=position, failedEventId=named, receipts=receipts
                )
        more = {"receipts": receipts} if profile.answers is Answers.RECEIPTS else {}
        return inner_answer(Inner.ACCEPTED, ACCEPTED_TEXT, **more)

    def _rows(self, connection: sqlite3.Connection, profile: Profile, opened: Opened) -> Response:
        """Each row with its status flag: 1 stored, 2 failed. A bad row says nothing about its neighbours."""
        rows: list[dict[str, Any]] = []
        for position, item in enumerate(opened.items):
            try:
                stored = self._one(connection, profile, opened, item)
                del stored["eventId"]
                rows.append({profile.once_by: item[profile.once_by], "status": 1, **stored})
            except RecordRefusalError as refusal:
                named = self._note(connection, profile, opened, item, position, refusal)
                failed = {"status": 2, "msgCode": int(refusal.code), "msg": refusal.text}
                rows.append({profile.once_by: named, "index": position, **failed})
        return inner_answer(Inner.ACCEPTED, ACCEPTED_TEXT, rows=rows)

    def _note(
        self,
        connection: sqlite3.Connection,
        profile: Profile,
        opened: Opened,
        item: Any,
        position: int,
        refusal: RecordRefusalError,
    ) -> str | None:
        """Write a refusal down; returns what the sender calls the record."""
        name = item.get(profile.once_by or "eventId") if isinstance(item, dict) else None
        name = _storable(name[:_LONGEST_NAME]) if isinstance(name, str) else None
        records.refuse(
            connection, at=self.clock.now(), profile=profile.name, method=opened.method.name,
            code=refusal.code, reason=refusal.text, event_id=name, position=position,
        )  # fmt: skip
        return name

    def _empty(self, connection: sqlite3.Connection, profile: Profile, method: Method) -> Response:
        if not method.empty_allowed:
            records.refuse(
                connection, at=self.clock.now(), profile=profile.name, method=method.name,
                code=Inner.NO_DATA, reason=EMPTY_TEXT,
            )  # fmt: skip
            return inner_answer(Inner.NO_DATA, EMPTY_TEXT)
        records.sign_in(connection, self.clock.now())
        records.count(connection, profile.name, method.name, "sign_ins")
        return inner_answer(Inner.ACCEPTED, ACCEPTED_TEXT)

    def _one(
        self, connection: sqlite3.Connection, profile: Profile, opened: Opened, item: Any
    ) -> dict[str, Any]:
        """Judge and store one record; Tianjin's are stored again when they come again, and get no receipt."""
        method = opened.method
        if profile.once_by and (first := self._seen_before(connection, profile, method, item)):
            return first
        check_record(method, item, refuse_unknown=profile.refuse_unknown)
        check_row(method.name, item)
        self._check_sender(profile, item)
        check_needs(connection, method, item, self.rules.dependencies)
        links: dict[int, str] = {}
        if profile.chained:
            check_agreement(method.name, item)
            links = add_link(connection, item)
        keys = keys_of(method, item)
        duplicate = not profile.once_by and records.was_reported(
            connection, method.name, keys.business_no, item
        )
        stored = records.store(
            connection, profile=profile.name, method=method.name, keys=keys, body=item,
            request_digest=opened.digest, duplicate=duplicate, received_at=self.clock.now(),
            name=item.get(profile.once_by) if profile.once_by else None, prefix=_PREFIXES.get(profile.name, ""),
        )  # fmt: skip
        records.know(connection, made_known(method, item))
        records.count(connection, profile.name, method.name, "accepted")
        if duplicate:
            records.count(connection, profile.name, method.name, "duplicates")
        joined = replace(keys, visit_no=stored.visit_no)
        alerts.watch(connection, method.name, item, joined, stored.id)
        alerts.watch_chain(connection, links, joined, stored.id)
        return _receipt(item, stored, duplicate=False)

    def _seen_before(
        self, connection: sqlite3.Connection, profile: Profile, method: Method, item: Any
    ) -> dict[str, Any] | None:
        event_id = item.get(profile.once_by) if isinstance(item, dict) else None
        if not isinstance(event_id, str) or _storable(event_id) is None:
            return None
        stored = records.find_event(connection, event_id, method.name)
        if stored is None:
            return None
        if profile.chained:
            head = connection.execute("SELECT head FROM links WHERE event_id = ?", (event_id,)).fetchone()
            if head["head"] != item.get("chainHash"):
                raise RecordRefusalError(Inner.FAILED, "chainHash与已接收的同一事件不一致")
        records.count(connection, profile.name, method.name, "duplicates")
        return _receipt(item, stored, duplicate=True)

    def _check_sender(self, profile: Profile, item: Mapping[str, Any]) -> None:
        if item[profile.unit] != self.access.unit_id:
            raise RecordRefusalError(Inner.FAILED, f"{profile.unit}与接入机构不一致")
        if item[profile.organ] not in self.rules.organ_ids:
            raise RecordRefusalError(Inner.FAILED, f"{profile.organ}与接入机构不一致")
        if _storable(json.dumps(item, ensure_ascii=False)) is None:
            raise RecordRefusalError(Inner.FAILED, "含有无法识别的字符")
        if self.faults.reject_now():
            raise RecordRefusalError(Inner.FAILED, "平台演练：本条按要求退回")


def _receipt(item: Mapping[str, Any], stored: records.Stored, *, duplicate: bool) -> dict[str, Any]:
    return {
        "eventId": item.get("eventId"),
        "receipt": stored.receipt,
        "receivedAt": wire_text(stored.received_at),
        "duplicate": duplicate,
    }


def _storable(text: str | None) -> str | None:
    """None for what UTF-8 cannot hold (half a surrogate pair)."""
    try:
        return text if text is not None and text.encode() else None
    except UnicodeEncodeError:
        return None
