"""Runs the body of a test with each kind of children."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from standalone.children import Children, Forks, Interpreters

Body = Callable[[Children], Awaitable[None]]


@pytest.fixture(params=[Forks, Interpreters])
def with_children(request: pytest.FixtureRequest) -> Callable[[Body], None]:
    async def run(body: Body) -> None:
        children: Children = request.param()
        try:
            async with asyncio.timeout(60):
                await body(children)
        finally:
            await children.close()

    return lambda body: asyncio.run(run(body))
