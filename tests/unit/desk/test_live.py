"""A desk page asks what changed while it was on its way."""

from typing import cast

from redis.asyncio import Redis

from backend.live import REMEMBERED, Live


def silent() -> Live:
    """Nobody announces anything but the test."""
    return Live(cast("Redis", None))


def hears(live: Live, stream: str, words: str = "") -> None:
    live._wake(stream, words)


def test_a_change_after_the_mark_is_known_and_one_before_it_is_not_told_again() -> None:
    live = silent()
    hears(live, "desk:e-bills")
    mark = live.mark()
    assert not live.changed_since(["desk:e-bills"], mark)

    hears(live, "desk:e-bills")

    assert live.changed_since(["desk:alarms", "desk:e-bills"], mark)
    assert not live.changed_since(["desk:alarms"], mark)


def test_a_whisper_is_no_change() -> None:
    live = silent()
    mark = live.mark()

    hears(live, "visit:1", "typing")

    assert not live.changed_since(["visit:1"], mark)


def test_a_mark_of_another_process_or_none_means_look_again() -> None:
    live, other = silent(), silent()

    assert live.changed_since(["desk:e-bills"], other.mark())
    assert live.changed_since(["desk:e-bills"], "")
    assert live.changed_since(["desk:e-bills"], live.mark().partition(".")[0] + ".x")


def test_what_is_remembered_does_not_grow_for_ever() -> None:
    live = silent()
    mark = live.mark()
    for number in range(REMEMBERED + 1):
        hears(live, f"visit:{number}")

    assert live.changed_since(["desk:e-bills"], mark)
    assert not live.changed_since(["desk:e-bills"], live.mark())
