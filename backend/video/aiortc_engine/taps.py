"""What hands a connection's packets to its recorder: sinks on its ways up that cannot fail."""

from backend.video.aiortc_engine.receiver import Stream, UplinkReceiver
from backend.video.recording.assembler import Packet
from backend.video.recording.recorder import Recorder
from backend.video.recording.segments import Report
from backend.video.recording.timeline import Source


class Taps:
    """A `recording.recorder.Supply` of the two ways up of one participant."""

    def __init__(self, uplinks: dict[str, UplinkReceiver]) -> None:
        self._uplinks = uplinks
        self._taps: dict[str, _Tap] = {}

    def start(self, recorder: Recorder) -> None:
        """Put a tap on every way up."""
        for kind, uplink in self._uplinks.items():
            tap = self._taps[kind] = _Tap(kind, recorder)
            uplink.sinks = (*uplink.sinks, tap)
            uplink.on_report = tap.report

    async def stop(self) -> None:
        """Take them off."""
        for kind, uplink in self._uplinks.items():
            uplink.sinks = tuple(sink for sink in uplink.sinks if sink is not self._taps[kind])
            uplink.on_report = None

    def request_keyframe(self) -> None:
        """Ask the participant."""
        self._uplinks["video"].request_keyframe()

    def incomplete(self) -> bool:
        """Whether lost packets were asked for and may still come."""
        return any(uplink.incomplete for uplink in self._uplinks.values())


class _Tap:
    """What goes wrong in a recording must not reach the path of the packets: here nothing can."""

    def __init__(self, kind: str, recorder: Recorder) -> None:
        self._kind = kind
        self._take = recorder.take
        self._stream: Stream | None = None
        self._source = Source(kind, 0, 0)

    def take(
        self, stream: Stream, sequence: int, timestamp: int, marker: int, payload: bytes, now: float
    ) -> None:
        """Note the packet."""
        if stream is not self._stream:
            self._stream, self._source = stream, Source(self._kind, stream.ssrc, stream.clock_rate)
        self._take((self._source, Packet(sequence, timestamp, marker, payload, now)))

    def report(self, stream: Stream, sender_time: float, timestamp: int) -> None:
        """Note what the sender says about its clock."""
        if stream is self._stream:
            self._take((self._source, Report(sender_time, timestamp)))
