"""What a hospital speaks ends here: a dialect takes the contract's requests and gives the contract's replies."""

from typing import Any, Protocol

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
