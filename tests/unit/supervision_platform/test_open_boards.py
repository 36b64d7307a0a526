"""Boards that are open at the same moment share one count."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Event

from simulators.supervision.console.recent import KEPT, Recent


def test_boards_that_ask_within_a_moment_are_counted_for_once() -> None:
    now, made = [0.0], iter(range(9))
    recent = Recent(2, lambda: now[0])

    first = recent.get("", lambda: next(made))
    now[0] = 1.9
    again = recent.get("", lambda: next(made))
    now[0] = 2.0
    later = recent.get("", lambda: next(made))

    assert (first, again, later) == (0, 0, 1)


def test_boards_that_are_narrowed_differently_have_counts_of_their_own() -> None:
    recent = Recent(2, lambda: 0.0)

    assert [recent.get(scope, partial(str, f"of {scope}")) for scope in ("a", "b", "a")] == [
        "of a",
        "of b",
        "of a",
    ]


def test_who_asks_while_it_is_being_made_waits_for_that() -> None:
    recent, begun, go_on = Recent(60), Event(), Event()
    made: list[str] = []

    def slowly() -> str:
        begun.set()
        go_on.wait(10)
        made.append("one")
        return "one"

    def another() -> str:
        made.append("two")
        return "two"

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(recent.get, "", slowly)
        begun.wait(10)
        second = pool.submit(recent.get, "", another)
        go_on.set()

        assert (first.result(), second.result(), made) == ("one", "one", ["one"])


def test_scopes_do_not_pile_up() -> None:
    recent = Recent(60)
    for number in range(KEPT + 1):
        recent.get(str(number), lambda: "old")

    assert recent.get(str(KEPT), lambda: "new") == "new"
    assert recent.get("0", lambda: "new") == "old"


def test_nothing_is_kept_for_no_time() -> None:
    recent = Recent(0)

    assert [recent.get("", partial(str, value)) for value in "ab"] == ["a", "b"]
