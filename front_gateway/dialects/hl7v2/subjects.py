"""Whom a message is about: PID-3 and PID-5 against the patient that was asked for."""

from dataclasses import dataclass

from front_gateway.dialects import Who
from front_gateway.dialects.hashes import resource_hash
from front_gateway.dialects.hl7v2.message import Segment
from front_gateway.dialects.names import plain_name
from front_gateway.refusals import Target, Unusable, WrongSubject

_OTHER_NUMBERS = frozenset({"NNCHN", "NI", "SS", "SB", "PPN", "DL", "HC", "VN", "AN"})
"""CX-5: numbers of a card, a visit or an account, by which a record is not known."""


@dataclass(frozen=True)
class Number:
    """CX: a number, who gave it and what it is."""

    value: str
    given_by: str
    kind: str


@dataclass(frozen=True)
class Subject:
    """One PID."""

    numbers: frozenset[Number]
    names: frozenset[str]


def subject_of(pid: Segment) -> Subject:
    """Numbers of the record (PID-3) and names (PID-5) of a PID."""
    return Subject(frozenset(numbers_in(pid, 3)), frozenset(_names(pid)))


def numbers_in(segment: Segment, number: int) -> list[Number]:
    """The numbers of a record in a CX field."""
    found = [
        Number(segment.of(one), segment.of(one, 4), segment.of(one, 5)) for one in segment.repetitions(number)
    ]
    return [one for one in found if one.value and one.kind not in _OTHER_NUMBERS]


def check(subject: Subject | None, who: Who, system: str, what: str) -> None:
    """`WrongSubject` unless number and name are the patient's; `Unusable` when the entry says too little to tell.

    A number beside hers is of the system's own, unless it was given by the same and is of the same kind as hers.
    """
    if subject is None or not subject.numbers or not subject.names:
        raise Unusable(Target.HIS, f"{system}: a result that does not say whose it is")
    hers = {one for one in subject.numbers if one.value in who.numbers}
    like_hers = {(one.given_by, one.kind) for one in hers}
    others = {one for one in subject.numbers - hers if (one.given_by, one.kind) in like_hers}
    if not hers or others or not subject.names & who.names:
        raise WrongSubject(resource_hash(system, what))


def _names(pid: Segment) -> list[str]:
    """XPN: family and given, in both orders; some write all of the name into the family."""
    found = []
    for one in pid.repetitions(5):
        family, given = pid.of(one, 1), "".join((pid.of(one, 2), pid.of(one, 3)))
        found += [f"{family}{given}", f"{given}{family}"]
    return [name for each in found if (name := plain_name(each))]
