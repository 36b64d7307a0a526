"""What a receiver report says about an incoming stream (RFC 3550, 6.4.1 and A.3, A.8)."""

from aiortc.rtp import RtcpReceiverInfo, clamp_packets_lost

_SPAN = 1 << 32


class Reception:
    """Loss and jitter of one SSRC. Sequence numbers come unwrapped, times in seconds."""

    def __init__(self, ssrc: int, clock_rate: int) -> None:
        self.ssrc = ssrc
        self.received = 0
        self.bytes = 0
        self._clock_rate = clock_rate
        self._first = self._highest = 0
        self._jitter = 0.0
        self._transit: float | None = None
        self._timestamp = -1
        self._expected_before = self._received_before = 0
        self._report = 0
        self._report_at = 0.0

    def add(self, sequence: int, timestamp: int, size: int, now: float) -> None:
        """One packet of the stream itself (not a retransmission) arrived."""
        if self.received == 0:
            self._first = self._highest = sequence
        self.received += 1
        self.bytes += size
        if sequence < self._highest:
            return
        self._highest = sequence
        if timestamp != self._timestamp:
            self._timestamp = timestamp
            transit = now * self._clock_rate - timestamp
            if self._transit is not None:
                difference = abs(transit - self._transit)
                if difference < self._clock_rate * 60:  # a wrap or a jump of the sender's clock is no jitter
                    self._jitter += (difference - self._jitter) / 16
            self._transit = transit

    def sender_report(self, ntp: int, now: float) -> None:
        """The sender's report came; its middle 32 bits go back to it."""
        self._report, self._report_at = ntp >> 16 & 0xFFFFFFFF, now

    @property
    def lost(self) -> int:
        """Packets that never came, retransmissions not counted."""
        return clamp_packets_lost(self._highest - self._first + 1 - self.received) if self.received else 0

    def report(self, now: float) -> RtcpReceiverInfo | None:
        """The block for the next receiver report; None before the first packet."""
        if not self.received:
            return None
        expected = self._highest - self._first + 1
        expected_now, received_now = expected - self._expected_before, self.received - self._received_before
        self._expected_before, self._received_before = expected, self.received
        gone = expected_now - received_now
        since = int((now - self._report_at) * 65536) if self._report else 0
        return RtcpReceiverInfo(
            ssrc=self.ssrc,
            fraction_lost=(gone << 8) // expected_now if expected_now and gone > 0 else 0,
            packets_lost=self.lost,
            highest_sequence=self._highest % _SPAN,
            jitter=int(self._jitter),
            lsr=self._report,
            dlsr=since if 0 < since < _SPAN else 0,
        )
