"""A hospital system nobody here wrote: `sekmet-fhir` (PyPI, FHIR R4) as a process, loaded from the world's files."""

import asyncio
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import httpx

from foundation.client import http_client
from front_gateway.dialects.fhir.systems import Systems
from standalone.failure import StartFailed
from standalone.journey.visiting import until
from standalone.load_fhir import load


@asynccontextmanager
async def sekmet(folder: Path) -> AsyncIterator[str]:
    """Its FHIR address; plain http, and therefore on loopback only."""
    program = Path(sys.executable).parent / "sekmet"
    if not program.exists():
        raise StartFailed(
            "sekmet-fhir is not installed: it comes with the test packages (`make journey HIS=sekmet`)"
        )
    port = _free_port()
    with (folder / "sekmet.log").open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            program,
            "serve",
            "--host",
            "127.0.0.1",
            "--port",
            str(port),
            cwd=folder,
            stdout=output,
            stderr=output,
        )
        try:
            await _answers(f"http://127.0.0.1:{port}")
            yield f"http://127.0.0.1:{port}/fhir"
        finally:
            with suppress(ProcessLookupError):
                process.terminate()
            await process.wait()


async def fill(url: str, world: Path) -> int:
    """Load the demo persons and some others; returns the number of resources."""
    return await load(url, world, only_demo=False, others=20, systems=Systems())


async def _answers(base: str) -> None:
    client = http_client(base, seconds=2)

    async def look() -> bool:
        try:
            return (await client.get("/fhir/metadata")).status_code == 200
        except httpx.TransportError:
            return False

    try:
        await until(look, "sekmet-fhir", 30)
    finally:
        await client.aclose()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
