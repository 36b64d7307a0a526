"""Many callers at once share one piece of work: whoever comes while it runs waits and goes with the next one.

Nobody waits for company: a caller who comes alone goes at once. Under a rush the database sees one transaction for dozens of
callers instead of dozens of transactions, and each caller still gets an answer, or a refusal, of her own.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from foundation.errors import Busy
from foundation.logs import request_id

Q = TypeVar("Q")
A = TypeVar("A")


ALONE = 4
"""So many who go alone do so at the same time."""


class Later:
    """The answer of a piece of work that left one of its questions for the next one."""


LATER = Later()

Work = Callable[[Sequence[Q]], Awaitable[Sequence[A | Exception | Later]]]
"""Answers in the order of the questions. When it raises, each question is tried again alone: one must not spoil the others."""


@dataclass(eq=False)
class _Waiting(Generic[Q, A]):
    question: Q
    keys: frozenset[Hashable]
    answer: "asyncio.Future[A]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    tries: int = 0


class Together(Generic[Q, A]):
    """At most `most` questions go together, `at_once` pieces of work run at the same time.

    `keys` of a question: no two questions that share one are under way at the same time.
    """

    def __init__(
        self,
        work: Work[Q, A],
        *,
        most: int = 64,
        at_once: int = 2,
        keys: Callable[[Q], frozenset[Hashable]] | None = None,
        patience: int = 20,
    ) -> None:
        self._work, self._most, self._at_once = work, most, at_once
        self._keys, self._patience = keys or _none, patience
        self._line: deque[_Waiting[Q, A]] = deque()
        self._busy: set[Hashable] = set()
        self._running: set[asyncio.Task[None]] = set()
        self._apart: set[asyncio.Task[None]] = set()
        self._gate = asyncio.Semaphore(ALONE)

    async def ask(self, question: Q) -> A:
        """The answer to `question`; raises what the work answered with, when that is an exception."""
        waiting: _Waiting[Q, A] = _Waiting(question, self._keys(question))
        self._line.append(waiting)
        self._start()
        return await waiting.answer

    def _start(self) -> None:
        """A group is made up when its task runs: whoever is ready in the same turn of the loop goes with it."""
        if self._line and len(self._running) < self._at_once:
            task = asyncio.create_task(self._go())
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    def _next(self) -> list[_Waiting[Q, A]]:
        """The first in the line, without those whose keys are under way; they keep their places."""
        group: list[_Waiting[Q, A]] = []
        passed: list[_Waiting[Q, A]] = []
        while self._line and len(group) < self._most:
            one = self._line.popleft()
            if one.answer.done():  # whoever asked has gone
                continue
            if one.keys and not one.keys.isdisjoint(self._busy):
                passed.append(one)
                continue
            self._busy |= one.keys
            group.append(one)
        self._line.extendleft(reversed(passed))
        return group

    async def _go(self) -> None:
        request_id.set("")  # the work is everybody's: what it logs belongs to no single request
        group = self._next()
        alone: list[_Waiting[Q, A]] = []
        try:
            if group:
                alone = await self._answer(group)
        finally:
            self._free(one for one in group if one not in alone)
            task = asyncio.current_task()
            assert task is not None
            self._running.discard(task)  # makes room for whom it starts
            if group:  # else all who wait share a key with somebody under way, who starts them
                self._start()

    async def _answer(self, group: list[_Waiting[Q, A]]) -> list[_Waiting[Q, A]]:
        """Settle the group; whom the work left goes back to the head of the line. Returns those who now go alone."""
        try:
            answers = await self._work([one.question for one in group])
        except Exception as error:
            if len(group) == 1:
                _settle(group[0], error)
                return []
            for one in group:
                self._go_alone(one)
            return group
        left: list[_Waiting[Q, A]] = []
        alone: list[_Waiting[Q, A]] = []
        for one, answer in zip(group, answers, strict=True):
            if not isinstance(answer, Later):
                _settle(one, answer)
                continue
            one.tries += 1
            (left if one.tries < self._patience else alone).append(one)
        self._line.extendleft(reversed(left))
        for one in alone:
            self._go_alone(one)
        return alone

    def _go_alone(self, one: _Waiting[Q, A]) -> None:
        task = asyncio.create_task(self._alone(one))
        self._apart.add(task)
        task.add_done_callback(self._apart.discard)

    async def _alone(self, one: _Waiting[Q, A]) -> None:
        """A group of one: it may wait for a lock where a larger one may not."""
        request_id.set("")
        try:
            async with self._gate:
                (answer,) = await self._work([one.question])
        except Exception as error:
            _settle(one, error)
        else:
            _settle(one, Busy(retry_after=1) if isinstance(answer, Later) else answer)
        finally:
            self._free([one])
            self._start()

    def _free(self, group: Iterable[_Waiting[Q, A]]) -> None:
        for one in group:
            self._busy -= one.keys


def _none(_: object) -> frozenset[Hashable]:
    return frozenset()


def _settle(one: _Waiting[Q, A], answer: A | Exception) -> None:
    if one.answer.done():
        return
    if isinstance(answer, Exception):
        one.answer.set_exception(answer)
    else:
        one.answer.set_result(answer)
