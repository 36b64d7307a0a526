"""What must agree inside a row of the tables `bb_pi_*` (docs/profiles/guangdong.md, Values)."""

from collections.abc import Mapping
from typing import Any

from simulators.supervision.answers import Inner, RecordRefusalError

REVOKES = {"bb_pi_appointment": ("yyzt", "2"), "bb_pi_prescription_detail": ("cfzt", "4")}
"""The column and its value that go with cxbz 1; rows of other tables are revoked freely."""
REVIEWER, PRESCRIBER = "cfshyjsdm", "ysdm"


def check_row(method: str, row: Mapping[str, Any]) -> None:
    """Raises RecordRefusalError; says nothing about rows of other families."""
    if method in REVOKES:
        column, value = REVOKES[method]
        if (str(row["cxbz"]) == "1") != (str(row[column]) == value):
            raise RecordRefusalError(Inner.FAILED, f"cxbz与{column}不一致")
    if row.get(REVIEWER) and row[REVIEWER] == row.get(PRESCRIBER):
        raise RecordRefusalError(Inner.FAILED, f"{REVIEWER}审核药师不能是开方医师本人")
