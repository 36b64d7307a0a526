"""Every table, cell by cell: what it allows moves a row, everything else refuses and moves nothing."""

from enum import StrEnum
from typing import Any, ClassVar

import msgspec
import pytest
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import DeclarativeBase, Mapped

from backend.adverse_event.states import ADVERSE_EVENT
from backend.appointment.states import APPOINTMENT
from backend.complaint.states import COMPLAINT
from backend.dispensing.states import DISPENSE
from backend.e_bill.states import E_BILL
from backend.encounter.states import ENCOUNTER
from backend.insurance.states import INSURANCE_ORDER
from backend.payment.states import PAYMENT, REFUND
from backend.prescription.states import PRESCRIPTION
from backend.pricing.states import PRICE_LIST
from backend.reconciliation.states import DIFFERENCE, RECONCILIATION
from backend.rescheduling.states import RELOCATION
from foundation.actor import Actor
from foundation.db.advance import advance
from foundation.db.base import Row
from foundation.db.columns import DataClass, State, stored
from foundation.errors import Forbidden, IllegalMove
from foundation.ids import new_id
from foundation.states import Machine, Move

pytestmark = pytest.mark.anyio

MACHINES = (
    APPOINTMENT,
    ENCOUNTER,
    PRESCRIPTION,
    DISPENSE,
    PAYMENT,
    REFUND,
    COMPLAINT,
    ADVERSE_EVENT,
    PRICE_LIST,
    RECONCILIATION,
    DIFFERENCE,
    RELOCATION,
    INSURANCE_ORDER,
    E_BILL,
)
ROLES = ("patient", "doctor", "pharmacist", "clerk", "quality", "system", "admin", "schedule_manager")
each_machine = pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.name)


def model_of(machine: Machine) -> Any:
    """A table of its own, outside the backend's metadata, whose rows this machine moves."""

    class Separate(DeclarativeBase):
        """One registry each."""

    class Thing(Row, Separate):
        __tablename__ = f"thing_{machine.name}"
        MACHINE: ClassVar[Machine] = machine
        state: Mapped[StrEnum] = stored(DataClass.OPERATIONAL, State(machine.states))

        @property
        def stream(self) -> str:
            return f"thing:{self.id}"

    return Thing


MODELS = {machine.name: model_of(machine) for machine in MACHINES}


@pytest.fixture
async def things(session: AsyncSession) -> AsyncSession:
    connection = await session.connection()
    for model in MODELS.values():
        await connection.run_sync(model.metadata.create_all)
    return session


async def a_thing(session: AsyncSession, machine: Machine, state: StrEnum) -> Any:
    row = MODELS[machine.name](id=new_id(), state=state)
    session.add(row)
    await session.flush()
    return row


def someone(*roles: str) -> Actor:
    return Actor("staff", new_id(), frozenset(roles))


def event_of(line: Move) -> Any:
    """The event that the line demands."""
    if line.event is None:
        return None
    kind = msgspec.defstruct("Happened", [])
    kind.TYPE, kind.VERSION = line.event, 1  # type: ignore[attr-defined]
    return kind()


def verbs(machine: Machine) -> list[str]:
    return sorted({line.verb for line in machine.moves})


@each_machine
async def test_every_allowed_move_moves(things: AsyncSession, machine: Machine) -> None:
    for line in machine.moves:
        row = await a_thing(things, machine, line.source)

        assert await advance(things, row, line.verb, someone(*line.roles), event=event_of(line))

        assert row.state is line.target


@each_machine
async def test_every_other_cell_refuses_and_moves_nothing(things: AsyncSession, machine: Machine) -> None:
    allowed = {(line.source, line.verb) for line in machine.moves}
    refused = 0
    for state in machine.states:
        for verb in verbs(machine):
            if (state, verb) in allowed:
                continue
            row = await a_thing(things, machine, state)
            if machine.already(state, verb):
                assert not await advance(things, row, verb, someone(*ROLES))
            else:
                with pytest.raises(IllegalMove):
                    await advance(things, row, verb, someone(*ROLES))
                refused += 1
            assert row.state is state
    assert refused > 0


@each_machine
async def test_nobody_else_may_make_a_move(things: AsyncSession, machine: Machine) -> None:
    for line in machine.moves:
        row = await a_thing(things, machine, line.source)

        with pytest.raises(Forbidden):
            await advance(things, row, line.verb, someone(*(set(ROLES) - line.roles)), event=event_of(line))

        assert row.state is line.source


@each_machine
def test_every_state_can_be_reached(machine: Machine) -> None:
    reached, before = {machine.initial}, set[StrEnum]()
    while reached != before:
        before = set(reached)
        reached |= {line.target for line in machine.moves if line.source in reached}

    assert reached == set(machine.states)


@each_machine
def test_roles_are_words_that_somebody_has(machine: Machine) -> None:
    assert {role for line in machine.moves for role in line.roles} <= set(ROLES)
