"""A consultation in which the patient's network is bad and the doctor's is not, and what is measured in it."""

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid4

from playwright.sync_api import Page, sync_playwright

from backend.video.model import Recording
from foundation.object_store import FolderStore
from standalone.stores import StoreUrls
from tests.unit.video import page as served_page
from tests.unit.video.bad_network import BadNetwork, bad_network
from tests.unit.video.browsing import (
    CHROMIUM,
    FLAGS,
    apart,
    enters,
    make_tables,
    recordings,
    stats,
    wait_for,
    wait_for_frames,
)
from tests.unit.video.conftest import KEYRING, decoded
from tests.unit.video.process import environment, free_port, media_process

ENOUGH = 0.8


@dataclass
class Suffering:
    """Both windows, the network, and where the recordings go."""

    patient: Page
    doctor: Page
    network: BadNetwork
    stores: StoreUrls
    encounter: UUID
    store: FolderStore

    def frames(self, page: Page) -> int:
        """Decoded so far on the present connection."""
        return int((page.evaluate("client.stats()") or {}).get("framesDecoded", 0))

    def delivered(self, seconds: float) -> dict[str, float]:
        """Frames that each side decoded ÷ frames that the other sent, and the share of sound that was made up."""
        pages = {"patient": (self.patient, self.doctor), "doctor": (self.doctor, self.patient)}
        before = {role: (stats(page), stats(other)) for role, (page, other) in pages.items()}
        self.patient.wait_for_timeout(seconds * 1000)
        found: dict[str, float] = {}
        for role, (page, other) in pages.items():
            now, sender = stats(page), stats(other)
            sent = sender["framesSent"] - before[role][1]["framesSent"]
            found[role] = (now["framesDecoded"] - before[role][0]["framesDecoded"]) / max(sent, 1)
            samples = now["audioSamples"] - before[role][0]["audioSamples"]
            found[f"{role} made up"] = (now["audioConcealed"] - before[role][0]["audioConcealed"]) / max(
                samples, 1
            )
            found[f"{role} frames sent"] = sent
        return found

    def flows(self, seconds: float, windows: int = 4) -> dict[str, float]:
        """The first window in which four fifths of the frames arrive both ways, or the last one of all.

        A browser whose estimate of the network fell, or that shares its core, needs some seconds to find its rate again.
        """
        for _ in range(windows):
            found = self.delivered(seconds)
            if min(found["patient"], found["doctor"]) >= ENOUGH:
                break
        return found

    def outage(self, seconds: float, back_within: float) -> float:
        """Everything is lost for a while; seconds until both pictures move again after it."""
        self.network.is_out()
        self.doctor.wait_for_timeout(seconds * 1000)
        before = self.frames(self.doctor)
        self.network.loses(0)
        began = time.monotonic()
        wait_for(
            self.doctor, f"(async () => (await client.stats()).framesDecoded > {before + 10})()", back_within
        )
        wait_for_frames(self.patient, 10)
        return time.monotonic() - began

    def hang_up(self) -> list[Recording]:
        """Both leave; what was recorded, complete."""
        for page in (self.patient, self.doctor):
            page.evaluate("client.close()")
        deadline = time.monotonic() + 20
        while not (rows := self._ended()):
            assert time.monotonic() < deadline, "recordings did not end"
            self.doctor.wait_for_timeout(100)
        return rows

    def check(self, rows: list[Recording], apart_at_most: float = 0.5) -> None:
        """Every segment plays, and in each sound and picture end together: the check that finds a hole in a recorder."""
        for row in rows:
            played = apart(decoded(self.store, row.object_key))
            assert played.frames["video"] == row.video_frames > 0, (row.role, row.segment)
            gap = abs(played.ends["video"] - played.ends["audio"])
            assert gap < apart_at_most, (row.role, row.segment, played.ends)

    def _ended(self) -> list[Recording]:
        rows = recordings(self.stores.database, self.encounter)
        return rows if rows and all(row.ended_at is not None for row in rows) else []


@contextlib.contextmanager
def suffering(stores: StoreUrls, folder: Path, **settings: str) -> Iterator[Suffering]:
    """Both are in the room and see each other."""
    make_tables(stores.database)
    encounter, objects, port = uuid4(), folder / "objects", free_port()
    with contextlib.ExitStack() as open_now:
        network = open_now.enter_context(bad_network(folder))
        # A browser gives its camera to localhost only, and believes any name that ends so.
        front = open_now.enter_context(served_page.served(network.host)).replace(
            network.host, "page.localhost"
        )
        wired = environment(stores, objects, port, front) | {"HOST": network.host, "MEDIA_BIND": network.host}
        address = f"http://{network.host}:{port}"
        open_now.enter_context(media_process(wired | settings, folder / "log", host=network.host))
        playwright = open_now.enter_context(sync_playwright())
        flags = [*FLAGS, f"--host-resolver-rules=MAP page.localhost {network.host}"]
        pages = []
        for role, programme in (("patient", network.chromium), ("doctor", None)):
            browser = playwright.chromium.launch(executable_path=programme or CHROMIUM, args=flags)
            open_now.callback(browser.close)
            pages.append(enters(browser, role, front, stores, encounter, [address]))
        for page in pages:
            wait_for_frames(page, 10)
        patient, doctor = pages
        yield Suffering(patient, doctor, network, stores, encounter, FolderStore(objects, KEYRING))
