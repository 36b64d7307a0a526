import re

from standalone.people.catalogue import FORMULARY, read_rows
from tests.unit.people.conftest import ReadFile


def test_the_drug_list_is_complete_and_consistent(read: ReadFile) -> None:
    rows = read_rows(FORMULARY)

    assert len(rows) >= 80
    assert len({row["code"] for row in rows}) == len({row["generic_name"] for row in rows}) == len(rows)
    assert [one["code"] for one in read("drugs.json")] == [row["code"] for row in rows]
    for row in rows:
        assert row["source"]
        assert row["ingredients"]
        assert "示范" in row["manufacturer"]
        assert int(row["price_fen"]) > 0
        assert int(row["pack_size"]) > 0
        assert row["insurance_class"] in {"甲", "乙", "丙"}
        assert row["pregnancy"] in {"allowed", "caution", "forbidden"}
        assert row["lactation"] in {"allowed", "caution", "forbidden"}
        assert row["antibacterial_grade"] in {"none", "unrestricted", "restricted", "special"}
        assert row["control_class"] in {
            "none", "narcotic", "psychotropic_1", "psychotropic_2", "toxic", "radioactive", "precursor",
        }  # fmt: skip
        assert all(
            re.fullmatch(r"[A-Z]\d\d(\.\d)?(-[A-Z]\d\d)?", part)
            for part in row["indication_icd10"].split("|")
        )
        if row["single_max"]:
            assert 0 < float(row["single_max"]) <= float(row["daily_max"])


def test_controlled_drugs_are_listed_and_never_online() -> None:
    rows = read_rows(FORMULARY)

    controlled = {row["control_class"] for row in rows} - {"none"}
    assert controlled == {"narcotic", "psychotropic_1", "psychotropic_2", "toxic", "radioactive", "precursor"}
    for row in rows:
        if row["control_class"] != "none":
            assert (row["online_allowed"], row["long_term_allowed"]) == ("0", "0")
        if row["antibacterial_grade"] != "none":
            assert row["long_term_allowed"] == "0"


def test_penicillins_are_marked_for_allergy_and_skin_test() -> None:
    penicillins = [row for row in read_rows(FORMULARY) if "penicillin" in row["allergy_group"].split("|")]

    assert len(penicillins) >= 3
    assert all(row["skin_test"] == "1" for row in penicillins)


def test_usual_doses_stay_below_the_maximum() -> None:
    from standalone.people.catalogue import TIMES_A_DAY, load

    rows = {row["generic_name"]: row for row in read_rows(FORMULARY)}
    for name, regimen in load().regimens.items():
        row = rows[name]
        if row["single_max"]:
            assert regimen.dose <= float(row["single_max"]), name
            assert regimen.dose * max(1.0, TIMES_A_DAY[regimen.frequency]) <= float(row["daily_max"]), name
