"""https for a phone on the same network: doors that end TLS in front of the processes a browser speaks to."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from standalone.doors import Doors
from standalone.failure import StartFailed
from standalone.installation import Installation, prepare
from standalone.options import read
from standalone.processes import BY_NAME, DOORS, ROOT_DOOR
from standalone.stores import StoreUrls

pytestmark = pytest.mark.anyio
NO_STORES = StoreUrls(
    "postgresql+asyncpg://nobody@127.0.0.1:9/a",
    "postgresql+asyncpg://nobody@127.0.0.1:9/b",
    "redis://127.0.0.1:9",
)


@pytest.fixture
def installation(tmp_path: Path, port_base: int) -> Installation:
    return prepare(tmp_path, port_base, NO_STORES, "127.0.0.1")


@pytest.fixture
async def doors(installation: Installation) -> AsyncIterator[Doors]:
    opened = Doors(installation)
    await opened.open()
    yield opened
    await opened.close()


async def shout(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Says everything back in capitals, a line at a time, and leaves at the word "bye"."""
    while (line := await reader.readline()) not in (b"", b"bye\n"):
        writer.write(line.upper())
        await writer.drain()
    writer.close()


def trusting(installation: Installation) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(installation.certificates.hospital.root))


async def test_bytes_go_both_ways_and_the_end_as_well(installation: Installation, doors: Doors) -> None:
    base = installation.port_base
    async with await asyncio.start_server(shout, "127.0.0.1", base + BY_NAME["api"].offset, limit=1 << 20):
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", base + DOORS["api"], ssl=trusting(installation)
        )
        writer.write(b"hello\n" + b"x" * 200_000 + b"\n")
        assert await reader.readline() == b"HELLO\n"
        assert len(await reader.readexactly(200_001)) == 200_001
        writer.write(b"bye\n")

        assert await reader.read() == b""
        writer.close()


async def test_when_nobody_is_behind_the_door_it_is_shut_at_once(
    installation: Installation, doors: Doors
) -> None:
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", installation.port_base + DOORS["front"], ssl=trusting(installation)
    )

    assert await reader.read() == b""
    writer.close()


async def test_a_phone_can_fetch_the_root_it_has_to_trust(installation: Installation, doors: Doors) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", installation.port_base + ROOT_DOOR)
    writer.write(b"GET /root.crt HTTP/1.1\r\nHost: here\r\n\r\n")
    head, _, body = (await reader.read()).partition(b"\r\n\r\n")

    assert b"application/x-x509-ca-cert" in head
    assert body == installation.certificates.hospital.root.read_bytes()
    assert b"PRIVATE" not in body
    writer.close()


async def test_a_door_that_somebody_stands_in_is_named(installation: Installation) -> None:
    taken = installation.port_base + DOORS["media"]
    with socket.create_server(("127.0.0.1", taken)), pytest.raises(StartFailed, match="TLS=1 cannot listen"):
        await Doors(installation).open()


def test_browsers_are_told_the_doors_and_processes_each_other(installation: Installation) -> None:
    plain = replace(installation, host="")

    assert installation.public("front") == f"https://127.0.0.1:{installation.port_base + DOORS['front']}"
    assert installation.public("courier") == BY_NAME["courier"].url(installation.port_base)
    assert plain.public("front") == BY_NAME["front"].url(installation.port_base)


def test_https_is_for_who_asks_and_its_name_is_checked() -> None:
    assert read({}).host == ""
    assert read({"TLS": "1", "TLS_HOST": "clinic.example"}).host == "clinic.example"
    with pytest.raises(ValueError, match="TLS_HOST"):
        read({"TLS": "1", "TLS_HOST": "a b"})
