"""The lines of a draft with their drugs, and what of a drug acts in the whole body."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

from backend.eligibility.rules import category, subcategory
from backend.formulary.facts import Drug
from backend.review.draft import Draft, Item
from backend.review.rulebook import rulebook

LOCAL_ROUTES = frozenset({"605", "607", "608", "609", "610", "611", "612", "699"})
"""Given here a drug acts where it is put; but see `acting`."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line whose drug is known, with its place on the prescription."""

    index: int
    item: Item
    drug: Drug


def known_lines(draft: Draft, drugs: Mapping[str, Drug]) -> list[Line]:
    """Lines of drugs that the list has."""
    return [
        Line(index, item, drugs[item.drug_code])
        for index, item in enumerate(draft.items)
        if item.drug_code in drugs
    ]


def acting(drug: Drug, route: str) -> list[str]:
    """The substances of a drug that act in the whole body when given like this.

    Eye drops of β-blockers do, which is why asthmatics die of them; what steroids are inhaled or sprayed hardly do. A
    patch of an opioid is no local treatment.
    """
    if route in LOCAL_ROUTES:
        kept = "beta_blocker" if route == "607" else "opioid"
        return [one for one in drug.ingredients if kept in classes(one)]
    if route == "5":
        return [one for one in drug.ingredients if "glucocorticoid" not in classes(one)]
    return drug.ingredients


def classes(substance: str) -> frozenset[str]:
    """Classes of a substance."""
    return rulebook().classes_of.get(substance, frozenset())


@dataclass(frozen=True, slots=True)
class Codes:
    """Diagnoses, ready to be compared with spans."""

    categories: frozenset[str]
    subcategories: frozenset[str]

    def within(self, spans: str) -> bool:
        """Whether one lies in `I10-I15|K92.0-K92.2`."""
        for first, last in parsed(spans):
            where = self.subcategories if "." in first else self.categories
            if any(first <= one <= last for one in where):
                return True
        return False


def codes(found: Iterable[str]) -> Codes:
    """Of ICD-10 codes; what is none is left out."""
    kept = [code for code in found if category(code)]
    return Codes(frozenset(category(code) for code in kept), frozenset(subcategory(code) for code in kept))


@cache
def parsed(spans: str) -> tuple[tuple[str, str], ...]:
    """First and last of each span."""
    parts = [one.partition("-") for one in spans.split("|") if one]
    return tuple((first, last or first) for first, _, last in parts)
