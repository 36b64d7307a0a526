"""What an answer says about the message that it answers: MSA and ERR."""

from foundation.logs import log
from front_gateway.dialects.hl7v2.message import Message
from front_gateway.refusals import HospitalRefused, Target, Unusable

ACCEPTED = frozenset({"AA"})
_COMMIT = frozenset({"CA"})
_REFUSED = frozenset({"AE", "AR", "CE", "CR"})
UNKNOWN_KEY = "204"
"""HL7 table 0357: nobody has that number."""
LATER = frozenset({"206", "207"})
"""Record locked, internal error: no verdict about the message, it may be sent again."""
_LONGEST = 200


class OtherMessage(Exception):
    """An answer to another message: of an earlier question whose time was over, or of a system that mixes them up."""


def fits(answer: Message, control_id: str) -> bool:
    """Whether `answer` answers the message with this control id; False for a mere commit acknowledgement of it.

    `OtherMessage` for the answer to another message, however welcome: it is about somebody else.
    """
    msa = answer.first("MSA")
    if msa.part(2) != control_id or not control_id:
        raise OtherMessage
    return msa.part(1) not in _COMMIT


def accepted(answer: Message, what: str) -> None:
    """`HospitalRefused` with the system's words when it will not have the message, `Unusable` when it cannot just now."""
    code = answer.first("MSA").part(1)
    if code in ACCEPTED:
        return
    log.warning("system_refused", what=what, code=code[:2], errors=sorted(error_codes(answer))[:5])
    if code in _REFUSED and error_codes(answer) & LATER:
        raise Unusable(Target.HIS, f"{what}: cannot just now")
    if code in _REFUSED:
        raise HospitalRefused(words(answer))
    raise Unusable(Target.HIS, f"{what}: MSA-1 is none that we know")


def error_codes(answer: Message) -> set[str]:
    """Codes of table 0357 in ERR, wherever the version has them (2.4: ERR-1.4, 2.5: ERR-3)."""
    found = set()
    for one in answer.all("ERR"):
        found |= {one.of(each, 4) for each in one.repetitions(1)} | {one.part(3)}
    return found - {""}


def words(answer: Message) -> str:
    """Why it refuses: MSA-3, then ERR's texts, shortened."""
    found = [answer.first("MSA").part(3)]
    for one in answer.all("ERR"):
        found += [one.part(8), one.part(3, 2), *(one.of(each, 4, 2) for each in one.repetitions(1))]
    said = dict.fromkeys(one for one in found if one)
    return "；".join(said)[:_LONGEST]
