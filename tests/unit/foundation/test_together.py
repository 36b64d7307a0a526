"""Callers who share a piece of work: nobody waits for company, nobody's answer is another's, nobody spoils the others'."""

import asyncio
from collections.abc import Callable, Hashable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as some

from foundation.errors import Busy, Conflict
from foundation.together import LATER, Later, Together

pytestmark = pytest.mark.anyio


class Desk:
    """Work that doubles numbers, holds its groups until told, and remembers them."""

    def __init__(self, *, open: bool = True) -> None:
        self.groups: list[list[int]] = []
        self.gate = asyncio.Event()
        if open:
            self.gate.set()

    async def work(self, questions: Sequence[int]) -> Sequence[int | Exception | Later]:
        self.groups.append(list(questions))
        await self.gate.wait()
        return [one * 2 for one in questions]


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0)


async def test_who_comes_alone_goes_at_once() -> None:
    desk = Desk()
    line: Together[int, int] = Together(desk.work)

    assert await line.ask(4) == 8
    assert desk.groups == [[4]]


async def test_who_is_ready_at_the_same_time_goes_together() -> None:
    desk = Desk()
    line: Together[int, int] = Together(desk.work)

    assert await asyncio.gather(*map(line.ask, range(5))) == [0, 2, 4, 6, 8]
    assert desk.groups == [[0, 1, 2, 3, 4]]


async def test_who_comes_while_the_work_runs_goes_with_the_next_one() -> None:
    desk = Desk(open=False)
    line: Together[int, int] = Together(desk.work, at_once=1, most=2)
    asked = [asyncio.create_task(line.ask(0))]
    await until(lambda: desk.groups == [[0]])
    asked += [asyncio.create_task(line.ask(number)) for number in (1, 2, 3)]
    await asyncio.sleep(0)

    desk.gate.set()

    assert await asyncio.gather(*asked) == [0, 2, 4, 6]
    assert desk.groups == [[0], [1, 2], [3]]


async def test_what_shares_a_key_is_never_under_way_at_the_same_time() -> None:
    desk = Desk(open=False)

    def same(_: int) -> frozenset[Hashable]:
        return frozenset(["one person"])

    line: Together[int, int] = Together(desk.work, keys=same)
    asked = [asyncio.create_task(line.ask(number)) for number in (1, 2)]
    await until(lambda: len(desk.groups) == 1)
    for _ in range(5):
        await asyncio.sleep(0)

    assert desk.groups == [[1]]
    desk.gate.set()
    assert await asyncio.gather(*asked) == [2, 4]
    assert desk.groups == [[1], [2]]


async def test_a_refusal_is_the_askers_own() -> None:
    async def work(questions: Sequence[int]) -> Sequence[int | Exception | Later]:
        return [Conflict(code=str(one)) if one % 2 else one for one in questions]

    line: Together[int, int] = Together(work)
    answers = await asyncio.gather(*map(line.ask, range(4)), return_exceptions=True)

    assert [getattr(one, "code", one) for one in answers] == [0, "1", 2, "3"]


async def test_one_that_breaks_the_work_does_not_spoil_the_others() -> None:
    async def work(questions: Sequence[int]) -> Sequence[int | Exception | Later]:
        if 2 in questions:
            raise ValueError("two")
        return list(questions)

    line: Together[int, int] = Together(work)
    answers = await asyncio.gather(*map(line.ask, range(4)), return_exceptions=True)

    assert [type(one) if isinstance(one, Exception) else one for one in answers] == [0, 1, ValueError, 3]


async def test_who_is_left_again_and_again_goes_alone_at_last() -> None:
    async def work(questions: Sequence[int]) -> Sequence[int | Exception | Later]:
        return [LATER if one == 1 and len(questions) > 1 else one for one in questions]

    line: Together[int, int] = Together(work, patience=3)

    assert await asyncio.gather(*map(line.ask, range(3))) == [0, 1, 2]


async def test_who_cannot_be_served_even_alone_hears_that_the_system_is_busy() -> None:
    async def work(questions: Sequence[int]) -> Sequence[int | Exception | Later]:
        return [LATER for _ in questions]

    line: Together[int, int] = Together(work, patience=2)

    with pytest.raises(Busy):
        await line.ask(1)


async def test_who_went_away_while_waiting_is_not_served_and_holds_nobody_up() -> None:
    desk = Desk(open=False)
    line: Together[int, int] = Together(desk.work, at_once=1, keys=lambda _: frozenset(["a"]))
    first, gone, last = (asyncio.create_task(line.ask(number)) for number in (1, 2, 3))
    await until(lambda: desk.groups == [[1]])

    gone.cancel()
    desk.gate.set()

    assert list(await asyncio.gather(first, last)) == [2, 6]
    assert desk.groups == [[1], [3]]


@given(
    questions=some.lists(some.integers(0, 20), max_size=40),
    most=some.integers(1, 7), at_once=some.integers(1, 3), broken=some.sets(some.integers(0, 20)),
    shy=some.sets(some.integers(0, 20)),
)  # fmt: skip
def test_everybody_gets_her_own_answer_whatever_the_others_do(
    questions: list[int], most: int, at_once: int, broken: set[int], shy: set[int]
) -> None:
    """`broken` numbers break the work they are in, `shy` ones are left unless they are alone."""

    async def work(group: Sequence[int]) -> Sequence[int | Exception | Later]:
        await asyncio.sleep(0)
        if broken.intersection(group):
            raise ValueError
        return [LATER if one in shy and len(group) > 1 else one * 2 for one in group]

    async def all_of_them() -> list[int | BaseException]:
        line: Together[int, int] = Together(
            work, most=most, at_once=at_once, patience=3, keys=lambda one: frozenset([one % 5])
        )
        async with asyncio.timeout(20):
            return await asyncio.gather(*map(line.ask, questions), return_exceptions=True)

    for question, answer in zip(questions, asyncio.run(all_of_them()), strict=True):
        assert isinstance(answer, ValueError) if question in broken else answer == question * 2
