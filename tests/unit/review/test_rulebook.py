"""The rules' data are whole: every name is known, every rule is used, every row has its source."""

import re

import pytest

from backend.formulary.facts import builtin, parse_limits
from backend.review.draft import TIMES_PER_DAY
from backend.review.rulebook import rulebook, table
from tools.house_rules import ROOT

SUBSTANCES = {one for drug in builtin().values() for one in drug.ingredients}
CODE = "\n".join(
    path.read_text(encoding="utf-8")
    for path in (ROOT / "backend").glob("*/*.py")
    if path.parent.name in ("review", "cds_hooks")
)


def test_every_rule_that_is_listed_is_raised_and_every_raised_one_is_listed() -> None:
    raised = set(re.findall(r'"((?:legal|form|fit|outside)\.[a-z_]+)"', CODE))

    assert raised == set(rulebook().rules)


@pytest.mark.parametrize(
    ("name", "columns"),
    [
        ("interactions.csv", ("left", "right")), ("ansm_rules.csv", ("left", "right")), ("incompatibilities.csv", ("left", "right")),
        ("contraindications.csv", ("subject",)), ("cross_allergy.csv", ("subject",)), ("allowed_together.csv", ("left", "right")),
        ("side_chains.csv", ("substance",)), ("ansm_names.csv", ("substance",)),
    ],
)  # fmt: skip
def test_every_name_in_the_data_is_of_the_list_or_a_class(name: str, columns: tuple[str, ...]) -> None:
    """A rule about a name that nobody has never speaks."""
    classes = {f"@{one}" for one in rulebook().classes} | {row["class"] for row in table("ansm_classes.csv")}

    unknown = {row[column] for row in table(name) for column in columns} - SUBSTANCES - classes

    assert unknown == set()


def test_members_of_classes_are_of_the_list() -> None:
    assert {one for members in rulebook().classes.values() for one in members} <= SUBSTANCES
    theirs = {one for row in table("ansm_classes.csv") for one in row["members"].split("|")}
    assert theirs <= SUBSTANCES


@pytest.mark.parametrize(
    "name",
    [
        "interactions.csv", "ansm_rules.csv", "contraindications.csv", "cross_allergy.csv", "frequencies.csv", "duplicates.csv",
        "allowed_together.csv", "incompatibilities.csv", "retail_ban.csv",
    ],
)  # fmt: skip
def test_every_row_has_an_id_of_its_own_and_a_source(name: str) -> None:
    rows = table(name)

    assert len({row["id"] for row in rows}) == len(rows) > 0
    assert all(row.get("source", "ANSM") for row in rows)


def test_rules_have_category_gravity_version_and_source() -> None:
    for rule in rulebook().rules.values():
        assert rule.title
        assert rule.source
        assert re.fullmatch(r"\d{4}\.\d", rule.version)


def test_there_are_several_thousand_pairs() -> None:
    assert len(rulebook().interactions) > 5000


def test_frequencies_are_ours() -> None:
    assert {one for row in table("frequencies.csv") for one in row["allowed"].split("|")} <= set(
        TIMES_PER_DAY
    )


@pytest.mark.parametrize("row", table("contraindications.csv"), ids=lambda row: row["id"])
def test_a_contraindication_says_when(row: dict[str, str]) -> None:
    if row["kind"] == "diagnosis":
        assert all(
            re.fullmatch(r"[A-Z]\d\d(\.\d)?(-[A-Z]\d\d(\.\d)?)?", one) for one in row["value"].split("|")
        )
    elif row["kind"] in ("age_over", "age_below"):
        assert 0 < int(row["value"]) < 120
    elif row["kind"] == "liver":
        assert row["value"] in "ABC"
    else:
        assert row["kind"] in ("male", "female", "pregnancy")
        assert row["value"] == ""


@pytest.mark.parametrize(
    "row",
    [
        "YP001,,,,10,,,,label", "YP001,,,45,,,,,label", "YP001,,,45,-1,,,,label", "YP001,,,-5,10,,,,label",
        "YP001,,,45,,,,stop,label", "YP001,,,45,10", "YP001,x,,,10,,,,label",
    ],
)  # fmt: skip
def test_a_limit_that_says_nothing_or_nobody_knows_when_is_refused(row: str) -> None:
    header = (
        "code,age_from_months,age_below_months,egfr_below,single_max,daily_max,daily_per_kg,advice,source"
    )

    found, issues = parse_limits(f"{header}\n{row}\nYP002,,,30,30,30,,,label\n")

    assert [issue.field for issue in issues] == ["limits line 2"]
    assert list(found) == ["YP002"]
