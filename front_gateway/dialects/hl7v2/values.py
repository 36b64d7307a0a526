"""OBX and NTE as lines of a report."""

from collections.abc import Iterator, Sequence

from contracts.his import ReportValue
from front_gateway.dialects.hl7v2.escapes import LINE
from front_gateway.dialects.hl7v2.message import Segment

_STANDS = frozenset({"F", "C", "U", ""})
"""OBX-11; what is preliminary, pending, wrong or deleted is not shown."""
_TEXT = frozenset({"TX", "FT"})
_NOT_SHOWN = frozenset({"ED", "RP"})
"""Pictures and pointers to files."""
_CONCLUSIONS = frozenset({"IMP", "19005-8", "CONCLUSION"})
"""OBX-3: the suffix of HL7 2.4 (7.4.2), LOINC's impression, and what is written in plain."""
_CONCLUSION_WORDS = ("诊断意见", "影像诊断", "印象", "结论", "检查诊断")


def values(rest: Sequence[Segment]) -> list[ReportValue]:
    """One line for each OBX that stands and is no conclusion; texts of one name that follow one another are one line."""
    made: list[ReportValue] = []
    last = ""
    for one in rest:
        if one.name != "OBX" or not _stands(one) or _concludes(one):
            continue
        kind, name = one.part(2), one.part(3, 2) or one.part(3, 1)
        value = LINE.join(_value(one))
        if kind in _TEXT and made and last == one.raw(3):
            before = made.pop()
            value, name = f"{before.value}{LINE}{value}", before.name
        last = one.raw(3) if kind in _TEXT else ""
        made.append(ReportValue(name, value, one.part(6, 2) or one.part(6, 1), one.part(7), _flag(one)))
    return made


def conclusion(rest: Sequence[Segment]) -> str:
    """The impression, then notes on the order and on single values."""
    said: list[str] = []
    about = ""
    for one in rest:
        if one.name == "OBX":
            about = (one.part(3, 2) or one.part(3, 1)) if _stands(one) else ""
            if _stands(one) and _concludes(one):
                said += _value(one)
                about = ""
        elif note := LINE.join(one.plain(each).strip() for each in one.repetitions(3)):
            said.append(f"{about}：{note}" if about else note)
    return LINE.join(each for each in said if each)


def _stands(obx: Segment) -> bool:
    return obx.part(11) in _STANDS and obx.part(2) not in _NOT_SHOWN


def _concludes(obx: Segment) -> bool:
    codes = {obx.part(3, 1), obx.part(3, 1, 2), obx.part(3, 4)}
    return bool(codes & _CONCLUSIONS) or any(word in obx.part(3, 2) for word in _CONCLUSION_WORDS)


def _value(obx: Segment) -> Iterator[str]:
    """OBX-5, one text for each repetition."""
    kind = obx.part(2)
    for one in obx.repetitions(5):
        if kind in ("CE", "CWE", "CNE", "CF"):
            yield obx.of(one, 2) or obx.of(one, 1)
        elif kind == "SN":
            yield "".join(obx.of(one, place) for place in (1, 2, 3, 4))
        else:  # texts and numbers have no parts: an accent is an accent
            yield obx.plain(one).strip()


def _flag(obx: Segment) -> str:
    """H or L, however far; OBX-8 may repeat."""
    flags = {obx.of(one).upper() for one in obx.repetitions(8)}
    if flags & {"H", "HH", ">", "HU", "↑"}:
        return "H"
    return "L" if flags & {"L", "LL", "<", "LU", "↓"} else ""
