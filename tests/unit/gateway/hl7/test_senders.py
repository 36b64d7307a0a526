"""Who may push: the whitelist's senders, checked when the file is read, and met at the port."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pytest

from contracts.hints import HospitalHint
from foundation.clock import Clock
from foundation.tls import client_context, server_context
from front_gateway.audit_file import AuditFile
from front_gateway.dialects.hl7v2.listener import MllpListener
from front_gateway.policy.reading import DEFAULT, WhitelistError, parse_policy, read_policy
from front_gateway.policy.senders import MESSAGES, Sender, SenderText
from standalone.certificates import Certificates

DOCUMENT = (Path(__file__).parents[4] / "docs" / "hl7v2.md").read_text(encoding="utf-8")
LIS: dict[str, Any] = {"addresses": ["127.0.0.0/8"], "application": "LIS", "messages": ["ORU^R01"]}
ORU = r"MSH|^~\&|LIS|NXYY|X||20261122||ORU^R01|C{}|P|2.4" "\rPID|1||P1\rOBR|1||S1" + "|" * 22 + "F\r"
REST = {
    "callers": {"a": {"identity": "spiffe://x/a", "addresses": ["127.0.0.1/32"]}},
    "entry": [
        {
            "name": "v", "callers": ["a"], "target": "his", "operation": "visits", "purposes": ["treatment"],
            "fields": ["visits"], "max_body": 10,
        }
    ],
}  # fmt: skip


def senders(**named: dict[str, Any]) -> dict[str, Sender]:
    return parse_policy(REST | {"senders": named}).senders


@pytest.mark.parametrize(
    ("change", "mistake"),
    [
        ({"addresses": ["10.1.0.0/16"]}, "identity is missing"), ({"addresses": ["here"]}, "is no CIDR network"),
        ({"messages": ["ADT^A01"]}, "is none of"), ({"charset": "koi8"}, "charset 'koi8'"), ({"port": 1}, "unknown key 'port'"),
        ({"identity": "lis"}, "identity:"), ({"messages": []}, "messages:"), ({"max_message": 1}, "max_message:"),
    ],
)  # fmt: skip
def test_a_mistake_about_a_sender_names_the_sender(change: dict[str, Any], mistake: str) -> None:
    with pytest.raises(WhitelistError) as refused:
        senders(lis=LIS | change)

    assert any(one.startswith("sender 'lis': ") and mistake in one for one in refused.value.mistakes)


def test_two_senders_of_one_name_in_the_message_are_a_mistake() -> None:
    with pytest.raises(WhitelistError, match="application LIS is sender 'lis'"):
        senders(lis=LIS, other=LIS | {"facility": "NXYY"})


def test_every_key_and_every_message_is_described() -> None:
    assert [one.name for one in msgspec.structs.fields(SenderText) if f"`{one.name}`" not in DOCUMENT] == []
    assert [one for one in MESSAGES if f"`{one}`" not in DOCUMENT] == []


def test_the_shipped_whitelist_takes_what_the_document_says() -> None:
    assert set().union(*(one.messages for one in read_policy(DEFAULT).senders.values())) == MESSAGES


@dataclass
class Told:
    """A backend that keeps hints, for the port alone."""

    hints: list[HospitalHint] = field(default_factory=list)

    async def tell(self, hint: HospitalHint) -> bool:
        self.hints.append(hint)
        return True


@dataclass
class Port:
    """The listener with its two doors."""

    listener: MllpListener
    told: Told
    audit: AuditFile
    folder: Path

    async def said(self, door: str, *messages: str, tls: Any = None) -> list[str]:
        """MSA-1 for each message over one line; "" once the line is closed."""
        found = []
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", self.listener.ports[door], ssl=tls, server_hostname="localhost" if tls else None
        )
        for one in messages:
            with contextlib.suppress(ConnectionError):
                writer.write(b"\x0b" + one.encode() + b"\x1c\r")
            answer = b""
            with contextlib.suppress(ConnectionError):
                answer = await reader.read(4_096)
            found.append(answer.partition(b"MSA|")[2][:2].decode())
        writer.close()
        return found

    def codes(self) -> list[str]:
        lines = [
            msgspec.json.decode(line)
            for file in self.folder.glob("*.jsonl")
            for line in file.read_bytes().splitlines()
        ]
        return [line["code"] for line in lines if line["kind"] == "call"]


@contextlib.asynccontextmanager
async def port(folder: Path, certificates: Certificates, **named: dict[str, Any]) -> AsyncIterator[Port]:
    told, audit, allowed = Told(), AuditFile(folder, "test", Clock()), senders(**named)
    listener = MllpListener(lambda: allowed, told, audit, Clock())
    pair = certificates.hospital["gateway-a"]
    await listener.open("127.0.0.1", 0, None)
    await listener.open(
        "127.0.0.1", 0, server_context(pair.certificate, pair.key, certificates.hospital.root)
    )
    try:
        yield Port(listener, told, audit, folder)
    finally:
        await listener.close()
        audit.close()


@pytest.mark.anyio
async def test_a_sender_with_an_identity_comes_by_tls_and_no_other_certificate_will_do(
    tmp_path: Path, certificates: Certificates
) -> None:
    identity = certificates.hospital["his"].identity
    async with port(tmp_path, certificates, lis=LIS | {"identity": identity}) as door:
        mine, others = (
            client_context(pair.certificate, pair.key, certificates.hospital.root)
            for pair in (certificates.hospital["adapter"], certificates.hospital["gateway-b"])
        )
        assert await door.said("plain", ORU.format(1)) == [""]
        assert await door.said("tls", ORU.format(2), tls=others) == [""]
        assert await door.said("tls", ORU.format(3), tls=mine) == [""]
    assert door.codes() == ["not_listed"] * 3
    assert door.told.hints == []

    (tmp_path / "again").mkdir()
    named = certificates.hospital["adapter"].identity
    async with port(tmp_path / "again", certificates, lis=LIS | {"identity": named}) as door:
        assert await door.said("tls", ORU.format(4), tls=mine) == ["AA"]
        assert await door.said("tls", ORU.format(5), tls=others) == [""]
    assert len(door.told.hints) == 1


@pytest.mark.anyio
async def test_over_its_rate_a_sender_is_asked_to_send_again(
    tmp_path: Path, certificates: Certificates
) -> None:
    async with port(tmp_path, certificates, lis=LIS | {"per_second": 0.01, "burst": 1}) as door:
        assert await door.said("plain", ORU.format(1), ORU.format(2)) == ["AA", "AE"]
    assert door.codes() == ["ok", "too_many"]


@pytest.mark.anyio
async def test_another_facility_and_too_long_a_message_are_rejected(
    tmp_path: Path, certificates: Certificates
) -> None:
    limits = {"facility": "NXYY", "max_message": 1_000}
    other = {"addresses": ["127.0.0.0/8"], "application": "BIG", "messages": ["ORU^R01"]}
    async with port(tmp_path, certificates, lis=LIS | limits, big=other) as door:
        long = ORU.format(2) + "NTE|1||" + "x" * 1_000 + "\r"
        assert await door.said("plain", ORU.format(1).replace("NXYY", "ELSE"), long, ORU.format(3)) == [
            "AR",
            "AR",
            "AA",
        ]


@pytest.mark.anyio
async def test_without_an_audit_line_nothing_is_acknowledged(
    tmp_path: Path, certificates: Certificates
) -> None:
    async with port(tmp_path, certificates, lis=LIS) as door:
        door.audit.close_file()
        assert await door.said("plain", ORU.format(1)) == ["AE"]
