"""Journeys are asynchronous and share one running system per worker."""

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every journey."""
    for item in items:
        if "journeys" in item.path.parts:
            item.add_marker(pytest.mark.anyio)
            item.add_marker(pytest.mark.world)
