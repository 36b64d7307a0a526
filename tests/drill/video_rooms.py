"""`make drill-video`: twenty recorded rooms in one process for five minutes. Memory is flat, frames and recordings are whole.

`DRILL_SECONDS` shortens it.
"""

import asyncio
import os
import tempfile
import time
from pathlib import Path

import psutil

from foundation.object_store import FolderStore
from tests.load import bench_video as bench
from tests.unit.video import process as media
from tests.unit.video.conftest import KEYRING

ROOMS, LOADERS = 20, 2
SECONDS = int(os.environ.get("DRILL_SECONDS", "300"))
WARM_UP = min(60, SECONDS // 3)


def test_twenty_rooms_for_five_minutes() -> None:
    folder = Path(tempfile.mkdtemp(prefix="drill-video-"))
    folder.chmod(0o755)
    with bench.stores_in(folder / "data") as urls:
        port = media.free_port()
        settings = bench.media_settings(urls, folder / "objects", port)
        with media.media_process(settings, folder / "log") as server:
            loader = bench.Loaders(LOADERS)
            loader.tell()
            loader.join(bench.addresses(urls, port, ROOMS))
            time.sleep(WARM_UP)
            process = psutil.Process(server.pid)
            first = process.memory_info().rss
            figures = bench.measure(server.pid, loader, ROOMS, SECONDS - WARM_UP)
            last = process.memory_info().rss
            loader.tell(end=True)
            loader.close()
        kept, wrong = asyncio.run(bench.recordings(urls.database, FolderStore(folder / "objects", KEYRING)))

    print(f"\n{ROOMS} rooms, {SECONDS} s: {figures}, {first / 1e6:.0f} -> {last / 1e6:.0f} MB")  # noqa: T201
    assert last - first < 0.1 * first, "memory grows"
    assert figures["delivered"] >= 0.99
    assert (kept, wrong) == (ROOMS * 2, [])
