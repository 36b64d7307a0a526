r"""Escape sequences (HL7 2.4, 2.10): `\F\ \S\ \T\ \R\ \E\`, `\X…\`, highlighting and the formatting commands of FT.

What is no known sequence stays as it was written: a result such as `5\6` must not lose a digit.
"""

import re
from dataclasses import dataclass

LINE = "\n"
_MOST = 40
"""Lines or spaces that one formatting command may make."""
_COMMAND = re.compile(r"\.(br|sp|fi|nf|in|ti|sk|ce)\s?([+-]?\d{0,3})")
_HEX = re.compile(r"X((?:[0-9A-Fa-f]{2})+)")
_OTHER_LETTERS = re.compile(r"C[0-9A-Fa-f]{4}|M[0-9A-Fa-f]{4,6}")
UNREADABLE = "\ufffd"


@dataclass(frozen=True, slots=True)
class Separators:
    """MSH-1 and MSH-2."""

    field: str = "|"
    component: str = "^"
    repetition: str = "~"
    escape: str = "\\"
    subcomponent: str = "&"

    def msh2(self) -> str:
        """The four as MSH-2 has them."""
        return self.component + self.repetition + self.escape + self.subcomponent


USUAL = Separators()


def escaped(text: str, separators: Separators = USUAL) -> str:
    """`text` as it may stand in a field; lines become `\\.br\\`, other control characters hexadecimal."""
    mark = separators.escape
    letters = {
        separators.field: "F", separators.component: "S", separators.subcomponent: "T", separators.repetition: "R", mark: "E",
    }  # fmt: skip
    made = []
    for letter in text.replace("\r\n", LINE).replace("\r", LINE):
        if letter in letters:
            made.append(f"{mark}{letters[letter]}{mark}")
        elif letter == LINE:
            made.append(f"{mark}.br{mark}")
        elif ord(letter) < 0x20:
            made.append(f"{mark}X{ord(letter):02X}{mark}")
        else:
            made.append(letter)
    return "".join(made)


def unescaped(text: str, separators: Separators = USUAL, codec: str = "utf-8") -> str:
    """What was meant; `codec` is that of the message, for `\\X…\\`."""
    mark = separators.escape
    if not mark or mark not in text:
        return text
    made, at = [], 0
    while (begin := text.find(mark, at)) >= 0:
        made.append(text[at:begin])
        end = text.find(mark, begin + 1)
        meant = None if end < 0 else _meant(text[begin + 1 : end], separators, codec)
        if meant is None:
            made.append(mark)
            at = begin + 1
        else:
            made.append(meant)
            at = end + 1
    made.append(text[at:])
    return "".join(made)


def _meant(sequence: str, separators: Separators, codec: str) -> str | None:
    """What stands between two marks; None when it is no sequence."""
    plain = {
        "F": separators.field, "S": separators.component, "T": separators.subcomponent, "R": separators.repetition,
        "E": separators.escape, "H": "", "N": "",
    }  # fmt: skip
    if sequence in plain:
        return plain[sequence]
    if command := _COMMAND.fullmatch(sequence):
        return _formatted(command[1], command[2])
    if found := _HEX.fullmatch(sequence):
        try:
            return bytes.fromhex(found[1]).decode(codec)
        except UnicodeDecodeError:
            return None
    return UNREADABLE if _OTHER_LETTERS.fullmatch(sequence) else None


def _formatted(name: str, number: str) -> str:
    many = min(_MOST, max(0, int(number))) if number.lstrip("+-") else 1
    if name in ("br", "ce"):
        return LINE
    if name == "sp":
        return LINE * many
    return " " * many if name == "sk" else ""
