"""The rules as data: read once from `data/*.csv`, expanded and indexed, so that a review only looks things up."""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import product

from backend.review.draft import Category, Severity

ANSM = "ANSM thesaurus 2020-10"
LEVELS = {
    "contraindicated": Severity.BLOCK, "avoid": Severity.REASON, "caution": Severity.INFO, "note": Severity.INFO,
}  # fmt: skip
"""What the thesaurus' four levels are here."""
ORDER = list(Severity)
Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Rule:
    """A check of the engine; `severity` is that of the check unless its data say otherwise."""

    id: str
    category: Category
    severity: Severity
    title: str
    source: str
    version: str


@dataclass(frozen=True, slots=True)
class PairRule:
    """Two substances that meet: `words` say what happens and what to do."""

    id: str
    severity: Severity
    words: str
    source: str


@dataclass(frozen=True, slots=True)
class Subject:
    """A row about a substance: a contraindication, a cross-allergy or a frequency, by `kind` and `value`."""

    id: str
    kind: str
    value: str
    severity: Severity
    words: str
    source: str


@dataclass(frozen=True, slots=True)
class Banned:
    """A line of the national list of what may not be sold online."""

    id: str
    kind: str
    values: frozenset[str]
    spared: frozenset[str]
    words: str


@dataclass(frozen=True, slots=True)
class Rulebook:
    """Everything the checks look up. Pairs are keyed by substances in order; the rest by substance."""

    rules: Mapping[str, Rule]
    classes: Mapping[str, frozenset[str]]
    titles: Mapping[str, str]
    classes_of: Mapping[str, frozenset[str]]
    interactions: Mapping[Pair, PairRule]
    incompatible: Mapping[Pair, PairRule]
    contraindications: Mapping[str, tuple[Subject, ...]]
    cross_allergy: Mapping[str, tuple[Subject, ...]]
    frequencies: Mapping[str, tuple[Subject, ...]]
    duplicates: Mapping[str, Subject]
    together: frozenset[Pair]
    chains: Mapping[str, str]
    banned: tuple[Banned, ...]


def ordered(one: str, other: str) -> Pair:
    """The key of a pair."""
    return (one, other) if one <= other else (other, one)


def table(name: str) -> list[dict[str, str]]:
    """A file of `data`."""
    text = (files("backend.review") / "data" / name).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines(), strict=True))


@cache
def rulebook() -> Rulebook:
    """Read, expanded and indexed; `KeyError` or `ValueError` for a file that names what is not there."""
    rules = {
        row["id"]: Rule(row["id"], Category(row["category"]), Severity(row["severity"]), row["title"], row["source"],
                        row["version"])
        for row in table("rules.csv")
    }  # fmt: skip
    classes = {row["class"]: frozenset(row["members"].split("|")) for row in table("classes.csv")}
    effects = {row["effect"]: row["words"] for row in table("effects.csv")}
    classes_of: dict[str, set[str]] = {}
    for name, members in classes.items():
        for one in members:
            classes_of.setdefault(one, set()).add(name)
    return Rulebook(
        rules=rules,
        classes=classes,
        titles={row["class"]: row["title"] for row in table("classes.csv")},
        classes_of={one: frozenset(found) for one, found in classes_of.items()},
        interactions=_joined(_ansm(effects), _labels(classes, effects)),
        incompatible=_incompatible(classes),
        contraindications=_by_substance("contraindications.csv", classes),
        cross_allergy=_by_substance("cross_allergy.csv", classes, kind="allergic_to"),
        frequencies=_frequencies(classes),
        duplicates={
            row["class"]: Subject(row["id"], "", "", Severity(row["severity"]), "", row["source"])
            for row in table("duplicates.csv")
        },
        together=frozenset(ordered(row["left"], row["right"]) for row in table("allowed_together.csv")),
        chains={row["substance"]: row["chain"] for row in table("side_chains.csv")},
        banned=tuple(_banned(classes)),
    )


def members(name: str, classes: Mapping[str, frozenset[str]]) -> frozenset[str]:
    """`@class` is its members, a substance is itself."""
    return classes[name[1:]] if name.startswith("@") else frozenset({name})


def _put(found: dict[Pair, PairRule], left: frozenset[str], right: frozenset[str], rule: PairRule) -> None:
    """The gravest of several rules about a pair stands."""
    for one, other in product(left, right):
        if one == other:
            continue
        key = ordered(one, other)
        if key not in found or ORDER.index(rule.severity) < ORDER.index(found[key].severity):
            found[key] = rule


def _joined(thesaurus: dict[Pair, PairRule], labels: dict[Pair, PairRule]) -> dict[Pair, PairRule]:
    """Package inserts go before the thesaurus, since they were chosen for this list; but what it forbids stays forbidden."""
    milder = {
        key: thesaurus[key]
        for key, rule in labels.items()
        if rule.severity is not Severity.BLOCK
        and key in thesaurus
        and thesaurus[key].severity is Severity.BLOCK
    }
    return {**thesaurus, **labels, **milder}


def _labels(classes: Mapping[str, frozenset[str]], effects: Mapping[str, str]) -> dict[Pair, PairRule]:
    """From package inserts."""
    found: dict[Pair, PairRule] = {}
    for row in table("interactions.csv"):
        words = effects[row["effect"]] + (f"；{row['advice']}" if row["advice"] else "")
        rule = PairRule(
            row["id"], Severity(row["severity"]), words, f"{_label(row['source'])}（{row['id']}）"
        )
        _put(found, members(row["left"], classes), members(row["right"], classes), rule)
    return found


def _ansm(effects: Mapping[str, str]) -> dict[Pair, PairRule]:
    theirs = {row["class"]: frozenset(row["members"].split("|")) for row in table("ansm_classes.csv")}
    found: dict[Pair, PairRule] = {}
    for row in table("ansm_rules.csv"):
        left, right = (theirs.get(row[side]) or frozenset({row[side]}) for side in ("left", "right"))
        rule = PairRule(row["id"], LEVELS[row["level"]], effects[row["effect"]], f"{ANSM}（{row['id']}）")
        _put(found, left, right, rule)
    return found


def _label(source: str) -> str:
    kind, _, name = source.partition(":")
    return (f"{name}说明书" if name else "药品说明书") if kind == "label" else source


def _incompatible(classes: Mapping[str, frozenset[str]]) -> dict[Pair, PairRule]:
    found: dict[Pair, PairRule] = {}
    for row in table("incompatibilities.csv"):
        rule = PairRule(
            row["id"], Severity(row["severity"]), row["words"], f"{_label(row['source'])}（{row['id']}）"
        )
        _put(found, members(row["left"], classes), members(row["right"], classes), rule)
    return found


def _by_substance(
    name: str, classes: Mapping[str, frozenset[str]], kind: str = "kind"
) -> dict[str, tuple[Subject, ...]]:
    found: dict[str, tuple[Subject, ...]] = {}
    for row in table(name):
        source = f"{_label(row['source'])}（{row['id']}）"
        rule = Subject(
            row["id"], row[kind], row.get("value", ""), Severity(row["severity"]), row["words"], source
        )
        for one in members(row["subject"], classes):
            found[one] = (*found.get(one, ()), rule)
    return found


def _frequencies(classes: Mapping[str, frozenset[str]]) -> dict[str, tuple[Subject, ...]]:
    """By substance, and by `form:` and the code of a form."""
    found: dict[str, tuple[Subject, ...]] = {}
    for row in table("frequencies.csv"):
        source = f"{_label(row['source'])}（{row['id']}）"
        rule = Subject(row["id"], "", row["allowed"], Severity(row["severity"]), row["words"], source)
        keys = members(row["subject"], classes) if row["subject"] else {f"form:{row['form']}"}
        for one in keys:
            found[one] = (*found.get(one, ()), rule)
    return found


def _banned(classes: Mapping[str, frozenset[str]]) -> Iterator[Banned]:
    for row in table("retail_ban.csv"):
        spared = [members(name, classes) for name in row["except_"].split("|") if name]
        values = frozenset(one for one in row["value"].split("|") if one)
        yield Banned(row["id"], row["kind"], values, frozenset().union(*spared), row["words"])
