from backend.video.aiortc_engine.bandwidth import Bandwidth, ByteRate


def test_the_rate_is_that_of_the_last_second() -> None:
    rate = ByteRate()
    assert rate.rate(0) is None

    for now in range(0, 2000, 10):
        rate.add(1250, now)

    assert abs((rate.rate(1999) or 0) - 1_000_000) < 30_000
    assert rate.rate(4000) is None


def play(bandwidth: Bandwidth, seconds: float, *, size: int, every: float, slower: float = 0.0) -> list[int]:
    """Packets at a steady pace; with `slower` each is queued that much longer than the one before."""
    announced, now, sent = [], 100.0, 100.0
    while sent < 100.0 + seconds:
        allowed = bandwidth.add(int(sent * 262144) & 0xFFFFFF, size, 1, now)
        if allowed is not None:
            announced.append(allowed)
        sent += every
        now += every + slower
    return announced


def test_a_clear_way_is_allowed_up_to_the_ceiling() -> None:
    bandwidth = Bandwidth(1_200_000)

    assert play(bandwidth, 8, size=1100, every=0.008)[-1] == 1_200_000


def test_growing_queues_lower_what_is_allowed() -> None:
    bandwidth = Bandwidth(3_000_000)

    announced = play(bandwidth, 8, size=1100, every=0.008, slower=0.002)
    assert announced[-1] < 1_000_000


def test_a_viewer_that_leaves_no_longer_limits() -> None:
    bandwidth = Bandwidth(2_000_000)
    bandwidth.viewer("slow", 100_000)
    assert bandwidth.allowed == 100_000

    bandwidth.viewer_gone("slow")
    assert play(bandwidth, 8, size=1100, every=0.008)[-1] > 500_000
