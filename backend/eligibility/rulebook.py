"""The rule as data: versions in TOML files (`rulefile`), indexed for looking things up. Pure.

A version is in force from a day on and stays readable for ever: a decision names its version and the SHA-256 of the file, so
that it can be made again under the very rule that made it (`explaining`).
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from importlib.resources import files

from backend.eligibility.codes import category, plain, subcategory, within
from backend.eligibility.names import normal
from backend.eligibility.rulefile import Chronic, Group, Mistake, RuleError, WindowPart, read_file
from backend.eligibility.window import Window


@dataclass(frozen=True)
class RuleSet:
    """A version, indexed for looking things up. Keys of `synonyms` are names as `reading.normal` writes them."""

    version: str = ""
    sha256: str = ""
    in_force_from: date = date.min
    window: Window = field(default_factory=lambda: Window(months=1))
    windows: Mapping[str, Window] = field(default_factory=dict)
    exact: bool = True
    unresolved: str = "doctor"
    newer_red_flag: bool = True
    never_broad: frozenset[str] = frozenset()
    online: str = "never"
    not_counting: frozenset[str] = frozenset()
    inpatient_over: frozenset[str] = frozenset()
    ranks: str = "any"
    same_department: bool = False
    not_before: tuple[str, ...] = ()
    suspected: tuple[str, ...] = ()
    acute: tuple[str, ...] = ()
    danger: tuple[str, ...] = ()
    papers_heal: frozenset[str] = frozenset()
    paper_kinds: tuple[str, ...] = ()
    most_papers: int = 0
    chronic: frozenset[str] = frozenset()
    red_flags: Mapping[str, str] = field(default_factory=dict)
    groups: tuple[Group, ...] = ()
    synonyms: Mapping[str, str] = field(default_factory=dict)
    code_map: Mapping[str, str] = field(default_factory=dict)
    sensitive: tuple[tuple[str, str], ...] = ()

    def window_of(self, code: str) -> Window:
        """How long a visit for `code` counts."""
        return self.windows.get(category(code), self.window)

    def mapped(self, code: str) -> str:
        """The code as it is written now. A category maps its subcategories only to another category: no more is known of them."""
        for part in (plain(code), subcategory(code)):
            if part in self.code_map:
                return self.code_map[part]
        new = self.code_map.get(category(code), "")
        bare = subcategory(code).endswith(".X")
        return new if new and (bare or len(new) == 3) else code

    def red_flag(self, code: str) -> str:
        """Why `code` is not seen online; empty when it is."""
        both = {code, self.mapped(code)}
        return next((self.red_flags[part] for one in both for part in (category(one), subcategory(one))
                     if part in self.red_flags), "")  # fmt: skip

    def broad(self, code: str) -> bool:
        """Whether three characters, or a group, may ever match `code`."""
        return bool(category(code)) and not within(code, self.never_broad) and not self.red_flag(code)

    def group_of(self, one: str, other: str) -> str:
        """The name of the clinical group both are in; empty when there is none or they are to be told apart."""
        for group in self.groups:
            codes = frozenset(group.codes)
            parts = {category(one), category(other)}
            if (
                within(one, codes)
                and within(other, codes)
                and not any(set(pair) == parts for pair in group.apart)
            ):
                return group.name
        return ""

    def is_sensitive(self, code: str) -> bool:
        """Whether a proxy needs a grant of its own to see it."""
        found = category(code)
        return any(first <= found <= last for first, last in self.sensitive)


def read_book(text: str, name: str = "rules") -> RuleSet:
    """One version from its TOML; `RuleError` with every mistake."""
    book = read_file(text, name)
    return RuleSet(
        version=book.version, sha256=hashlib.sha256(text.encode()).hexdigest(), in_force_from=book.in_force_from,
        window=_window(book.window), windows={
            one: _window(row) for row in book.chronic if row.months or row.days for one in row.categories
        },
        exact=book.match.exact, unresolved=book.match.unresolved, newer_red_flag=book.match.newer_red_flag,
        never_broad=frozenset(book.match.never_broad), online=book.visits.online,
        not_counting=frozenset(book.visits.not_counting), inpatient_over=frozenset(book.visits.inpatient_over),
        ranks=book.visits.ranks, same_department=book.visits.same_department, not_before=tuple(book.words.not_before),
        suspected=tuple(book.words.suspected), acute=tuple(book.words.acute), danger=tuple(book.words.danger),
        papers_heal=frozenset(book.papers.heal), paper_kinds=tuple(book.papers.kinds), most_papers=book.papers.most,
        chronic=frozenset(one for row in book.chronic for one in row.categories),
        red_flags={one: row.why for row in book.red_flag for one in row.codes},
        groups=tuple(book.group) if book.match.groups else (),
        synonyms={normal(one): row.code for row in book.synonym for one in row.names},
        code_map={row.old.upper(): row.new.upper() for row in book.code_map},
        sensitive=tuple((row.first, row.last) for row in book.sensitive),
    )  # fmt: skip


def _window(part: WindowPart | Chronic) -> Window:
    return Window(months=part.months or 0, days=part.days or 0)


def in_order(books: Iterable[RuleSet]) -> tuple[RuleSet, ...]:
    """Oldest first; `RuleError` for a version or a day twice."""
    found = sorted(books, key=lambda book: book.in_force_from)
    mistakes = [] if found else [Mistake("rules", "there are none")]
    for name, values in (
        ("version", [book.version for book in found]),
        ("in_force_from", [book.in_force_from.isoformat() for book in found]),
    ):
        mistakes += [Mistake(name, f"{one} twice") for one in sorted(set(values)) if values.count(one) > 1]
    if mistakes:
        raise RuleError("versions", mistakes)
    return tuple(found)


@cache
def books() -> tuple[RuleSet, ...]:
    """Every version that ships, oldest first; `RuleError` with the mistakes of all files."""
    mistakes: list[Mistake] = []
    found = []
    for file in sorted((files("backend.eligibility") / "data").iterdir(), key=lambda one: one.name):
        if file.name.endswith(".toml"):
            try:
                found.append(read_book(file.read_text(encoding="utf-8"), file.name))
            except RuleError as error:
                mistakes += [Mistake(f"{file.name}: {one.where}", one.what) for one in error.mistakes]
    if mistakes:
        raise RuleError("data", mistakes)
    return in_order(found)


def book_on(day: date) -> RuleSet:
    """The version in force on a day; before the first there was none other."""
    return next((book for book in reversed(books()) if book.in_force_from <= day), books()[0])


def book_of(version: str) -> RuleSet | None:
    """A version by its name; None when it does not ship any more."""
    return next((book for book in books() if book.version == version), None)
