"""Proves a closed day from its bundle alone: what was sent is what the receiver has. Pure; no database, no network.

The receiver signed one digest per part of the day over every stream's records with their receipts. Whoever holds the
bundle folds the listed events and receipts anew: only the same set gives the same digests.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from foundation.canonical import sha256
from foundation.chain import link
from regulator_adapter.days.rules import SAME, Line, RecordsDigest, folded, ranges
from regulator_adapter.days.seals import Seal, Trust

VERSION = 1


class Sealed(msgspec.Struct, frozen=True):
    """A text and the seal on exactly its bytes."""

    text: str
    seal: Seal | None


class Bundle(msgspec.Struct, frozen=True):
    """See `bundle.py`."""

    version: int
    ours: Sealed
    theirs: Sealed
    closing: Sealed
    events: list[tuple[int, str, str, str, int, str, str, str]]
    records: list[tuple[int, str, str, str, str, str]]


class Finding(msgspec.Struct, frozen=True):
    """The answer. `problems` is everything that is wrong, in words; nothing is wrong when it is empty."""

    day: str
    supplement: int
    through: int
    events: int
    records: int
    with_receipt: int
    carried_over: int
    proved_by_platform: bool
    problems: list[str]

    @property
    def holds(self) -> bool:
        """Whether the day is proved."""
        return not self.problems


@dataclass
class _Proof:
    bundle: Bundle
    problems: list[str] = field(default_factory=list)

    def need(self, holds: bool, problem: str) -> None:
        if not holds:
            self.problems.append(problem)


def prove(raw: bytes, hospital: Trust, platform: Trust | None) -> Finding:
    """Everything that is wrong with the bundle in `raw`. What is no bundle at all is a problem like any other."""
    try:
        return _proved(msgspec.json.decode(raw, type=Bundle), hospital, platform)
    except (msgspec.MsgspecError, ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
        return Finding(
            "", 0, 0, 0, 0, 0, 0, False, [f"this is no bundle: {type(error).__name__}: {error}"[:300]]
        )


def _proved(bundle: Bundle, hospital: Trust, platform: Trust | None) -> Finding:
    proof = _Proof(bundle)
    proof.need(bundle.version == VERSION, f"version {bundle.version} of the bundle is unknown")
    ours, theirs, closing = _read(bundle.ours.text), _read(bundle.theirs.text), _read(bundle.closing.text)
    _seals(proof, ours, theirs, closing, hospital, platform)
    _texts(proof, ours, theirs, closing)
    _chain(proof, ours, closing)
    _sets(proof, ours, theirs)
    _as_closed(proof, closing)
    _people(proof, ours, closing)
    accepted = [one for one in bundle.records if one[4] == "accepted"]
    return Finding(
        day=str(ours.get("day", "")), supplement=int(ours.get("supplement", 0)), through=int(ours.get("through", 0)),
        events=len(bundle.events), records=len(bundle.records),
        with_receipt=sum(1 for one in accepted if one[5]), carried_over=len(bundle.records) - len(accepted),
        proved_by_platform=bool(bundle.theirs.text), problems=proof.problems,
    )  # fmt: skip


def _read(text: str) -> dict[str, Any]:
    if not text:
        return {}
    return msgspec.json.decode(text, type=dict[str, Any])


def _seals(
    proof: _Proof, ours: Mapping[str, Any], theirs: Mapping[str, Any], closing: Mapping[str, Any],
    hospital: Trust, platform: Trust | None,
) -> None:  # fmt: skip
    for what, sealed, trust, at in (
        ("our statement", proof.bundle.ours, hospital, ours.get("statedAt")),
        ("the closing", proof.bundle.closing, hospital, closing.get("closedAt")),
        ("the platform's statement", proof.bundle.theirs, platform, theirs.get("statedAt")),
    ):
        if not sealed.text and what == "the platform's statement":
            continue
        if trust is None:
            proof.need(False, f"{what}: no root to check its seal by")
        elif sealed.seal is None:
            proof.need(False, f"{what} has no seal")
        else:
            moment = _moment(at)
            problem = (
                trust.problem(sealed.text.encode(), sealed.seal, moment) if moment else "it names no time"
            )
            proof.need(not problem, f"{what}: {problem}")


def _moment(text: Any) -> datetime | None:
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return found if found.tzinfo else None


def _texts(
    proof: _Proof, ours: Mapping[str, Any], theirs: Mapping[str, Any], closing: Mapping[str, Any]
) -> None:
    """All three are about the same day, and the closing is about these very texts."""
    bundle = proof.bundle
    proof.need(
        closing.get("ours") == sha256(bundle.ours.text.encode()).hex(),
        "the closing is about another statement of ours",
    )
    expected = sha256(bundle.theirs.text.encode()).hex() if bundle.theirs.text else ""
    proof.need(closing.get("theirs") == expected, "the closing is about another statement of the platform")
    for name in ("day", "supplement"):
        proof.need(closing.get(name) == ours.get(name), f"the closing has another {name}")
    proof.need(ours.get("by") == "hospital", "our statement is not ours")
    if not theirs:
        return
    proof.need(theirs.get("by") == "platform", "the platform's statement is not the platform's")
    for name in ("day", "supplement", "through", "depth", "profile", "organID", "unitID"):
        proof.need(theirs.get(name) == ours.get(name), f"the platform's statement has another {name}")


def _chain(proof: _Proof, ours: Mapping[str, Any], closing: Mapping[str, Any]) -> None:
    """Numbers ascend, each event follows the head before it, and the outbox counted as many."""
    last, head = 0, ""
    numbers, ids = [], Counter[str]()
    for number, event_id, _, _, _, digest, after, before in proof.bundle.events:
        ids[event_id] += 1
        numbers.append(number)
        proof.need(number > last, f"event {number} is out of order")
        if number == last + 1 and head:
            proof.need(before == head, f"event {number} does not follow event {last}")
        fits = link(bytes.fromhex(before), number, bytes.fromhex(digest)).hex() == after
        proof.need(fits, f"event {number}: its link does not fit")
        last, head = number, after
    proof.need(not ids or max(ids.values()) == 1, "an event stands there twice")
    through = int(ours.get("through", 0))
    proof.need(last <= through, f"event {last} lies beyond the statement's number {through}")
    if last == through and last:
        proof.need(head == ours.get("chainHash"), "the chain's head is not the one that was stated")
    sent = _read(str(closing.get("sent") or ""))
    proof.need(bool(sent), "the closing does not say what the outbox sent")
    if sent:
        proof.need(
            sent.get("events") == len(numbers),
            f"the outbox sent {sent.get('events')} events, {len(numbers)} are listed",
        )
        proof.need(sent.get("unsealed") == 0, "events of the outbox had no number yet")
        if through and sent.get("last_number") == through:
            proof.need(
                sent.get("head") == ours.get("chainHash"), "the outbox stood at another head of the chain"
            )


def _sets(proof: _Proof, ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> None:
    """Every event has a record with a receipt, or is named as carried over; folded anew, both statements come out."""
    bundle, chain = proof.bundle, ours.get("profile")
    events = {one[0]: one for one in bundle.events}
    lines, covered = [], set()
    for number, profile, method, _, state, receipt in bundle.records:
        event = events.get(number)
        if event is None:
            proof.need(False, f"a record of event {number}, which is not listed")
            continue
        covered.add(number)
        if state != "accepted":
            continue
        proof.need(bool(receipt), f"event {number} {method}: accepted without a receipt")
        if profile == chain:
            lines.append(Line(event[3], event[4], method, number, bytes.fromhex(event[5]), receipt))
    bare = sorted(set(events) - covered)
    proof.need(not bare, f"events without any record: {ranges(bare)}")
    counted = folded(lines, int(ours.get("depth", 0)))
    for who, stated in (("our", ours), ("the platform's", theirs)):
        if not stated:
            continue
        for name in SAME:
            proof.need(
                stated.get(name) == counted[name], f"{who} statement has other {name} than the receipts give"
            )


def _as_closed(proof: _Proof, closing: Mapping[str, Any]) -> None:
    """The very records that the closing was about: also those of platforms that sign nothing. Closings of before did not name them."""
    stated = closing.get("records")
    if stated is None:
        return
    digest = RecordsDigest()
    for record in proof.bundle.records:
        digest.add(list(record))
    proof.need(digest.as_text() == stated, "the records are not the ones that the closing was about")


def _people(proof: _Proof, ours: Mapping[str, Any], closing: Mapping[str, Any]) -> None:
    """What did not go has a name and a reason; what was read from a page agrees with our count."""
    left = Counter((one[0], one[1], one[2]) for one in proof.bundle.records if one[4] != "accepted")
    carried = list(closing.get("carriedOver", []))
    named = Counter((one["number"], one["profile"], one["method"]) for one in carried)
    stated = Counter(
        (one["eventNumber"], one["profile"], one["method"]) for one in ours.get("carriedOver", [])
    )
    proof.need(left == named == stated, "records without a receipt are not the ones that were carried over")
    for one in carried:
        proof.need(
            bool(one.get("by") and one.get("reason")),
            f"event {one['number']} was carried over without name or reason",
        )
    accepted = Counter((one[1], one[2]) for one in proof.bundle.records if one[4] == "accepted")
    told = set(ours.get("others", {})) | ({ours.get("profile")} if proof.bundle.theirs.text else set())
    silent = sorted({profile for profile, _ in accepted} - told)
    proof.need(not silent, f"nobody told what these platforms have: {', '.join(silent)}")
    counts = {(one["profile"], one["method"]): one for one in closing.get("counts", [])}
    for profile, methods in ours.get("others", {}).items():
        for method, number in methods.items():
            proof.need(
                accepted[profile, method] == number,
                f"{profile} {method}: stated {number}, listed {accepted[profile, method]}",
            )
            read = counts.get((profile, method))
            if number and read is None:
                proof.need(False, f"{profile} {method}: nobody read the platform's count")
            elif read is not None:
                proof.need(bool(read.get("by")), f"{profile} {method}: counted by nobody")
                proof.need(
                    read["count"] - read["duplicates"] == number,
                    f"{profile} {method}: the platform's page shows {read['count']}, of these twice {read['duplicates']}, ours {number}",
                )  # fmt: skip
