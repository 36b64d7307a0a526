"""Whose place is stopped or moved."""

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from tests.builders.visits import (
    Patient,
    a_patient,
)


@pytest.fixture
async def patient(session: AsyncSession) -> Patient:
    return await a_patient(session)
