"""What the tests of the lot share."""

from collections.abc import Iterator

import pytest

from backend.context import Context
from tests.policies import numbers


@pytest.fixture
def a_minute_of_lots(running: Context) -> Iterator[None]:
    """Tickets are taken for a minute: a busy machine's thirty calls do not outlast it."""
    with numbers(draw_seconds=60):
        yield
