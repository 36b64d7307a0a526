"""What a hospital speaks ends here: a dialect takes the contract's requests and gives the contract's replies."""

from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from contracts import his
from front_gateway.deadline import Deadline
from front_gateway.note import Note


class Dialect(Protocol):
    """One way of speaking to a hospital."""

    async def answer(self, request: his.HisRequest, deadline: Deadline, note: Note) -> Any:
        """The reply struct of the request's operation (`REPLY`); every entry's subject is checked.

        Leaves the subject's hash and the number of resources in `note`. Raises what `refusals` draws.
        """

    async def ready(self, deadline: Deadline) -> None:
        """Raises when the hospital does not answer."""


@dataclass(frozen=True)
class Registered:
    """A patient for the systems beside the main one: `numbers` are those that they know her by, former ones included."""

    main_id: str
    numbers: tuple[str, ...]


@runtime_checkable
class Registry(Protocol):
    """A dialect that can tell which numbers belong to one person."""

    async def registered(self, patient_id: str, deadline: Deadline, note: Note) -> Registered:
        """The person with this id, her hash left in `note`; `PatientNotFound` for nobody."""
