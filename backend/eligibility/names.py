"""Names of diagnoses as people write them. Pure."""

import re
import unicodedata
from collections.abc import Sequence

_ROMAN = {"III": "3", "II": "2", "I": "1"}
_BRACKETS = re.compile(r"[(\[【][^)\]】]*[)\]】]")
_GRADE = re.compile(r"(极高危|很高危|高危|中危|低危|组)$")
_IGNORED = re.compile(r"[\s,，.。;；:：、\-]+")


def normal(name: str) -> str:
    """A name of a diagnosis in comparable form: widths, Roman figures, brackets and risk classes do not matter."""
    text = unicodedata.normalize("NFKC", name).upper()
    text = _IGNORED.sub("", _BRACKETS.sub("", text))
    for roman, figure in _ROMAN.items():
        text = re.sub(rf"^{roman}(?=型)|{roman}(?=[期级])", figure, text)
    return _GRADE.sub("", text)


def says(name: str, words: Sequence[str], not_before: Sequence[str] = ()) -> str:
    """The first of `words` that the name says, unless something right before takes it back; empty when none."""
    text = unicodedata.normalize("NFKC", name)
    for word in words:
        plain = unicodedata.normalize("NFKC", word)
        for found in re.finditer(re.escape(plain), text):
            if not text[: found.start()].endswith(tuple(not_before) or ("\0",)):
                return word
    return ""
