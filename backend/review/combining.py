"""Drugs that meet: on this prescription, and with what the patient still takes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from backend.formulary.facts import Drug
from backend.review.draft import Finding, PatientFacts, Severity, Taking
from backend.review.finding import finding
from backend.review.lines import LOCAL_ROUTES, Line, acting, classes
from backend.review.rulebook import ORDER, Pair, PairRule, ordered, rulebook

OVERLAP_DAYS = 7
"""Continuing a drug is no duplicate; more days left than this ask for a reason (practice.md 11)."""


@dataclass(frozen=True, slots=True)
class Met:
    """A rule that two substances meet, one of the line and one of the other drug."""

    mine: str
    theirs: str
    rule: PairRule


def check(lines: Sequence[Line], patient: PatientFacts, drugs: Mapping[str, Drug]) -> Iterator[Finding]:
    """Every two lines, then every line with every drug still taken."""
    acts = {line.index: acting(line.drug, line.item.route) for line in lines}
    for place, line in enumerate(lines):
        for earlier in lines[:place]:
            yield from _twice(line, earlier, acts)
            yield from _meeting(line, earlier.drug, acts[line.index], acts[earlier.index])
            yield from _mixed(line, earlier)
    if patient.taking is None:
        if lines:
            words = "暂时无法从医院系统取得正在使用的药物，未与其核对重复用药和相互作用"
            yield finding("fit.taking_unknown", words)
        return
    unlisted = sum(taking.drug_code not in drugs for taking in patient.taking)
    if unlisted:  # not by name: a finding is kept, and the hospital's records are not (design.md 5.1)
        yield finding("fit.taking_unlisted", f"正在使用的药物中有 {unlisted} 种不在目录中，未参加审查")
    for taking in patient.taking:
        known = drugs.get(taking.drug_code)
        if known is None:
            continue
        theirs = acting(known, known.routes[0] if known.routes else "1")
        for line in lines:
            yield from _still(line, known, taking)
            if taking.drug_code != line.drug.code:
                yield from _meeting(line, known, acts[line.index], theirs, taking=True)


def _local(line: Line) -> bool:
    return line.item.route in LOCAL_ROUTES


def _twice(line: Line, earlier: Line, acts: Mapping[int, list[str]]) -> Iterator[Finding]:
    """The same substance, the same therapeutic class, or at least the same class of the list."""
    one, other = line.drug, earlier.drug
    shared = set(one.ingredients) & set(other.ingredients)
    if shared:
        words = f"{one.generic_name}与{other.generic_name}含相同成分（{'、'.join(sorted(shared))}）"
        local = _local(line) != _local(earlier)
        yield finding("fit.duplicate_local" if local else "fit.duplicate", words, line.index)
        return
    found = _same_class(acts[line.index], acts[earlier.index])
    if found is not None:
        rule = rulebook().duplicates[found]
        words = f"{one.generic_name}与{other.generic_name}同为{rulebook().titles[found]}"
        yield finding("fit.duplicate_class", words, line.index, severity=rule.severity)
    elif one.drug_class and one.drug_class == other.drug_class and not _wanted(one, other):
        words = f"{one.generic_name}与{other.generic_name}同为{one.drug_class}"
        yield finding("fit.same_class", words, line.index)


def _wanted(one: Drug, other: Drug) -> bool:
    """Pairs that belong together although they are relatives."""
    together = rulebook().together
    return any(ordered(a, b) in together for a in one.ingredients for b in other.ingredients)


def _same_class(mine: Sequence[str], theirs: Sequence[str]) -> str | None:
    """The gravest class in which both have a member that are not wanted together."""
    book = rulebook()
    found = {
        name
        for one in mine
        for other in theirs
        if one != other and ordered(one, other) not in book.together
        for name in classes(one) & classes(other)
        if name in book.duplicates
    }
    return min(sorted(found), key=lambda name: ORDER.index(book.duplicates[name].severity), default=None)


def interactions(mine: Sequence[str], theirs: Sequence[str]) -> list[Met]:
    """Rules that substances of two drugs meet, the gravest first."""
    pairs = rulebook().interactions
    found = [
        Met(one, other, rule)
        for one in mine
        for other in theirs
        if one != other and (rule := pairs.get(ordered(one, other))) is not None
    ]
    return sorted(found, key=lambda met: ORDER.index(met.rule.severity))


def _meeting(
    line: Line, other: Drug, mine: Sequence[str], theirs: Sequence[str], *, taking: bool = False
) -> Iterator[Finding]:
    for met in interactions(mine, theirs):
        left = _named(met.mine, line.drug)
        right = _named(met.theirs, other)
        now = "正在使用的" if taking else ""
        yield finding(
            "fit.interaction_taking" if taking else "fit.interaction",
            f"{left}与{now}{right}合用：{met.rule.words}", line.index, severity=met.rule.severity,
            source=met.rule.source,
        )  # fmt: skip


def _named(substance: str, drug: Drug) -> str:
    return drug.generic_name if len(drug.ingredients) == 1 else f"{drug.generic_name}（含{substance}）"


def _mixed(line: Line, earlier: Line) -> Iterator[Finding]:
    book = rulebook()
    pairs: dict[Pair, PairRule] = {}
    for one in line.drug.ingredients:
        for other in earlier.drug.ingredients:
            key = ordered(one, other)
            if key in book.incompatible:
                pairs[key] = book.incompatible[key]
    for rule in pairs.values():
        words = f"{line.drug.generic_name}与{earlier.drug.generic_name}配伍：{rule.words}"
        yield finding("fit.incompatible", words, line.index, severity=rule.severity, source=rule.source)


def _still(line: Line, known: Drug, taking: Taking) -> Iterator[Finding]:
    """Left of an earlier prescription. What another prescription of this visit holds is a duplicate."""
    shared = set(line.drug.ingredients) & set(known.ingredients)
    if shared:
        if _local(line) != bool(set(known.routes) <= LOCAL_ROUTES):
            return
        if taking.same_visit:
            words = f"本次就诊的另一张处方已有{known.generic_name}（{'、'.join(sorted(shared))}）"
            yield finding("fit.duplicate_visit", words, line.index)
            return
        words = f"患者正在使用{known.generic_name}，约余 {taking.days_left} 天"
        if taking.days_left > OVERLAP_DAYS:
            yield finding("fit.still_taking", f"{words}，请注明理由", line.index)
        elif taking.days_left > 0:
            yield finding("fit.still_taking_info", words, line.index)
        return
    mine = acting(line.drug, line.item.route)
    theirs = acting(known, known.routes[0] if known.routes else "1")
    if (name := _same_class(mine, theirs)) is not None:
        title = rulebook().titles[name]
        words = f"{line.drug.generic_name}与正在使用的{known.generic_name}同为{title}，请确认是换药还是合用"
        grave = rulebook().duplicates[name].severity
        severity = grave if taking.same_visit else Severity.INFO
        yield finding("fit.taking_same_class", words, line.index, severity=severity)
