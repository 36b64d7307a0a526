"""Work on the database that many callers share: one line (`foundation.together`) per kind of work and process."""

from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import TypeVar

from foundation.db.unit_of_work import Database
from foundation.together import Later, Together

Q = TypeVar("Q")
A = TypeVar("A")


def shared(
    db: Database,
    work: Callable[[Database, Sequence[Q]], Awaitable[Sequence[A | Exception | Later]]],
    *,
    keys: Callable[[Q], frozenset[Hashable]] | None = None,
    most: int = 128,
) -> Together[Q, A]:
    """The line for `work`; made with the first question."""
    line: Together[Q, A] | None = db.lines.get(work)
    if line is None:

        async def on_this(questions: Sequence[Q]) -> Sequence[A | Exception | Later]:
            return await work(db, questions)

        line = db.lines[work] = Together(on_this, keys=keys, most=most)
    return line
