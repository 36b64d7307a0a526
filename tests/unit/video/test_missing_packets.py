from backend.video.aiortc_engine.missing_packets import MAX_GAP, RETRY_AFTER, TRIES, MissingPackets


def test_a_hole_is_asked_for_at_once() -> None:
    missing = MissingPackets()
    missing.add(10, 0.0)

    assert missing.add(14, 0.0) == [11, 12, 13]
    assert missing.add(15, 0.0) == []


def test_what_came_is_not_asked_for_again() -> None:
    missing = MissingPackets()
    missing.add(10, 0.0)
    missing.add(13, 0.0)

    missing.add(11, 0.01)
    assert missing.due(RETRY_AFTER) == [12]


def test_asking_is_repeated_and_ends() -> None:
    missing = MissingPackets()
    missing.add(1, 0.0)
    missing.add(3, 0.0)

    asked = [missing.due(number * RETRY_AFTER) for number in range(1, TRIES + 3)]
    assert asked == [[2]] * (TRIES - 1) + [[], [], []]
    assert not missing


def test_a_hole_wider_than_any_history_is_not_asked_for() -> None:
    missing = MissingPackets()
    missing.add(1, 0.0)

    assert missing.add(MAX_GAP + 5, 0.0) == []
    assert missing.overrun
