"""A backend that a test tells what to say, and a browser."""

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.unit.front.backend import Backend, opened


@pytest.fixture
def backend() -> Backend:
    """Its answers."""
    return Backend()


@pytest.fixture
async def browser(backend: Backend) -> AsyncIterator[httpx.AsyncClient]:
    """A browser before the front."""
    async with opened(backend) as client:
        yield client
