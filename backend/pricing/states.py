"""A version of the price list as a table."""

from enum import StrEnum

from foundation.states import Machine, move


class PriceListState(StrEnum):
    """价格表版本."""

    DRAFT = "draft"
    APPROVED = "approved"
    WITHDRAWN = "withdrawn"


S = PriceListState

PRICE_LIST = Machine(
    "price_list",
    S.DRAFT,
    [
        move(S.DRAFT, "approve", S.APPROVED, "clerk", "admin", "system"),
        move(S.DRAFT, "withdraw", S.WITHDRAWN, "clerk", "admin"),
        # Only while its day has not come: what was in force stays in the history.
        move(S.APPROVED, "withdraw", S.WITHDRAWN, "clerk", "admin"),
    ],
    labels={S.DRAFT: "草稿", S.APPROVED: "已批准", S.WITHDRAWN: "已撤回"},
    fhir={S.DRAFT: "draft", S.APPROVED: "active", S.WITHDRAWN: "retired"},
)
