"""Who may take part in a visit's conversation: its patient's side any time, its doctor within her shift (监管细则 2022)."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.edge import DOCTOR, ApiCall
from backend.encounter import queries
from backend.encounter.model import Encounter
from backend.shift.service import require, require_running, runs
from foundation.actor import Actor


async def admitted(session: AsyncSession, actor: Actor, encounter_id: UUID) -> Encounter:
    """The visit, for one of its sides; `Forbidden` for its doctor without a shift, `NotFound` for everybody else.

    It does not prolong the shift: what is work says so, a request by the API's guard, a message by `at_work`.
    """
    row = await queries.visible(session, actor, encounter_id)
    if actor.has(DOCTOR):
        await require_running(session, actor)
    return row


async def at_work(session: AsyncSession, actor: Actor) -> None:
    """A doctor does something; `Forbidden` without a shift."""
    if actor.has(DOCTOR):
        await require(session, actor)


async def visit_of(call: ApiCall) -> Encounter:
    """The visit of the path, for who may talk in it."""
    return await admitted(call.session, call.actor, call.id())


async def still_admitted(session: AsyncSession, actor: Actor) -> bool:
    """Whether somebody who was admitted may go on listening; asking is no work and does not prolong a shift."""
    return not actor.has(DOCTOR) or (actor.id is not None and await runs(session, actor.id))
