"""What an adult let her proxy do, and nothing else (practice.md 1, 2)."""

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from backend.patient import queries, service
from foundation.actor import Actor
from foundation.errors import Forbidden
from tests.builders.visits import Patient, a_patient
from tests.small_world import DAUGHTER, DOCTOR

pytestmark = pytest.mark.anyio


async def proxy(session: AsyncSession, *scope: str) -> tuple[Actor, Patient]:
    """A daughter with a code her mother made."""
    mother, daughter = await a_patient(session), await a_patient(session, DAUGHTER)
    code = await service.make_grant_code(session, mother.actor, mother.person.id, scope)
    await service.redeem_grant_code(session, daughter.actor, code, "女儿")
    return daughter.actor, mother


async def test_a_proxy_has_the_scope_of_the_code(session: AsyncSession) -> None:
    daughter, mother = await proxy(session, "records")

    assert await queries.has_scope(session, daughter, mother.person.id, "records")
    assert not await queries.has_scope(session, daughter, mother.person.id, "book")
    with pytest.raises(Forbidden) as refused:
        await queries.require_scope(session, daughter, mother.person.id, "book")
    assert refused.value.code == "scope_missing"
    assert "预约" in refused.value.detail


async def test_oneself_is_not_held_to_a_scope(session: AsyncSession) -> None:
    _, mother = await proxy(session, "book")

    assert await queries.has_scope(session, mother.actor, mother.person.id, "records")


async def test_staff_are_not_held_to_grants(session: AsyncSession) -> None:
    _, mother = await proxy(session, "book")

    assert await queries.has_scope(session, DOCTOR.actor, mother.person.id, "records")
