"""A supervisor's window beside a call of two: she really sees and hears both, disturbs neither, and both are shown that she is there."""

import time
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from playwright.sync_api import Browser, Page

from backend.video.janus_engine.process import INSTALL, program
from backend.video.wire import DETAILS
from standalone.stores import StoreUrls
from tests.unit.video import page as served_page
from tests.unit.video.browsing import (
    enter,
    flowing,
    make_tables,
    recordings,
    states,
    wait_for,
    wait_for_frames,
)
from tests.unit.video.process import environment, free_port, media_process, ticket

pytestmark = pytest.mark.browser
KEPT = """
window.peers = [];
window.RTCPeerConnection = class extends RTCPeerConnection {
  constructor(...given) { super(...given); window.peers.push(this); }
};
"""
"""Keeps the page's connections where a test can measure them."""
MEASURED = """(async () => {
  const found = {};
  for (const video of document.querySelectorAll("video")) {
    const tracks = new Set((video.srcObject?.getTracks() ?? []).map((track) => track.id));
    for (const peer of window.peers) for (const one of (await peer.getStats()).values()) {
      if (one.type !== "inbound-rtp" || !tracks.has(one.trackIdentifier)) continue;
      const place = (found[video.dataset.watches] ??= {});
      if (one.kind === "video") Object.assign(place, { frames: one.framesDecoded ?? 0, width: one.frameWidth ?? 0 });
      else Object.assign(place, { energy: one.totalAudioEnergy ?? 0, seconds: one.totalSamplesDuration ?? 0 });
    }
  }
  return { found, sent: window.peers.flatMap((peer) => peer.getSenders()).filter((one) => one.track).length };
})()"""
WAYS = [("aiortc", "desk"), ("janus", "console")]


@pytest.fixture(params=WAYS, ids="-".join)
def way(request: pytest.FixtureRequest) -> tuple[dict[str, str], str]:
    """Both engines, both players."""
    engine, player = request.param
    if engine == "janus" and not program():
        pytest.skip(f"no Janus here: {INSTALL}")
    return {"VIDEO_ENGINE": engine, "MEDIA_BIND": "127.0.0.1" if engine == "aiortc" else ""}, player


class Watching:
    """Plays the API's part of a look-in; each supervisor has an id of her own."""

    def __init__(self, stores: StoreUrls, encounter: UUID, address: str) -> None:
        self.stores, self.encounter, self.address = stores, encounter, address
        self.ids: dict[str, UUID] = {}

    def __call__(self, who: str, party: str) -> dict[str, Any]:
        person = self.ids.setdefault(who, uuid4())
        text = ticket(
            self.stores, self.encounter, person, "supervisor", watches=party, kind="platform", shown=True
        )
        url = f"{self.address.replace('http', 'ws')}/rooms/{self.encounter}"
        return {"url": url, "ticket": text, "seconds": 60, "ice_servers": [], "relays": []}


def looks_in(chromium: Browser, front: str, player: str, who: str) -> Page:
    page = chromium.new_context().new_page()
    page.add_init_script(KEPT)
    page.goto(f"{front}/look/{player}?{who}")
    if player == "desk":
        page.click("#look-sound")
    else:  # by the controls of the element itself
        page.evaluate("document.querySelectorAll('video').forEach((video) => { video.muted = false; })")
    return page


def measured(page: Page) -> dict[str, dict[str, float]]:
    told = page.evaluate(MEASURED)
    assert told["sent"] == 0, "a supervisor sends nothing"
    found: dict[str, dict[str, float]] = told["found"]
    return found


def really_sees_both(page: Page, deadline: float = 30) -> None:
    """Frames are decoded and voices heard, of both parties, in one window of three seconds within the deadline."""
    until = time.monotonic() + deadline
    while True:
        before = measured(page)
        page.wait_for_timeout(3000)
        after = measured(page)
        moved = {
            party: {name: value - before.get(party, {}).get(name, 0) for name, value in one.items()}
            for party, one in after.items()
        }
        if set(moved) == {"patient", "doctor"} and all(
            one.get("frames", 0) >= 10 and one.get("energy", 0) > 0 and one.get("seconds", 0) > 2 and after[party]["width"] > 0
            for party, one in moved.items()
        ):  # fmt: skip
            return
        assert time.monotonic() < until, (moved, page.evaluate("document.body.innerText"))


def test_a_look_in_is_seen_and_disturbs_nobody(
    stores: StoreUrls, chromium: Browser, tmp_path: Path, way: tuple[dict[str, str], str]
) -> None:
    """practice.md 20."""
    engine, player = way
    make_tables(stores.database)
    encounter, port = uuid4(), free_port()
    address = f"http://127.0.0.1:{port}"
    give = Watching(stores, encounter, address)
    with (
        served_page.served(give=give) as front,
        media_process(environment(stores, tmp_path / "objects", port, front) | engine, tmp_path / "log"),
    ):
        parties = enter(chromium, front, stores, encounter, [address])
        for page in parties:
            wait_for_frames(page, 5)
        window = looks_in(chromium, front, player, "first")

        really_sees_both(window)
        flowing(parties[0], parties[1], 2)
        flowing(parties[1], parties[0], 2)
        for page in parties:
            wait_for(page, "states.some(told => told.state === 'watched' && told.text.includes('监管'))")
            assert "unwatched" not in states(page)

        again = looks_in(chromium, front, player, "first")
        really_sees_both(again)
        wait_for(
            window,
            "[...document.querySelectorAll('[data-state]')].every(one => one.textContent.length > 4)",
            15,
        )
        told = window.evaluate("[...document.querySelectorAll('[data-state]')].map(one => one.textContent)")
        count = window.evaluate("peers.length")
        window.wait_for_timeout(3000)
        assert window.evaluate("peers.length") == count, "whoever was replaced does not come back"
        assert told == [DETAILS["replaced"]] * 2
        really_sees_both(again)

        again.goto("about:blank")
        for page in parties:
            wait_for(page, "states.some(told => told.state === 'unwatched')", 15)
        flowing(parties[0], parties[1], 1)
        for page in parties:
            told = states(page)  # a media process that has just begun may have let the first try wait
            assert told.count("connected") == 1, told
            assert "reconnecting" not in told[told.index("connected") :], told
        for page in (window, again, *parties):
            page.context.close()

    rows = recordings(stores.database, encounter)
    assert {(row.role, row.segment) for row in rows} == {("patient", 1), ("doctor", 1)}
