"""On what authority staff act for somebody, and codes that people read out and type. Pure."""

import re
from enum import StrEnum

from foundation.errors import Issue

ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
"""Nothing that is taken for something else when read aloud or copied by hand."""
CODE_LENGTH = 10
_PHONE = re.compile(r"1\d{10}|0\d{9,11}")


class Authority(StrEnum):
    """Why staff may act."""

    IN_PERSON = "in_person"
    PHONE = "phone"
    WRITTEN = "written"


WORDS = {Authority.IN_PERSON: "本人到场", Authority.PHONE: "本人来电", Authority.WRITTEN: "书面委托"}


def authority_issues(authority: Authority, *, callback_phone: str, proxy_name: str) -> list[Issue]:
    """What is missing: a caller is called back, a paper names who brought it."""
    issues = []
    if callback_phone and not _PHONE.fullmatch(callback_phone):
        issues.append(Issue("callback_phone", "wrong_format", "请填写 11 位手机号或带区号的座机号"))
    if authority is Authority.PHONE and not callback_phone:
        issues.append(Issue("callback_phone", "missing", "本人来电须记录回拨号码"))
    if authority is Authority.WRITTEN and len(proxy_name.strip()) < 2:
        issues.append(Issue("proxy_name", "missing", "书面委托须记录受托人姓名"))
    return issues


def code_of(number: int) -> str:
    """A code from a random number of 64 bits or more."""
    letters = []
    for _ in range(CODE_LENGTH):
        number, place = divmod(number, len(ALPHABET))
        letters.append(ALPHABET[place])
    return "".join(letters)


def typed(text: str) -> str:
    """What somebody typed or pasted, as a code: upper case, without the gaps that help reading."""
    return re.sub(r"[\s-]", "", text).upper()


def spaced(code: str) -> str:
    """In two groups, for reading aloud."""
    return f"{code[:5]} {code[5:]}"
