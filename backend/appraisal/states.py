"""One drawn prescription as a table."""

from enum import StrEnum

from foundation.states import Machine, move


class AppraisalState(StrEnum):
    """处方点评."""

    DRAWN = "drawn"
    JUDGED = "judged"


A = AppraisalState

APPRAISAL = Machine(
    "appraisal",
    A.DRAWN,
    [
        move(A.DRAWN, "judge", A.JUDGED, "pharmacist"),
        # A second look, for instance after the prescriber has objected.
        move(A.JUDGED, "reopen", A.DRAWN, "quality"),
    ],
    labels={A.DRAWN: "待点评", A.JUDGED: "已点评"},
)
