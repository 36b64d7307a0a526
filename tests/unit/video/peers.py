"""A participant without a browser: aiortc sending encoded clips at their own pace and counting what comes back."""

import asyncio
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import av
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.codecs import get_capabilities
from aiortc.mediastreams import MediaStreamError
from aiortc.rtcconfiguration import RTCBundlePolicy

from backend.video.aiortc_engine.connection import quiet_after_close
from backend.video.engine import VideoCodec
from tests.unit.video import clips


class ClipTrack(MediaStreamTrack):
    """Plays a clip in a loop, packet by packet."""

    def __init__(
        self, kind: str, clip: Sequence[clips.Encoded], clock_rate: int, start_ticks: int = 0
    ) -> None:
        super().__init__()
        self.kind = kind
        self._clip = clip
        self._clock_rate = clock_rate
        self._length = clip[-1].pts + clip[1].pts - clip[0].pts
        self._number = 0
        self._start_ticks = start_ticks
        self._began: float | None = None
        self.silent = False
        self.played = 0.0

    async def recv(self) -> Any:
        """The next packet when its time has come."""
        loop = asyncio.get_running_loop()
        if self._began is None:
            self._began = loop.time()
        while True:
            round_number, place = divmod(self._number, len(self._clip))
            self._number += 1
            ticks = self._clip[place].pts + round_number * self._length
            wait = self._began + ticks / self._clock_rate - loop.time()
            if wait > 0:
                await asyncio.sleep(wait)
            if not self.silent:
                break
        self.played = ticks / self._clock_rate
        packet: Any = av.Packet(self._clip[place].data)
        packet.pts = packet.dts = ticks + self._start_ticks
        packet.time_base = Fraction(1, self._clock_rate)
        return packet


class Peer:
    """One browser's worth of WebRTC: offers audio and video, counts decoded frames per kind."""

    def __init__(self, codec: VideoCodec = VideoCodec.VP8, *, listens_only: bool = False) -> None:
        self.connection = RTCPeerConnection(
            RTCConfiguration(iceServers=[], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE)
        )
        self.received = {"audio": 0, "video": 0}
        self.tracks: dict[str, ClipTrack] = {}
        self._consumers: list[asyncio.Task[None]] = []
        self.connection.on("track", self._on_track)
        if listens_only:
            for kind in ("audio", "video"):
                self.connection.addTransceiver(kind, "recvonly")
            return
        for kind, clip, rate in (("audio", clips.audio(), 48000), ("video", clips.video(codec), 90000)):
            track = self.tracks[kind] = ClipTrack(kind, clip, rate)
            self.connection.addTransceiver(track)
        for transceiver in self.connection.getTransceivers():
            if transceiver.kind == "video":
                wanted = [one for one in get_capabilities("video").codecs if one.name in (codec.value, "rtx")]
                transceiver.setCodecPreferences(wanted)

    only_loopback = True

    async def offer(self) -> str:
        """A complete offer."""
        gatherer: Any = self.connection.getTransceivers()[0].receiver.transport.transport.iceGatherer
        quiet_after_close(self.connection.getTransceivers()[0].receiver.transport.transport)
        gather = gatherer._connection.get_component_candidates
        gatherer._connection.get_component_candidates = lambda component, addresses, **more: gather(
            component=component, addresses=["127.0.0.1"] if self.only_loopback else addresses, **more
        )
        await self.connection.setLocalDescription(await self.connection.createOffer())
        return self.connection.localDescription.sdp

    async def accept(self, answer: str) -> None:
        """Complete the offer."""
        await self.connection.setRemoteDescription(RTCSessionDescription(sdp=answer, type="answer"))

    def unplug(self) -> None:
        """Pull the cable: nothing goes out any more, nobody is told."""
        ice: Any = self.connection.getTransceivers()[0].receiver.transport.transport
        for protocol in ice._connection._protocols:
            protocol.transport.close()

    async def close(self) -> None:
        """Hang up."""
        await self.connection.close()
        for consumer in self._consumers:
            consumer.cancel()
        await asyncio.gather(*self._consumers, return_exceptions=True)

    def _on_track(self, track: MediaStreamTrack) -> None:
        self._consumers.append(asyncio.create_task(self._consume(track)))

    async def _consume(self, track: MediaStreamTrack) -> None:
        try:
            while True:
                await track.recv()
                self.received[track.kind] += 1
        except MediaStreamError:
            return


async def until(condition: Callable[[], bool], seconds: float = 10, what: str = "") -> None:
    """Wait for a condition; `AssertionError` at the deadline."""
    deadline = asyncio.get_running_loop().time() + seconds
    while not condition():
        assert asyncio.get_running_loop().time() < deadline, f"not within {seconds} s: {what}"
        await asyncio.sleep(0.02)
