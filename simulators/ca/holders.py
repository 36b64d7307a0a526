"""Who holds a certificate: the file `ca_holders.json`."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from simulators.server import SettingError


class Kind(StrEnum):
    DOCTOR = "doctor"
    PHARMACIST = "pharmacist"
    ORGANIZATION = "organization"


class Holder(msgspec.Struct, frozen=True):
    """`id_number_digest` binds the certificate to a person without naming the number."""

    holder: Annotated[str, Meta(pattern=r"\A[0-9A-Za-z_.:-]{1,64}\Z")]
    name: Annotated[str, Meta(min_length=1, max_length=64)]
    kind: Kind
    pin: Annotated[str, Meta(min_length=1, max_length=32)]
    id_number_digest: Annotated[str, Meta(pattern=r"\A[0-9A-Za-z+/=:_-]{0,128}\Z")] = ""


def load(path: Path) -> dict[str, Holder]:
    """Holders by their id. Raises SettingError, in one line."""
    try:
        holders = msgspec.json.decode(path.read_bytes(), type=list[Holder])
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as problem:
        raise SettingError(f"CA_WORLD cannot be used: {path}: {problem}") from None
    by_id = {one.holder: one for one in holders}
    if len(by_id) != len(holders):
        raise SettingError(f"CA_WORLD cannot be used: {path}: a holder stands there twice")
    return by_id
