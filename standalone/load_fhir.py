"""`python -m standalone.load_fhir --url … --world … [--only-demo] [--others N]`: put the world into a FHIR R4 server.

For hospital systems that are not ours and therefore cannot read the world's files. FHIR transactions of PUTs with the
world's own ids, so loading twice changes nothing; the server must let clients choose ids (`updateCreate`).
"""

import argparse
import asyncio
import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import msgspec

from front_gateway.dialects.fhir.systems import Systems, read_systems
from front_gateway.dialects.words import SystemsError
from standalone.fhir_resources import Json, ResourceMaker

RESIDENTS_AT_ONCE = 20
SECONDS = 120.0
_encode = msgspec.json.Encoder(decimal_format="number").encode


class CannotLoad(Exception):
    """The world cannot be read or the server will not have it; the message says what."""


async def load(url: str, world: Path, *, only_demo: bool, others: int | None, systems: Systems) -> int:
    """Load residents and what belongs to them; gives the number of resources. Raises `CannotLoad`."""
    residents = list(_chosen(world, only_demo=only_demo, others=others))
    maker = ResourceMaker(
        systems,
        {one["code"]: one["name"] for one in _entries(world, "departments.json")},
        {one["id"]: one["name"] for one in _entries(world, "staff.json")},
    )
    count = 0
    timeout = aiohttp.ClientTimeout(total=SECONDS)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        for start in range(0, len(residents), RESIDENTS_AT_ONCE):
            batch = residents[start : start + RESIDENTS_AT_ONCE]
            resources = [one for resident in batch for one in maker.resources(resident)]
            await _send(session, url.rstrip("/"), resources)
            count += len(resources)
    return count


async def _send(session: aiohttp.ClientSession, url: str, resources: list[Json]) -> None:
    bundle = {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {"resource": one, "request": {"method": "PUT", "url": f"{one['resourceType']}/{one['id']}"}}
            for one in resources
        ],
    }
    headers = {
        "content-type": "application/fhir+json",
        "accept": "application/fhir+json",
        "prefer": "return=minimal",
    }
    try:
        async with session.post(url, data=_encode(bundle), headers=headers) as answer:
            text = await answer.text()
    except (aiohttp.ClientError, TimeoutError) as error:
        raise CannotLoad(f"{url} does not answer ({type(error).__name__})") from None
    if answer.status != 200:
        raise CannotLoad(f"{url} refuses the transaction with {answer.status}: {text[:500]}")


def _chosen(world: Path, *, only_demo: bool, others: int | None) -> Iterator[Json]:
    """Residents of the demo first, then as many others as wanted (None: all)."""
    demo = set(_resident_ids(_object(world, "demo.json")))
    left = 0 if only_demo else others
    for resident in _entries(world, "residents.json"):
        if resident["id"] in demo or left is None:
            yield resident
        elif left > 0:
            left -= 1
            yield resident


def _resident_ids(part: Any) -> Iterator[str]:
    """Every `id` of a resident anywhere in the demo file (persons, guardians, lists of persons)."""
    if isinstance(part, dict):
        if "id_number" in part and "id" in part:
            yield str(part["id"])
        for one in part.values():
            yield from _resident_ids(one)
    elif isinstance(part, list):
        for one in part:
            yield from _resident_ids(one)


def _entries(world: Path, name: str) -> Iterable[Json]:
    found = _read(world, name)
    if not isinstance(found, list):
        raise CannotLoad(f"{name} is not a list")
    return found


def _object(world: Path, name: str) -> Json:
    found = _read(world, name)
    if not isinstance(found, dict):
        raise CannotLoad(f"{name} is not an object")
    return found


def _read(world: Path, name: str) -> Any:
    try:
        return json.loads((world / name).read_bytes())
    except (OSError, ValueError) as error:
        raise CannotLoad(f"{world / name} cannot be read: {error}") from None


def main(arguments: list[str] | None = None) -> int:
    """The command; its exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m standalone.load_fhir", description="load a FHIR R4 hospital"
    )
    parser.add_argument("--url", required=True, help="base address of the FHIR server")
    parser.add_argument("--world", type=Path, required=True, help="folder that standalone.people wrote")
    parser.add_argument("--only-demo", action="store_true", help="the demo persons and nobody else")
    parser.add_argument(
        "--others", type=int, default=None, metavar="N", help="N others beside them (default: all)"
    )
    parser.add_argument(
        "--systems", type=Path, default=None, help="identifier systems of this hospital (TOML)"
    )
    chosen = parser.parse_args(arguments)
    try:
        systems = read_systems(chosen.systems)
        count = asyncio.run(
            load(chosen.url, chosen.world, only_demo=chosen.only_demo, others=chosen.others, systems=systems)
        )
    except (CannotLoad, SystemsError) as problem:
        print(f"load_fhir: {problem}", file=sys.stderr)
        return 1
    print(f"{count} resources in {chosen.url}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
