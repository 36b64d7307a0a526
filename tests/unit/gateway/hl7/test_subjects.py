"""Whose a result is: number and name together, and nothing that does not say."""

import pytest

from front_gateway.dialects.hl7v2.charsets import Charset
from front_gateway.dialects.hl7v2.message import parsed
from front_gateway.dialects.hl7v2.subjects import check, subject_of
from front_gateway.refusals import Unusable, WrongSubject
from tests.unit.gateway.hl7.people import who

HERS = who("周桂珍", "P0000001", "P0000009")


def about(pid: str) -> None:
    """Check a PID with these fields 3 and 5."""
    numbers, name = pid.split("|")
    message = parsed(f"MSH|^~\\&|x\rPID|1||{numbers}||{name}".encode(), Charset.UTF_8)
    check(subject_of(message.first("PID")), HERS, "lis", "S1")


@pytest.mark.parametrize(
    "pid",
    [
        "P0000001|周^桂珍", "P0000001^^^A^MR|桂珍^周", "P0000009|周桂珍", "P0000001^^^A^MR~P0000009^^^A^MR|周 桂珍",
        "77^^^LIS^PI~P0000001^^^A^MR|周^桂珍", "310114^^^^NNCHN~P0000001|周^桂珍", "P0000001|曾用名~周^桂珍",
    ],
)  # fmt: skip
def test_hers_is_hers(pid: str) -> None:
    about(pid)


@pytest.mark.parametrize(
    "pid",
    [
        "P0000002|周^桂珍", "P0000001|孙^丽华", "P0000001^^^A^MR~P0000002^^^A^MR|周^桂珍", "77^^^LIS^PI|周^桂珍",
        "P00000010|周桂珍",
    ],
)  # fmt: skip
def test_anybody_elses_is_refused(pid: str) -> None:
    with pytest.raises(WrongSubject):
        about(pid)


@pytest.mark.parametrize("pid", ["|周^桂珍", "P0000001|", '""|周^桂珍', "310114^^^^NNCHN|周^桂珍"])
def test_what_does_not_say_whose_it_is_is_of_no_use(pid: str) -> None:
    with pytest.raises(Unusable) as refused:
        about(pid)
    assert not isinstance(refused.value, WrongSubject)


def test_a_result_without_any_patient_is_of_no_use() -> None:
    with pytest.raises(Unusable):
        check(None, HERS, "lis", "S1")
