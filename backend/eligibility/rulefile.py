"""The form of a rule file: its tables, and every mistake that one can hold, named at once. Pure."""

import re
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Literal, get_args, get_origin

import msgspec
from msgspec import Meta

from backend.eligibility.codes import within
from backend.eligibility.names import normal

_SPAN = re.compile(r"^([A-Z]|[A-Z]\d{2}(\.[\dX])?)$")
_CODE = re.compile(r"^[A-Z]\d{2}(\.[\dxX]([\dxX]{2}([xX]\d+)?)?)?$")
Name = Annotated[str, Meta(min_length=1, max_length=60)]
Count = Annotated[int, Meta(ge=1, le=400)]
PAPER_KINDS = {"discharge_summary": "出院小结", "outpatient_record": "门诊病历"}
HEALABLE = ("no_such_diagnosis", "outside_window")


class _Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A table of the file."""


class WindowPart(_Part, frozen=True, kw_only=True):
    """Exactly one of them."""

    months: Count | None = None
    days: Count | None = None


class MatchPart(_Part, frozen=True, kw_only=True):
    """How far two diagnoses may be apart."""

    exact: bool
    groups: bool
    unresolved: Literal["doctor", "ignore"]
    newer_red_flag: bool
    never_broad: list[str]


class VisitsPart(_Part, frozen=True, kw_only=True):
    """Which visits count."""

    online: Literal["never", "chained", "always"]
    not_counting: list[Name]
    inpatient_over: list[Name]
    ranks: Literal["any", "main"]
    same_department: bool


class WordsPart(_Part, frozen=True, kw_only=True):
    """Words in the names of diagnoses."""

    not_before: list[Name]
    suspected: list[Name]
    acute: list[Name]
    danger: list[Name]


class PapersPart(_Part, frozen=True, kw_only=True):
    """What uploaded papers may do."""

    heal: list[Literal["no_such_diagnosis", "outside_window"]]
    kinds: list[Literal["discharge_summary", "outpatient_record"]]
    most: Annotated[int, Meta(ge=0, le=20)]


class Chronic(_Part, frozen=True, kw_only=True):
    """Categories in which three characters suffice, with a window of their own if they have one."""

    categories: list[str]
    name: Name
    months: Count | None = None
    days: Count | None = None


class RedFlag(_Part, frozen=True, kw_only=True):
    """Codes (3 or 4 characters) that are not seen online."""

    codes: list[str]
    why: Name


class Group(_Part, frozen=True, kw_only=True):
    """Categories or subcategories of one disease; pairs in `apart` are not the same for all that."""

    name: Name
    codes: list[str]
    apart: list[Annotated[list[str], Meta(min_length=2, max_length=2)]] = []


class Synonym(_Part, frozen=True, kw_only=True):
    """Names that are read as a code."""

    code: str
    names: list[Name]


class CodeMap(_Part, frozen=True, kw_only=True):
    """A code of an older version or another edition, and what it is now."""

    old: str
    new: str
    why: Name


class Sensitive(_Part, frozen=True, kw_only=True):
    """A span of categories that a proxy sees only with a grant of its own."""

    name: Name
    first: str = msgspec.field(name="from")
    last: str = msgspec.field(name="to")


class Book(_Part, frozen=True, kw_only=True):
    """The file."""

    version: Annotated[str, Meta(pattern=r"^\d{4}-\d{1,3}$")]
    in_force_from: date
    signed_off_by: Name
    signed_off_on: date
    window: WindowPart
    match: MatchPart
    visits: VisitsPart
    words: WordsPart
    papers: PapersPart
    chronic: list[Chronic]
    red_flag: list[RedFlag]
    group: list[Group] = []
    synonym: list[Synonym] = []
    code_map: list[CodeMap] = []
    sensitive: list[Sensitive] = []


@dataclass(frozen=True)
class Mistake:
    """One thing wrong in a file; `where` is the path of the entry."""

    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


class RuleError(Exception):
    """The rule cannot be used; every mistake is named."""

    def __init__(self, name: str, mistakes: Sequence[Mistake]) -> None:
        self.mistakes = list(mistakes)
        super().__init__("\n".join([f"{name}: {len(mistakes)} mistakes", *map(str, mistakes)]))


def read_file(text: str, name: str) -> Book:
    """The file's tables; `RuleError` with every mistake."""
    mistakes: list[Mistake] = []
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RuleError(name, [Mistake("toml", str(error))]) from None
    book = _read(Book, raw, "", mistakes)
    if isinstance(book, Book):
        mistakes += check(book)
    if mistakes:
        raise RuleError(name, mistakes)
    assert isinstance(book, Book)
    return book


def _read(kind: Any, raw: Any, where: str, mistakes: list[Mistake]) -> Any:
    """`raw` as `kind`; what does not fit goes to `mistakes`, and None comes back."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct) and isinstance(raw, dict):
        before, values = len(mistakes), {}
        known = {one.encode_name: one for one in msgspec.structs.fields(kind)}
        mistakes += [Mistake(_at(where, one), "no such entry") for one in raw if one not in known]
        for name, one in known.items():
            if name in raw:
                values[one.name] = _read(one.type, raw[name], _at(where, name), mistakes)
            elif one.required:
                mistakes.append(Mistake(_at(where, name), "missing"))
        return kind(**values) if len(mistakes) == before else None
    inner = get_args(kind)[0] if get_origin(kind) is list else None
    if isinstance(inner, type) and issubclass(inner, msgspec.Struct) and isinstance(raw, list):
        return [_read(inner, one, f"{where}[{place}]", mistakes) for place, one in enumerate(raw, start=1)]
    try:
        return msgspec.convert(raw, kind)
    except msgspec.ValidationError as error:
        mistakes.append(Mistake(where, str(error)))
        return None


def _at(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name


def check(book: Book) -> list[Mistake]:
    """Everything that fits its type and is wrong all the same."""
    found = [*_windows(book), *_spans(book), *_categories(book), *_synonyms(book), *_mapping(book)]
    for place, row in enumerate(book.sensitive, start=1):
        if not (_SPAN.match(row.first) and _SPAN.match(row.last) and row.first <= row.last):
            found.append(Mistake(f"sensitive[{place}]", "from and to have to be categories in order"))
    if book.signed_off_on > book.in_force_from:
        found.append(Mistake("signed_off_on", "signed off after it came into force"))
    if book.papers.heal and not (book.papers.kinds and book.papers.most):
        found.append(Mistake("papers", "papers that heal need kinds and a number"))
    return found


def _windows(book: Book) -> Iterable[Mistake]:
    if (book.window.months is None) == (book.window.days is None):
        yield Mistake("window", "exactly one of months and days")
    for place, row in enumerate(book.chronic, start=1):
        if row.months is not None and row.days is not None:
            yield Mistake(f"chronic[{place}]", "months or days, not both")


def _spans(book: Book) -> Iterable[Mistake]:
    lists = [("match.never_broad", book.match.never_broad)]
    lists += [(f"red_flag[{place}].codes", row.codes) for place, row in enumerate(book.red_flag, start=1)]
    lists += [(f"group[{place}].codes", row.codes) for place, row in enumerate(book.group, start=1)]
    for where, codes in lists:
        for code in codes:
            if not _SPAN.match(code):
                yield Mistake(where, f"{code!r} is no chapter, category or subcategory")
            elif len(code) == 1 and where != "match.never_broad":
                yield Mistake(where, f"{code!r} is a whole chapter")
    for place, group in enumerate(book.group, start=1):
        for one in {one for pair in group.apart for one in pair} - set(group.codes):
            yield Mistake(f"group[{place}].apart", f"{one} is not in the group")


def _categories(book: Book) -> Iterable[Mistake]:
    never, seen = frozenset(book.match.never_broad), set()
    flagged = {code for row in book.red_flag for code in row.codes}
    for place, row in enumerate(book.chronic, start=1):
        where = f"chronic[{place}].categories"
        for one in row.categories:
            if len(one) != 3 or not _SPAN.match(one):
                yield Mistake(where, f"{one!r} is no category")
                continue
            if one in seen:
                yield Mistake(where, f"{one} twice")
            if within(one, never) or one in flagged:
                yield Mistake(where, f"{one} is never matched by three characters")
            seen.add(one)


def _synonyms(book: Book) -> Iterable[Mistake]:
    known: dict[str, str] = {}
    for place, row in enumerate(book.synonym, start=1):
        if not _CODE.match(row.code):
            yield Mistake(f"synonym[{place}].code", f"{row.code!r} is no code")
        for one in row.names:
            if known.setdefault(normal(one), row.code) != row.code:
                yield Mistake(f"synonym[{place}].names", f"{one} is {known[normal(one)]} already")


def _mapping(book: Book) -> Iterable[Mistake]:
    olds: set[str] = set()
    for place, row in enumerate(book.code_map, start=1):
        for side, code in (("old", row.old), ("new", row.new)):
            if not _CODE.match(code):
                yield Mistake(f"code_map[{place}].{side}", f"{code!r} is no code")
        if row.old.upper() in olds:
            yield Mistake(f"code_map[{place}].old", f"{row.old} twice")
        olds.add(row.old.upper())
    for place, row in enumerate(book.code_map, start=1):
        if row.new.upper() in olds:
            yield Mistake(f"code_map[{place}].new", f"{row.new} is mapped itself")
