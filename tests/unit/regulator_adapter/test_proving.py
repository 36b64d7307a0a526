"""A closed day's bundle proves itself, and every kind of tampering shows, also by somebody who holds the hospital's key."""

import json
from collections.abc import Callable
from datetime import timedelta
from hashlib import sha256
from typing import Any

import msgspec
import pytest

from foundation.canonical import canonical
from foundation.chain import link
from regulator_adapter.days.proving import Finding, prove
from regulator_adapter.days.rules import Line, folded
from regulator_adapter.days.seals import Signer
from tests.builders import seals

Bundle = dict[str, Any]
Texts = dict[str, dict[str, Any]]
CHAIN = "shanghai"
HEADER = {
    "profile": CHAIN, "day": "2026-11-20", "supplement": 0, "through": 5, "depth": 1, "organID": "O", "unitID": "U", "version": 1,
}  # fmt: skip


def events() -> list[list[Any]]:
    head, made = bytes(32), []
    for number in range(1, 6):
        digest = sha256(f"event {number}".encode()).digest()
        after = link(head, number, digest)
        stream = f"person:{number % 2}"
        made.append(
            [
                number,
                f"id-{number}",
                "identity.verified",
                stream,
                (number + 1) // 2,
                digest.hex(),
                after.hex(),
                head.hex(),
            ]
        )
        head = after
    return made


def records() -> list[list[Any]]:
    """Four at the platform, the fifth was carried over; one of another platform whose page a person read."""
    made = [[number, CHAIN, "uploadRealName", "", "accepted", f"SH{number}"] for number in range(1, 5)]
    made.append([5, CHAIN, "uploadRealName", "", "parked", ""])
    made.append([2, "tianjin-1.0", "uploadAppointRecord", "B2", "accepted", "digest"])
    return made


def texts(listed: list[list[Any]], rows: list[list[Any]]) -> Texts:
    """Both statements and the closing, as an honest day has them."""
    places = {one[0]: one for one in listed}
    lines = [
        Line(places[row[0]][3], places[row[0]][4], row[2], row[0], bytes.fromhex(places[row[0]][5]), row[5])
        for row in rows
        if row[1] == CHAIN and row[4] == "accepted"
    ]
    told = folded(lines, 1) | HEADER | {"chainHash": listed[-1][6], "statedAt": seals.NOW.isoformat()}
    carried = {
        "eventNumber": 5,
        "profile": CHAIN,
        "method": "uploadRealName",
        "businessNumber": "",
        "code": "-99",
    }
    sent = {"events": 5, "last_number": 5, "head": listed[-1][6], "unsealed": 0}
    return {
        "ours": told | {"by": "hospital", "carriedOver": [carried], "others": {"tianjin-1.0": {"uploadAppointRecord": 1}}},
        "theirs": told | {"by": "platform", "agreed": True, "missing": [[5, 5]]},
        "closing": {
            "day": "2026-11-20", "supplement": 0, "closedAt": seals.NOW.isoformat(), "sent": canonical(sent).decode(),
            "records": digest_of(rows),
            "counts": [{"profile": "tianjin-1.0", "method": "uploadAppointRecord", "count": 2, "duplicates": 1, "by": "周敏", "at": ""}],
            "carriedOver": [{"number": 5, "profile": CHAIN, "method": "uploadRealName", "by": "周敏", "reason": "待补", "at": ""}],
        },
    }  # fmt: skip


def digest_of(rows: list[list[Any]]) -> dict[str, Any]:
    """As the closing names the records."""
    text = "".join(canonical(row).decode() + "\n" for row in rows)
    return {"count": len(rows), "digest": sha256(text.encode()).hexdigest()}


def bundle(
    change: Callable[[Texts], None] = lambda _: None, *, hospital: Signer | None = None, platform: Signer | None = None
) -> Bundle:  # fmt: skip
    """Sealed after `change`: what somebody could make who holds these keys."""
    listed, rows = events(), records()
    made = texts(listed, rows)
    change(made)
    ours, theirs = canonical(made["ours"]).decode(), canonical(made["theirs"]).decode()
    closing = made["closing"]
    closing.setdefault("ours", sha256(ours.encode()).hexdigest())
    closing.setdefault("theirs", sha256(theirs.encode()).hexdigest())
    return {
        "version": 1,
        "ours": sealed(ours, hospital or seals.hospital()),
        "theirs": sealed(theirs, platform or seals.platform()),
        "closing": sealed(canonical(closing).decode(), hospital or seals.hospital()),
        "events": listed,
        "records": rows,
    }


def sealed(text: str, signer: Signer) -> dict[str, Any]:
    return {"text": text, "seal": msgspec.to_builtins(signer.seal(text.encode()))}


def judged(made: Bundle) -> Finding:
    hospital = seals.trust("hospital", seals.HOSPITAL)
    return prove(json.dumps(made).encode(), hospital, seals.trust("platform", seals.PLATFORM))


def test_an_honest_day_is_proved() -> None:
    found = judged(bundle())

    assert found.problems == []
    assert (found.events, found.records, found.with_receipt, found.carried_over) == (5, 6, 5, 1)
    assert found.proved_by_platform


def _set(path: str, value: Any) -> Callable[[Bundle], None]:
    def change(made: Bundle) -> None:
        at: Any = made
        *way, last = [int(part) if part.isdigit() else part for part in path.split(".")]
        for part in way:
            at = at[part]
        at[last] = value

    return change


def _drop(name: str, at: int) -> Callable[[Bundle], None]:
    def change(made: Bundle) -> None:
        del made[name][at]

    return change


def _again(name: str, at: int) -> Callable[[Bundle], None]:
    def change(made: Bundle) -> None:
        made[name].insert(at, list(made[name][at]))

    return change


def _text(name: str, old: str, new: str) -> Callable[[Bundle], None]:
    def change(made: Bundle) -> None:
        assert old in made[name]["text"]
        made[name]["text"] = made[name]["text"].replace(old, new, 1)

    return change


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (_drop("events", 4), "the outbox sent 5 events, 4 are listed"),
        (_drop("events", 1), "which is not listed"),
        (_again("events", 2), "stands there twice"),
        (_set("events.1.5", "00" * 32), "its link does not fit"),
        (_set("events.2.7", "11" * 32), "does not follow event 2"),
        (_set("events.0.4", 9), "than the receipts give"),
        (_set("events.0.3", "person:x"), "than the receipts give"),
        (_drop("records", 0), "events without any record"),
        (_again("records", 5), "stated 1, listed 2"),
        (_set("records.0.5", "SH9"), "the platform's statement has other parts"),
        (_set("records.0.5", ""), "accepted without a receipt"),
        (_set("records.0.2", "uploadBooking"), "other methods"),
        (_set("records.5.5", "another"), "not the ones that the closing was about"),
        (_drop("records", 5), "not the ones that the closing was about"),
        (_set("records.0.4", "parked"), "not the ones that were carried over"),
        (_set("records.4.4", "accepted"), "not the ones that were carried over"),
        (_text("ours", '"records":4', '"records":5'), "our statement: the signature does not fit"),
        (_text("theirs", '"records":4', '"records":5'), "the platform's statement: the signature does not fit"),
        (_text("closing", "周敏", "某人"), "the closing: the signature does not fit"),
        (_set("theirs.seal", None), "the platform's statement has no seal"),
        (_set("theirs.seal.algorithm", "none"), "unknown algorithm"),
        (_set("theirs.seal.value", "AAAA"), "the signature does not fit"),
        (_set("theirs.seal.certificate", "x"), "not of the signer's root"),
        (_set("theirs", {"text": "", "seal": None}), "the closing is about another statement of the platform"),
        (_set("version", 2), "version 2"),
        (_set("events", "none"), "this is no bundle"),
        (_set("events.0.5", "zz"), "this is no bundle"),
        (_set("ours.text", "[]"), "this is no bundle"),
    ],
)  # fmt: skip
def test_whoever_alters_the_file_is_found_out(change: Callable[[Bundle], None], problem: str) -> None:
    made = bundle()
    change(made)

    found = judged(made)

    assert not found.holds
    assert any(problem in one for one in found.problems), found.problems


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda made: made["ours"].update(records=9), "our statement has other records"),
        (lambda made: made["ours"].update(chainHash="ab" * 32), "chain's head is not the one"),
        (lambda made: made["ours"].update(carriedOver=[]), "not the ones that were carried over"),
        (lambda made: made["ours"].update(others={}), "nobody told what these platforms have: tianjin-1.0"),
        (lambda made: made["ours"].update(through=4), "lies beyond the statement's number 4"),
        (lambda made: made["ours"].update(day="2026-11-21"), "the closing has another day"),
        (lambda made: made["ours"].update(by="platform"), "our statement is not ours"),
        (lambda made: made["ours"].pop("statedAt"), "it names no time"),
        (lambda made: made["closing"].update(counts=[]), "nobody read the platform's count"),
        (lambda made: made["closing"]["counts"][0].update(count=7), "the platform's page shows 7"),
        (lambda made: made["closing"]["counts"][0].update(by=""), "counted by nobody"),
        (lambda made: made["closing"]["carriedOver"][0].update(reason=""), "without name or reason"),
        (lambda made: made["closing"].update(sent=""), "does not say what the outbox sent"),
        (lambda made: made["closing"].update(ours="00" * 32), "another statement of ours"),
        (lambda made: made["theirs"].update(records=9), "the platform's statement has other records"),
        (lambda made: made["theirs"].update(through=6), "the platform's statement has another through"),
        (lambda made: made["theirs"].update(by="hospital"), "is not the platform's"),
    ],
)  # fmt: skip
def test_whoever_seals_a_day_that_is_not_the_one_is_found_out(
    change: Callable[[Texts], None], problem: str
) -> None:
    found = judged(bundle(change))

    assert not found.holds
    assert any(problem in one for one in found.problems), found.problems


def test_the_hospitals_key_does_not_make_a_platforms_statement() -> None:
    found = judged(bundle(platform=seals.hospital()))

    assert found.problems == ["the platform's statement: the certificate is not of the signer's root"]


def test_a_gateways_certificate_of_the_platforms_root_is_no_seal() -> None:
    gateway = seals.signer("platform", "spiffe://internet-hospital/gateway-a")

    found = judged(bundle(platform=gateway))

    assert found.problems == ["the platform's statement: the certificate names somebody else"]


def test_a_seal_after_the_certificates_end_is_none() -> None:
    late = (seals.NOW + timedelta(days=4_000)).isoformat()

    found = judged(bundle(lambda made: made["theirs"].update(statedAt=late)))

    assert found.problems == ["the platform's statement: the certificate was not valid at that time"]


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b'{"version":1}', b"\xff"])
def test_what_is_no_bundle_proves_nothing(raw: bytes) -> None:
    assert not prove(raw, seals.trust("hospital", seals.HOSPITAL), None).holds


def test_without_the_platforms_root_its_seal_proves_nothing() -> None:
    raw = json.dumps(bundle()).encode()

    found = prove(raw, seals.trust("hospital", seals.HOSPITAL), None)

    assert found.problems == ["the platform's statement: no root to check its seal by"]


def test_a_day_sealed_with_sm2_on_both_sides_is_proved_by_its_own_roots_only() -> None:
    hospital, platform = (
        seals.sm2_signer("hospital", seals.HOSPITAL),
        seals.sm2_signer("platform", seals.PLATFORM),
    )
    made = bundle(hospital=hospital, platform=platform)
    roots = (
        seals.sm2_trust("hospital", seals.HOSPITAL),
        seals.sm2_trust("platform", seals.PLATFORM),
    )

    found = prove(json.dumps(made).encode(), *roots)

    assert (found.problems, found.proved_by_platform) == ([], True)
    assert not judged(made).holds
    assert not prove(json.dumps(bundle()).encode(), *roots).holds
