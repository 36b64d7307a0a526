"""`python -m tests.load.bench_video`: what a video room costs the server, beside Janus under the same load.

Prints figures while it runs; its last line is JSON: {cpu_s_per_room_s, janus_cpu_s_per_room_s, ratio, delivered, recordings_ok, …}.
Ends with 1 when frames or recordings are not whole. CPU seconds of the server process are the measure, not wall time: the load runs on the same machine.
"""

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psutil
from sqlalchemy import select

from backend.video.model import Recording
from foundation.clock import Clock
from foundation.db.base import Base, bind_hospital
from foundation.db.columns import bind_keyring
from foundation.db.unit_of_work import connect
from foundation.object_store import FolderStore
from standalone.stores import StoreOptions, StoreUrls
from tests.load import janus
from tests.temporary import temporary_stores
from tests.unit.video import process as media
from tests.unit.video.conftest import KEYRING, TABLES, decoded

ROOT = Path(__file__).parents[2]
ORIGIN = "http://127.0.0.1:1"
LEAST_DELIVERED = 0.99


class Loader:
    """The process with the participants."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.load.video_peers"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def tell(self, **order: Any) -> dict[str, int]:
        """Obeyed when this returns; the counters."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError("the load generator died")
        counters: dict[str, int] = json.loads(answer)
        return counters

    def cpu_seconds(self) -> float:
        """What it used."""
        return cpu_seconds(self._process.pid)

    def close(self) -> None:
        """End it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(20)
        self._process.stdout.close()


class Loaders:
    """Several such processes, as one: each room is wholly in one of them."""

    def __init__(self, count: int) -> None:
        self._each = [Loader() for _ in range(count)]

    def join(self, addresses: list[str]) -> None:
        """Pairs of addresses, dealt out in turn."""
        pairs = [addresses[first : first + 2] for first in range(0, len(addresses), 2)]
        for place, loader in enumerate(self._each):
            mine = [address for pair in pairs[place :: len(self._each)] for address in pair]
            loader.tell(join=mine, origin=ORIGIN)

    def tell(self, **order: Any) -> dict[str, int]:
        """As of one; the sums."""
        answers = [loader.tell(**order) for loader in self._each]
        return {name: sum(answer[name] for answer in answers) for name in answers[0]}

    def close(self) -> None:
        """End them."""
        for loader in self._each:
            loader.close()

    def cpu_seconds(self) -> float:
        """Of all of them."""
        return sum(loader.cpu_seconds() for loader in self._each)


def cpu_seconds(pid: int) -> float:
    """User and system time of the process."""
    times = psutil.Process(pid).cpu_times()
    return times.user + times.system


def measure(pid: int, loader: Loader | Loaders, rooms: int, seconds: float) -> dict[str, float]:
    """One window under load."""
    before, cpu, load, began = loader.tell(), cpu_seconds(pid), loader.cpu_seconds(), time.monotonic()
    time.sleep(seconds)
    after, used, lasted = loader.tell(), cpu_seconds(pid) - cpu, time.monotonic() - began
    sent, received = (after[f"{way}_frames"] - before[f"{way}_frames"] for way in ("sent", "received"))
    return {
        "cpu_s_per_room_s": round(used / lasted / rooms, 5),
        "delivered": round(received / sent, 4),
        "cpu": round(used / lasted, 2),
        "load_cpu": round((loader.cpu_seconds() - load) / lasted, 2),
        "packets_per_s": round((after["received_packets"] - before["received_packets"]) / lasted),
        "rss_mb": round(psutil.Process(pid).memory_info().rss / 1e6),
    }


@contextmanager
def stores_in(folder: Path) -> Iterator[StoreUrls]:
    """Database and Valkey, with the tables that the media process writes to."""
    bind_keyring(KEYRING)
    bind_hospital(media.HOSPITAL_ID)
    options = StoreOptions(postgres_port=media.free_port(), valkey_port=media.free_port())
    with temporary_stores(folder, options) as urls:
        asyncio.run(_tables(urls.database))
        yield urls


async def _tables(url: str) -> None:
    db = connect(url, Clock())
    async with db.engine.begin() as connection:
        await connection.run_sync(lambda sync: Base.metadata.create_all(sync, tables=TABLES))
    await db.engine.dispose()


async def recordings(url: str, store: FolderStore) -> tuple[int, list[str]]:
    """How many there are, and what is wrong with those that are not decodable, true to the manifest, in step at their end."""
    db, wrong = connect(url, Clock()), []
    async with db.sessions() as session:
        rows = list(await session.scalars(select(Recording)))
    await db.engine.dispose()
    for row in rows:
        info, played = await store.info(row.object_key), await decoded(store, row.object_key)
        apart = abs(played.ends["video"] - played.ends["audio"])
        if not info.complete or info.sha256 != row.sha256:
            wrong.append(f"{row.close_reason}: not what the manifest says")
        elif played.frames["video"] != row.video_frames or not row.video_frames:
            wrong.append(f"{row.close_reason}: {played.frames['video']} of {row.video_frames} frames")
        elif apart >= 0.1:
            wrong.append(f"{row.close_reason}: ends {apart:.3f} s apart")
    return len(rows), wrong


def media_settings(urls: StoreUrls, objects: Path, port: int) -> dict[str, str]:
    """Of a media process that takes any load."""
    more = {"MEDIA_ROOMS": "100", "MEDIA_BIND": "", "VIDEO_BITRATE": "3000000"}
    return {**media.environment(urls, objects, port, ORIGIN), **more}


def addresses(urls: StoreUrls, port: int, rooms: int) -> list[str]:
    """Of two participants for each room, one after the other."""
    return [address for _ in range(rooms) for address in _addresses(urls, port)]


def ours(rooms: int, seconds: float) -> dict[str, Any]:
    """Our media process under load."""
    folder = Path(tempfile.mkdtemp(prefix="bench-video-"))
    folder.chmod(0o755)
    with stores_in(folder / "data") as urls:
        port = media.free_port()
        settings = media_settings(urls, folder / "objects", port)
        with media.media_process(settings, folder / "log") as server:
            loader = Loaders(1)
            loader.tell()
            loader.join(addresses(urls, port, rooms))
            time.sleep(3)
            figures = measure(server.pid, loader, rooms, seconds)
            loader.tell(end=True)
            loader.close()
        kept, wrong = asyncio.run(recordings(urls.database, FolderStore(folder / "objects", KEYRING)))
    return {**figures, "recordings": kept, "wrong": wrong}


def theirs(rooms: int, seconds: float) -> dict[str, float]:
    """Janus under the same load, recording."""
    folder, port = Path(tempfile.mkdtemp(prefix="bench-janus-")), media.free_port()
    (folder / "recordings").mkdir()
    with janus.running(folder / "janus", port) as server:
        loader = Loader()
        loader.tell()
        for number in range(rooms):
            loader.tell(
                janus=f"http://127.0.0.1:{port}", call=f"room{number}", record=str(folder / "recordings")
            )
        time.sleep(3)
        figures = measure(server.pid, loader, rooms, seconds)
        loader.tell(end=True)
        loader.close()
    return {**figures, "recordings": len(list((folder / "recordings").glob("*.mjr")))}


def _addresses(urls: StoreUrls, port: int) -> list[str]:
    room: UUID = uuid4()
    return [
        f"http://127.0.0.1:{port}/rooms/{room}?ticket={media.ticket(urls, room, uuid4(), role)}"
        for role in ("patient", "doctor")
    ]


def main() -> None:
    """Both sides in turn, round after round, and the line of JSON with the medians."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rooms", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=12)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    with_janus = janus.ensure()
    if not with_janus:
        _say("janus", {"missing": janus.INSTALL})
    own: list[dict[str, Any]] = []
    other: list[dict[str, Any]] = []
    for _ in range(asked.rounds):
        if with_janus:
            other.append(theirs(asked.rooms, asked.seconds))
            _say("janus", other[-1])
        own.append(ours(asked.rooms, asked.seconds))
        _say("ours", own[-1])
    result = _result(asked.rooms, own, other)
    sys.stdout.write(json.dumps(result) + "\n")
    if broken := problems(result):
        sys.exit("bench-video: " + "; ".join(broken))


def problems(result: Mapping[str, Any]) -> list[str]:
    """What no figure makes good: frames that did not arrive, recordings that are not whole."""
    found = []
    if result["delivered"] < LEAST_DELIVERED:
        found.append(f"{result['delivered']:.2%} of the frames arrived, not {LEAST_DELIVERED:.0%}")
    if not result["recordings_ok"]:
        found.append(
            f"{result['recordings_wrong']} of {result['recordings']} recordings are wrong, or some are missing"
        )
    return found


def _result(rooms: int, own: list[dict[str, Any]], other: list[dict[str, Any]]) -> dict[str, Any]:
    ours_median = statistics.median(one["cpu_s_per_room_s"] for one in own)
    theirs_median = statistics.median(one["cpu_s_per_room_s"] for one in other) if other else None
    ratios = [
        mine["cpu_s_per_room_s"] / their["cpu_s_per_room_s"] for mine, their in zip(own, other, strict=False)
    ]
    return {
        "cpu_s_per_room_s": round(ours_median, 5),
        "janus_cpu_s_per_room_s": round(theirs_median, 5) if theirs_median else None,
        "ratio": round(statistics.median(ratios), 2) if ratios else None,
        "ratios": [round(ratio, 2) for ratio in ratios],
        "delivered": min(one["delivered"] for one in own),
        "recordings_ok": all(one["recordings"] == rooms * 2 and not one["wrong"] for one in own),
        "recordings": sum(one["recordings"] for one in own),
        "recordings_wrong": sum(len(one["wrong"]) for one in own),
        "rooms": rooms,
        "rss_mb": max(one["rss_mb"] for one in own),
    }


def _say(who: str, figures: dict[str, Any]) -> None:
    sys.stdout.write(f"{who}: {json.dumps(figures)}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
