"""The life of one record on its way to a platform (监管上报), and of one day's sign-in there (每日签到)."""

from enum import StrEnum

from foundation.states import Machine, move


class SubmissionState(StrEnum):
    """`submitted` means: it may have reached the platform, the answer is not known yet or was "later"."""

    RECEIVED = "received"
    MAPPED = "mapped"
    SUBMITTED = "submitted"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    PARKED = "parked"


OPEN = (SubmissionState.RECEIVED, SubmissionState.MAPPED, SubmissionState.SUBMITTED)
"""States from which the process goes on by itself."""

_S = SubmissionState

MACHINE = Machine(
    "submission",
    _S.RECEIVED,
    [
        move(_S.RECEIVED, "map", _S.MAPPED, "system"),
        move(_S.RECEIVED, "park", _S.PARKED, "system"),
        move(_S.MAPPED, "submit", _S.SUBMITTED, "system"),
        # What it needs was carried over or never came: by itself it would wait for ever.
        move(_S.MAPPED, "park", _S.PARKED, "system"),
        move(_S.SUBMITTED, "accept", _S.ACCEPTED, "system"),
        move(_S.SUBMITTED, "reject", _S.REJECTED, "system"),
        move(_S.SUBMITTED, "park", _S.PARKED, "system"),
        # Both sides compared their day, and the platform no longer has it.
        move(_S.ACCEPTED, "replay", _S.RECEIVED, "system"),
        move(_S.REJECTED, "resubmit", _S.RECEIVED, "operator"),
        move(_S.PARKED, "resubmit", _S.RECEIVED, "operator"),
    ],
    labels={
        _S.RECEIVED: "已收到",
        _S.MAPPED: "已转换",
        _S.SUBMITTED: "已发送",
        _S.ACCEPTED: "平台已接收",
        _S.REJECTED: "平台退回",
        _S.PARKED: "待人工处理",
    },
)


class SignInState(StrEnum):
    """`closed`: the platform has the day, by an empty list or by the records of that day; `carried`: a person carried one of these over."""

    DUE = "due"
    CLOSED = "closed"
    REFUSED = "refused"
    CARRIED = "carried"


SIGN_IN = Machine(
    "sign_in",
    SignInState.DUE,
    [
        move(SignInState.DUE, "close", SignInState.CLOSED, "system"),
        move(SignInState.DUE, "refuse", SignInState.REFUSED, "system"),
        move(SignInState.DUE, "carry", SignInState.CARRIED, "system"),
        move(SignInState.REFUSED, "again", SignInState.DUE, "operator"),
        # What was carried over goes after all.
        move(SignInState.CARRIED, "again", SignInState.DUE, "system"),
    ],
    labels={
        SignInState.DUE: "待签到",
        SignInState.CLOSED: "已签到",
        SignInState.REFUSED: "平台退回，待人工处理",
        SignInState.CARRIED: "当日记录已结转",
    },
)
