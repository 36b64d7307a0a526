"""Synthetic participants that cost little: an encoded clip sent at its own pace, what comes back only counted.

Run as `python -m tests.load.video_peers`: one JSON line per order on stdin (`{"join": [addresses], "origin"}`,
`{"janus": address, "call": name, "record": folder}`, `{"end": true}`, `{}`), one JSON line of counters as the answer. They use the engine's own packet path the other way round, because aiortc's
would need more CPU for the load than the server needs to carry it.
"""

import asyncio
import contextlib
import json
import sys
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import uvloop
from aiortc import RTCSessionDescription
from aiortc.utils import random32

from backend.video.aiortc_engine.connection import PARTICIPANT, MediaConnection, Network
from backend.video.aiortc_engine.receiver import Stream
from backend.video.engine import VideoCodec
from tests.load import clip
from tests.load.janus import Handle

VIDEO_RATE, AUDIO_RATE = 90000, 48000
GOLDEN = 0.618034
"""Keyframes of different people do not come together: spread evenly however many they are."""


@dataclass
class Counter:
    """A sink: frames and packets that came."""

    packets: int = 0
    frames: int = 0

    def take(
        self, stream: Stream, sequence: int, timestamp: int, marker: int, payload: bytes, now: float
    ) -> None:
        """One packet."""
        self.packets += 1
        self.frames += 1 if marker else 0


@dataclass
class Sent:
    """What went out."""

    packets: int = 0
    frames: int = 0


class LoadPeer(MediaConnection):
    """Offers, and sends the clip."""

    def __init__(self) -> None:
        super().__init__(PARTICIPANT, VideoCodec.VP8, 3_000_000, Network(), lambda _: None)
        self.video, self.audio = Counter(), Counter()
        self.sent = Sent()
        self.uplinks["video"].sinks, self.uplinks["audio"].sinks = (self.video,), (self.audio,)

    async def offer(self) -> str:
        """A complete offer."""
        await self._peer.setLocalDescription(await self._peer.createOffer())
        return str(self._peer.localDescription.sdp)

    async def accept(self, answer: str) -> None:
        """Complete it."""
        await self._peer.setRemoteDescription(RTCSessionDescription(sdp=answer, type="answer"))

    async def play(self, offset: float) -> None:
        """Send until cancelled; `offset` seconds keep peers from sending in step, keyframes above all."""
        frames = clip.frames()
        streams = Stream(random32(), AUDIO_RATE), Stream(random32(), VIDEO_RATE)
        senders = self.downlinks
        loop = asyncio.get_running_loop()
        begun = loop.time() + offset
        number = [0, 0]
        for turn in range(1_000_000):
            for frame in frames:
                wait = begun + turn * clip.SECONDS + frame.at - loop.time()
                if wait > 0.001:
                    await asyncio.sleep(wait)
                which = 1 if frame.video else 0
                rate = VIDEO_RATE if which else AUDIO_RATE
                ticks = int((turn * clip.SECONDS + frame.at) * rate)
                for place, payload in enumerate(frame.payloads):
                    marker = 0x80 if frame.video and place == len(frame.payloads) - 1 else 0
                    number[which] += 1
                    senders[which].take(streams[which], number[which], ticks, marker, payload, loop.time())
                self.sent.packets += len(frame.payloads)
                self.sent.frames += which


@dataclass
class Load:
    """All participants of this process."""

    peers: list[LoadPeer] = field(default_factory=list)
    sockets: list[aiohttp.ClientWebSocketResponse] = field(default_factory=list)
    handles: list[Handle] = field(default_factory=list)
    playing: list["asyncio.Task[None]"] = field(default_factory=list)

    async def join(self, session: aiohttp.ClientSession, address: str, origin: str) -> None:
        """One participant through signalling."""
        peer = LoadPeer()
        socket = await session.ws_connect(address, headers={"Origin": origin})
        await socket.send_json({"type": "offer", "sdp": await peer.offer()})
        while (message := await socket.receive_json(timeout=10))["type"] != "answer":
            if message["type"] == "error":
                raise RuntimeError(message)
        await peer.accept(message["sdp"])
        self.sockets.append(socket)
        self.playing.append(asyncio.create_task(_listen(socket)))
        self._play(peer)

    async def call(self, session: aiohttp.ClientSession, address: str, name: str, folder: str) -> None:
        """Two participants through Janus, both recorded."""
        caller, callee = [await Handle.attached(session, address, f"{name}-{side}") for side in "ab"]
        first, second = LoadPeer(), LoadPeer()
        await caller.ask(
            {"request": "call", "username": f"{name}-b"}, {"type": "offer", "sdp": await first.offer()}
        )
        offered = await callee.event("incomingcall")
        answer = await second.answer(offered["jsep"]["sdp"])
        await callee.ask({"request": "accept"}, {"type": "answer", "sdp": answer})
        accepted = await caller.event("accepted")
        await first.accept(accepted["jsep"]["sdp"])
        for handle, side in ((caller, "a"), (callee, "b")):
            await handle.gathered()
            await handle.ask({"request": "set", "record": True, "filename": f"{folder}/{name}-{side}"})
        self.handles += [caller, callee]
        self._play(first)
        self._play(second)

    def _play(self, peer: LoadPeer) -> None:
        self.peers.append(peer)
        offset = len(self.peers) * GOLDEN % 1 * clip.KEYFRAMES_EVERY
        self.playing.append(asyncio.create_task(peer.play(0.2 + offset)))

    def count(self) -> dict[str, Any]:
        """Sums over all participants."""
        return {
            "sent_frames": sum(peer.sent.frames for peer in self.peers),
            "received_frames": sum(peer.video.frames for peer in self.peers),
            "sent_packets": sum(peer.sent.packets for peer in self.peers),
            "received_packets": sum(peer.video.packets + peer.audio.packets for peer in self.peers),
            "least_frames": min((peer.video.frames for peer in self.peers), default=0),
        }

    async def end(self) -> None:
        """Everybody says bye."""
        for socket in self.sockets:
            with contextlib.suppress(aiohttp.ClientError):  # who was put out is seen in the figures
                await socket.send_json({"type": "bye"})
            await socket.close()
        for task in self.playing:
            task.cancel()
        for handle in self.handles:
            await handle.close()
        await asyncio.gather(*(peer.close() for peer in self.peers))


async def _listen(socket: aiohttp.ClientWebSocketResponse) -> None:
    """Answers the server's pings, which is done by reading: who does not is gone after forty seconds."""
    async for _ in socket:
        pass


async def _lines() -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    return reader


async def main() -> None:
    """Obey stdin."""
    load, reader = Load(), await _lines()
    clip.frames()
    async with aiohttp.ClientSession() as session:
        while line := await reader.readline():
            order = json.loads(line)
            for address in order.get("join", ()):
                await load.join(session, address, order["origin"])
            if "janus" in order:
                await load.call(session, order["janus"], order["call"], order["record"])
            if order.get("end"):
                await load.end()
            sys.stdout.write(json.dumps(load.count()) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())
