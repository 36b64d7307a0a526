"""`python -m tests.load.bare_feed ORDER`: the bare loop beside the feed, in a process of its own.

Posts bodies that are already encrypted straight to the platform, with a client certificate and as many requests at a time for each
address as the adapter has; only the six signed headers are made anew, because a time stamp grows old. Nothing is stored.
`ORDER` names a JSON file {url, root, certificate, key, app_key, concurrency, bodies}; `bodies` a file of lines
`path \\t service \\t method \\t body`. Prints {seconds, requests, refused, seconds_of_cpu}.
"""

import asyncio
import json
import ssl
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp

from regulator_adapter.city_wire import SIGNED, signature, sm3

Line = tuple[str, str, str, bytes]


async def main(order: dict[str, Any]) -> dict[str, Any]:
    """Everything once; what the platform refuses because something it needs is still under way goes again at the end."""
    context = ssl.create_default_context(cafile=order["root"])
    context.load_cert_chain(order["certificate"], order["key"])
    by_path = _read(Path(order["bodies"]))
    refused: list[Line] = []
    connector = aiohttp.TCPConnector(ssl=context, limit=0)
    async with aiohttp.ClientSession(connector=connector) as session:
        began = time.monotonic()
        for turn in range(2):
            again, refused = refused, []
            lines = by_path if turn == 0 else {"": again}
            await asyncio.gather(
                *(
                    _worker(session, order, queue, refused)
                    for given in lines.values()
                    for queue in [iter(given)]
                    for _ in range(order["concurrency"])
                )
            )
            if not refused:
                break
            if turn == 0:
                sys.stderr.write(f"{len(refused)} came too early, again\n")
        seconds = time.monotonic() - began
    return {
        "seconds": seconds, "requests": sum(map(len, by_path.values())), "refused": len(refused), "cpu_s": time.process_time(),
    }  # fmt: skip


def _read(path: Path) -> dict[str, list[Line]]:
    found: dict[str, list[Line]] = defaultdict(list)
    with path.open("rb") as file:
        for raw in file:
            where, service, method, body = raw.rstrip(b"\n").split(b"\t")
            found[where.decode()].append((where.decode(), service.decode(), method.decode(), body))
    return found


async def _worker(
    session: aiohttp.ClientSession, order: dict[str, Any], queue: Iterator[Line], refused: list[Line]
) -> None:
    for line in queue:
        path, service, method, body = line
        headers = _headers(order["app_key"], service, method, body)
        async with session.post(order["url"] + path, data=body, headers=headers) as response:
            answer = json.loads(await response.read())
            if answer.get("code") != 200 or answer["body"]["msgCode"] != 200:
                refused.append(line)


def _headers(app_key: str, service: str, method: str, body: bytes) -> dict[str, str]:
    values = {
        "x-ca-key": app_key, "x-ca-nonce": str(uuid4()), "x-ca-timestamp": str(int(time.time() * 1000)),
        "x-content-md5": sm3(body).hex().upper(), "x-service-id": service, "x-service-method": method,
    }  # fmt: skip
    return values | {
        "content-type": "application/json", "x-ca-signature-headers": ",".join(SIGNED), "x-ca-signature": signature(values),
    }  # fmt: skip


if __name__ == "__main__":
    chosen = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    sys.stdout.write(json.dumps(asyncio.run(main(chosen))) + "\n")
