"""Who reports: the hospital as `hospital.json` of the world describes it, and the number the platform gave it."""

from dataclasses import dataclass
from pathlib import Path

import msgspec


@dataclass(frozen=True)
class Organisation:
    """`code` is the unified code (18 characters), `unit_id` came with the appKey."""

    code: str
    unit_id: str
    name: str


class _Hospital(msgspec.Struct, frozen=True):
    name: str
    code: str = ""
    unified_social_credit_code: str = ""


def read_organisation(path: Path, unit_id: str) -> Organisation:
    """From `hospital.json`; `ValueError` in one line when it does not name the hospital."""
    try:
        hospital = msgspec.json.decode(path.read_bytes(), type=_Hospital)
    except (OSError, msgspec.DecodeError) as error:
        raise ValueError(f"{path.name}: {error}") from None
    code = hospital.unified_social_credit_code or hospital.code
    if not code:
        raise ValueError(f"{path.name} has neither unified_social_credit_code nor code")
    return Organisation(code, unit_id, hospital.name)
