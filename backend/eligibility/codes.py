"""ICD-10 codes as Chinese hospitals write them: WHO's four characters and an extension (`I10.x00`, `E11.900x001`). Pure."""

import re

_CODE = re.compile(r"([A-Z]\d{2})(?:\.([\dX])(?:([\dX]{2}))?)?(?:X\d+)?(?![\dA-Z])")
_WHOLE = re.compile(r"^([A-Z]\d{2})(?:\.([\dX]))?")
_DAGGER = ("†", "+")


def plain(code: str) -> str:
    """In capitals, without spaces."""
    return code.strip().upper()


def category(code: str) -> str:
    """The 3-character category; empty when it is none."""
    found = _WHOLE.match(plain(code))
    return found.group(1) if found else ""


def subcategory(code: str) -> str:
    """The 4-character subcategory: `I10.x00` → `I10.X`, `E11.900` → `E11.9`, `I10` → `I10.X`."""
    found = _WHOLE.match(plain(code))
    return f"{found.group(1)}.{found.group(2) or 'X'}" if found else ""


def six(code: str) -> str:
    """Six characters, what is not said filled up: `E11.9` → `E11.900`, `E11.900x001` → `E11.900`; empty when it is none."""
    found = _CODE.match(plain(code))
    return f"{found.group(1)}.{found.group(2) or 'X'}{found.group(3) or '00'}" if found else ""


def codes_in(text: str) -> list[str]:
    """The codes of an entry: one, or a pair of cause (†) and manifestation (*), the cause first. Empty when there is none."""
    written = plain(text)
    found = [(match.group(), written[match.end() : match.end() + 1]) for match in _CODE.finditer(written)]
    if not category(written) or len(found) < 2:
        return [text.strip()] if category(written) else []
    return [code for code, _ in sorted(found, key=lambda pair: pair[1] not in _DAGGER)]


def within(code: str, spans: frozenset[str]) -> bool:
    """Whether chapter letter, category or subcategory of `code` is among `spans`."""
    found = category(code)
    return bool(found) and not spans.isdisjoint((found[0], found, subcategory(code)))
