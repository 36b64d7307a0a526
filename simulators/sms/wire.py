"""Bodies of docs/counterparts.md."""

from typing import Annotated

import msgspec
from msgspec import Meta

Id = Annotated[str, Meta(pattern=r"\A[0-9A-Za-z_\-]{6,64}\Z")]


class NewMessage(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """POST /v1/messages."""

    request_id: Id
    phone: Annotated[str, Meta(pattern=r"\A1\d{10}\Z")]
    template: Annotated[str, Meta(min_length=1, max_length=40)]
    params: dict[str, Annotated[str, Meta(max_length=120)]]
