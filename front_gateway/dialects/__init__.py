"""What a hospital speaks ends here: a dialect takes the contract's requests and gives the contract's replies.

`Main` is spoken to the HIS (`fhir`, `soap`); `combined` puts LIS and RIS beside it (`hl7v2`), `with_images` the image archive
(`dicomweb`). Which is spoken where stands in `front_gateway.speaking`.
"""

from dataclasses import dataclass
from datetime import date
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


@dataclass(frozen=True)
class Who:
    """A patient as the hospital's other systems know her, for asking them and for checking what they answer.

    `patient_id` is the registration that counts today. `numbers` are those that the others know her by, merged ones included, the one
    that counts first: ids of the HIS or numbers of her record, never both, for an id here may be another's number there; none when she
    has none. `names` is every way the hospital writes her name, in `names.plain_name` form.
    """

    patient_id: str
    numbers: tuple[str, ...]
    name: str
    names: frozenset[str]
    sex: str
    birth_date: date


class Main(Dialect, Protocol):
    """The dialect of the system that knows who the patients are."""

    async def who(self, patient_id: str, deadline: Deadline, *, fresh: bool) -> Who:
        """The patient of an id of ours, asked again when `fresh` (before a write); `PatientNotFound` for nobody."""
