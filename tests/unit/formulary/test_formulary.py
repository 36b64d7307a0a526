import csv
import io

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.commands import told
from backend.formulary.facts import (
    ANTIBACTERIAL_GRADES,
    CONTROL_CLASSES,
    builtin,
    builtin_csv,
    builtin_limits,
    changed,
    parse,
    parse_limits,
)
from backend.formulary.model import DrugRow
from backend.formulary.queries import by_codes, catalogue_version, search
from backend.formulary.service import Report, import_csv
from foundation.actor import SYSTEM
from foundation.db.outbox import OutboxEvent
from foundation.errors import Invalid

pytestmark = pytest.mark.anyio

ROWS = list(csv.DictReader(io.StringIO(builtin_csv())))


def a_list(*rows: dict[str, str]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, ROWS[0].keys(), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def complaints(text: str) -> list[tuple[str, str]]:
    return [(issue.field, issue.code) for issue in parse(text)[1]]


def test_the_list_that_ships_is_right() -> None:
    drugs, issues = parse(builtin_csv())

    assert issues == []
    assert len(drugs) == len(ROWS) > 100
    assert {drug.control_class for drug in drugs} == set(CONTROL_CLASSES)
    assert {drug.antibacterial_grade for drug in drugs} <= set(ANTIBACTERIAL_GRADES)
    assert not [drug.code for drug in drugs if drug.control_class != "none" and drug.online_allowed]


def test_the_column_says_what_stays_cold_whatever_the_name() -> None:
    drugs = builtin()
    named = {"YP028": True, "YP100": True, "YP111": True, "YP492": True, "YP001": False, "YP059": False}
    insulin = next(row for row in ROWS if row["code"] == "YP028")

    assert {code: drugs[code].cold_chain for code in named} == named
    assert all(drug.source for drug in drugs.values() if drug.cold_chain)
    assert parse(a_list(insulin | {"cold_chain": "0"}))[0][0].cold_chain is False


@pytest.mark.parametrize("value", ["", "2", "是"])
def test_a_row_that_does_not_say_whether_it_stays_cold_is_not_read(value: str) -> None:
    [issue] = parse(a_list(ROWS[0] | {"cold_chain": value}))[1]

    assert "cold_chain" in issue.message


def test_in_a_list_without_the_column_the_name_keeps_insulin_cold() -> None:
    text = io.StringIO()
    old = [name for name in ROWS[0] if name != "cold_chain"]
    writer = csv.DictWriter(text, old, lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    writer.writerows(ROWS)

    drugs, issues = parse(text.getvalue())

    assert issues == []
    cold = {drug.generic_name for drug in drugs if drug.cold_chain}
    assert "甘精胰岛素注射液" in cold
    assert "苯磺酸氨氯地平片" not in cold


async def test_an_import_that_makes_a_drug_cold_is_reported_and_told(session: AsyncSession) -> None:
    await import_csv(session, SYSTEM, builtin_csv())
    rows = [row | ({"cold_chain": "1"} if row["code"] == "YP001" else {}) for row in ROWS]

    report = await import_csv(session, SYSTEM, a_list(*rows))

    assert report.changed == ["YP001"]
    assert report.details == ("YP001 苯磺酸氨氯地平片: cold_chain False → True",)
    assert (await by_codes(session, ["YP001"]))["YP001"].cold_chain


def test_a_drug_of_two_allergy_groups_belongs_to_both() -> None:
    drugs, _ = parse(builtin_csv())

    two = [drug for drug in drugs if "|" in drug.allergy_group]
    assert two
    assert all(len(drug.allergy_groups) == 2 for drug in two)


@pytest.mark.parametrize(
    "changes",
    [
        {"control_class": "psychotropic"}, {"control_class": ""}, {"control_class": "Narcotic"},
        {"antibacterial_grade": "strong"}, {"online_allowed": "yes"}, {"skin_test": ""}, {"long_term_allowed": "2"},
        {"price_fen": "-1"}, {"price_fen": "18.60"}, {"pack_size": "0"}, {"age_min_years": "-3"}, {"single_max": "NaN"},
        {"daily_max": "-1"}, {"strength_mg": "5mg"}, {"single_max": "0"}, {"code": ""}, {"generic_name": " "},
    ],
    ids=str,
)  # fmt: skip
def test_a_row_that_could_harm_somebody_is_refused_by_its_line(changes: dict[str, str]) -> None:
    """A class nobody knows must not pass for "not controlled" (诊疗办法 Art 19)."""
    assert complaints(a_list(ROWS[0], {**ROWS[1], **changes}, ROWS[2])) == [("line 3", "unreadable")]


@pytest.mark.parametrize("cut", [1, 5, 30])
def test_a_row_with_too_few_columns_is_refused_by_its_line(cut: int) -> None:
    lines = a_list(ROWS[0], ROWS[1]).splitlines()
    lines[2] = ",".join(lines[2].split(",")[:cut])

    assert complaints("\n".join(lines)) == [("line 3", "unreadable")]


def test_a_row_with_too_many_columns_is_refused_by_its_line() -> None:
    lines = a_list(ROWS[0], ROWS[1]).splitlines()

    assert complaints("\n".join([*lines[:2], lines[2] + ",more"])) == [("line 3", "unreadable")]


def test_a_list_without_a_column_is_refused() -> None:
    text = a_list(ROWS[0]).replace("control_class,", "class,", 1)

    assert complaints(text) == [("line 2", "unreadable")]


def test_a_code_that_stands_twice_is_named() -> None:
    assert complaints(a_list(ROWS[0], ROWS[1], ROWS[0])) == [(ROWS[0]["code"], "twice")]


def test_a_cell_may_hold_commas_and_lines() -> None:
    drugs, issues = parse(a_list({**ROWS[0], "manufacturer": '某厂,\n"二厂"'}, ROWS[1]))

    assert issues == []
    assert drugs[0].manufacturer == '某厂,\n"二厂"'


def test_what_changed_between_two_lists_is_told_apart() -> None:
    old, _ = parse(a_list(*ROWS[:3]))
    new, _ = parse(a_list(ROWS[0], {**ROWS[1], "price_fen": "1"}, ROWS[4]))

    added, altered, withdrawn = changed(old, new)

    assert [[drug.code for drug in part] for part in (added, altered, withdrawn)] == [
        [ROWS[4]["code"]], [ROWS[1]["code"]], [ROWS[2]["code"]],
    ]  # fmt: skip


async def test_importing_the_same_list_again_changes_nothing(session: AsyncSession) -> None:
    before = await catalogue_version(session)

    report = await import_csv(session, SYSTEM, builtin_csv())
    await session.flush()

    assert (report.added, report.changed, report.withdrawn) == ([], [], [])
    assert await catalogue_version(session) == before
    assert (
        len((await session.scalars(select(OutboxEvent).where(OutboxEvent.stream == "catalogue:drug"))).all())
        == 1
    )


async def test_a_changed_list_is_a_new_version_and_the_supervisor_hears_what_changed(
    session: AsyncSession,
) -> None:
    before = await catalogue_version(session)

    report = await import_csv(session, SYSTEM, a_list(*ROWS[1:5], {**ROWS[5], "price_fen": "77"}, *ROWS[6:]))
    await session.flush()

    assert (report.added, report.changed, report.withdrawn) == ([], [ROWS[5]["code"]], [ROWS[0]["code"]])
    assert report.version != before
    query = (
        select(OutboxEvent)
        .where(OutboxEvent.stream == "catalogue:drug")
        .order_by(OutboxEvent.sequence.desc())
    )
    payload = (await session.scalars(query.limit(1))).one().payload
    assert [(drug["code"], drug["price"], drug["valid"]) for drug in payload["drugs"]] == [
        (ROWS[5]["code"], 77, True), (ROWS[0]["code"], int(ROWS[0]["price_fen"]), False),
    ]  # fmt: skip


async def test_a_withdrawn_drug_is_found_no_more_and_its_row_stays(session: AsyncSession) -> None:
    gone = ROWS[0]
    await import_csv(session, SYSTEM, a_list(*ROWS[1:]))
    await session.flush()

    assert await by_codes(session, [gone["code"]]) == {}
    assert gone["code"] not in {drug.code for drug in await search(session, gone["generic_name"])}
    assert (await session.scalars(select(DrugRow).where(DrugRow.code == gone["code"]))).one().valid is False

    back = await import_csv(session, SYSTEM, builtin_csv())
    assert back.added == [gone["code"]]
    assert set(await by_codes(session, [gone["code"]])) == {gone["code"]}


async def test_a_list_with_a_wrong_row_changes_nothing(session: AsyncSession) -> None:
    before = await catalogue_version(session)

    with pytest.raises(Invalid) as refused:
        await import_csv(session, SYSTEM, a_list(ROWS[0], {**ROWS[1], "control_class": "?"}))

    assert [issue.field for issue in refused.value.issues] == ["line 3"]
    assert await catalogue_version(session) == before
    assert len(await by_codes(session, [row["code"] for row in ROWS])) == len(ROWS)


async def test_drugs_are_found_by_name_and_by_initials(session: AsyncSession) -> None:
    for words in ("氨氯地平", "BHSALDP", " bhsaldp "):
        assert ROWS[0]["code"] in {drug.code for drug in await search(session, words)}
    assert len(await search(session, "%")) == 30
    assert await search(session, "没有这个药") == []


LIMITS = "code,age_from_months,age_below_months,egfr_below,single_max,daily_max,daily_per_kg,advice,source\n"


def test_the_list_is_a_district_hospitals() -> None:
    """At least 300 generics, each with what the rules ask for and a source."""
    drugs = list(builtin().values())

    assert len({drug.generic_name for drug in drugs}) >= 300
    assert len({one for drug in drugs for one in drug.ingredients}) >= 300
    assert all(drug.source and drug.routes and drug.ingredients and drug.dose_unit for drug in drugs)
    assert all(drug.pregnancy in ("allowed", "caution", "forbidden") for drug in drugs)
    assert all(drug.lactation in ("allowed", "caution", "forbidden") for drug in drugs)
    assert not [drug.code for drug in drugs if drug.antibacterial_grade == "special" and drug.online_allowed]
    assert not [drug.code for drug in drugs if drug.form_code in ("15", "16") and drug.online_allowed]
    assert not [drug.code for drug in drugs if drug.antibacterial_grade != "none" and drug.long_term_allowed and drug.routes == ["1"]]  # fmt: skip


def test_limits_are_narrower_than_the_drug_itself() -> None:
    drugs = builtin()
    wider = [
        (drug.code, field)
        for drug in drugs.values()
        for limit in drug.limits
        for field in ("single_max", "daily_max")
        if getattr(limit, field)
        and getattr(drug, field)
        and float(getattr(limit, field)) > float(getattr(drug, field))
    ]

    assert wider == []
    assert sum(1 for drug in drugs.values() if drug.limits) > 100
    assert set(parse_limits(builtin_limits())[0]) <= set(drugs)


async def test_limits_are_kept_when_a_list_comes_without_them(session: AsyncSession) -> None:
    before = (await by_codes(session, ["YP022"]))["YP022"].limits
    assert before

    report = await import_csv(session, SYSTEM, a_list(*[{**row, "price_fen": "1"} if row["code"] == "YP022" else row for row in ROWS]))  # fmt: skip
    await session.flush()

    assert report.changed == ["YP022"]
    assert (await by_codes(session, ["YP022"]))["YP022"].limits == before


async def test_a_changed_limit_is_a_changed_drug(session: AsyncSession) -> None:
    limits = builtin_limits().replace("YP022,120,216,,,2000,,,label", "YP022,120,216,,,1500,,,label", 1)
    assert limits != builtin_limits()

    report = await import_csv(session, SYSTEM, builtin_csv(), limits)

    assert report.changed == ["YP022"]
    assert "limits" in report.details[0]


async def test_a_limit_of_a_drug_that_is_not_listed_changes_nothing(session: AsyncSession) -> None:
    with pytest.raises(Invalid) as refused:
        await import_csv(session, SYSTEM, a_list(*ROWS[:3]), LIMITS + "YP999,,,30,1,1,,,label\n")

    assert [issue.field for issue in refused.value.issues] == ["YP999"]


async def test_a_dry_run_says_what_would_be_and_changes_nothing(session: AsyncSession) -> None:
    before = await catalogue_version(session)
    text = a_list(*ROWS[1:5], {**ROWS[5], "price_fen": "77"}, *ROWS[6:], {**ROWS[0], "code": "YP998"})

    report = await import_csv(session, SYSTEM, text, dry_run=True)

    assert (report.added, report.changed, report.withdrawn) == (
        ["YP998"],
        [ROWS[5]["code"]],
        [ROWS[0]["code"]],
    )
    assert await catalogue_version(session) == before
    assert ROWS[0]["code"] in await by_codes(session, [ROWS[0]["code"]])
    assert told(report, dry_run=True).splitlines() == [
        f"the catalogue would become {report.version}: 1 added, 1 changed, 1 withdrawn",
        "+ YP998",
        f"~ {ROWS[5]['code']} {ROWS[5]['generic_name']}: price {ROWS[5]['price_fen']} → 77",
        f"- {ROWS[0]['code']}",
    ]


async def test_every_version_is_a_new_one(session: AsyncSession) -> None:
    """A list of which every row was replaced, or one that only lost a row, has a number of its own."""
    seen = [await catalogue_version(session)]
    for price in ("11", "12"):
        await import_csv(session, SYSTEM, a_list(*[{**row, "price_fen": price} for row in ROWS]))
        await session.flush()
        seen.append(await catalogue_version(session))
    await import_csv(session, SYSTEM, a_list(*[{**row, "price_fen": "12"} for row in ROWS[1:]]))
    await session.flush()
    seen.append(await catalogue_version(session))

    assert len(set(seen)) == 4


def test_nothing_changed_is_said() -> None:
    assert told(Report("d2", [], [], []), dry_run=False) == "unchanged\n"
