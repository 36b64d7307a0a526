"""A patient whom WeChat knows, and her bill."""

import httpx
import pytest

from backend.context import Context
from backend.payment.model import Payment
from foundation.db.unit_of_work import unit_of_work
from tests.builders.requests import Headers, a_person
from tests.builders.visits import Patient, bill, requested


@pytest.fixture
async def mother(running: Context, wechat: httpx.AsyncClient) -> tuple[Patient, Headers]:
    """At the mock she is `o-patient`."""
    return await a_person(running)


@pytest.fixture
async def held(running: Context, mother: tuple[Patient, Headers]) -> Payment:
    """The open bill of a held place."""
    async with unit_of_work(running.db) as session:
        return await bill(session, await requested(session, mother[0]))
