"""Browser tests: marked, asynchronous, one Chromium per worker."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser

from tests.browser.screens import chrome


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every browser test."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.world)


@pytest.fixture(scope="session")
async def browser(anyio_backend: str) -> AsyncIterator[Browser]:
    """Chromium."""
    async with chrome() as running:
        yield running
