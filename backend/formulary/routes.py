"""Choosing drugs."""

import msgspec

from backend.edge import DOCTOR, PHARMACIST, ApiCall, ApiEndpoint, Family
from backend.formulary import queries
from backend.formulary.facts import Drug
from foundation.web.endpoint import get


class DrugQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Part of a name or its pinyin initials."""

    q: str = ""


async def search(call: ApiCall) -> list[Drug]:
    """Drugs by name or pinyin initials."""
    return list(await queries.search(call.session, call.query.q))


ENDPOINTS: list[ApiEndpoint] = [
    get("/drugs", search, reply=list[Drug], query=DrugQuery, summary="药品目录", family=Family.ONLINE_TREATMENT,
        roles=[DOCTOR, PHARMACIST]),
]  # fmt: skip
