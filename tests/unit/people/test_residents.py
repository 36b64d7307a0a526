from collections import Counter
from datetime import date

from standalone.people.catalogue import load
from standalone.people.id_numbers import check_character
from tests.unit.people.conftest import TODAY, ReadFile


def test_everybody_has_a_valid_number_that_fits(read: ReadFile) -> None:
    residents = read("residents.json")

    for one in residents:
        number = one["id_number"]
        assert check_character(number[:17]) == number[17]
        assert number[6:14] == one["birth_date"].replace("-", "")
        assert int(number[16]) % 2 == int(one["sex"]) % 2
    assert len({one["id_number"] for one in residents}) == len(residents) == 1_000


def test_phones_and_addresses_show_that_they_are_made_up(read: ReadFile) -> None:
    for one in read("residents.json"):
        assert one["phone"].startswith("199000")
        assert "嘉定区" in one["address"]
        assert "演示" in one["address"]


def test_the_age_pyramid_is_that_of_a_suburb(read: ReadFile) -> None:
    ages = [(TODAY - date.fromisoformat(one["birth_date"])).days / 365.25 for one in read("residents.json")]

    assert 0.06 < sum(age < 14 for age in ages) / len(ages) < 0.18
    assert 0.16 < sum(age >= 60 for age in ages) / len(ages) < 0.32


def test_visits_are_possible(read: ReadFile) -> None:
    rows = load().diagnoses
    known = {(row.code, row.department) for row in rows}
    doctors = {one["id"]: one["departments"] for one in read("staff.json") if one["role"] == "doctor"}
    seen: Counter[str] = Counter()

    for one in read("residents.json"):
        for visit in one.get("visits", []):
            seen[visit["department"]] += 1
            assert one["birth_date"] <= visit["date"] <= "2026-11-22"
            assert visit.get("discharged_on", visit["date"]) <= "2026-11-22"
            assert visit["department"] in doctors[visit["doctor"]]
            assert [entry["rank"] for entry in visit["diagnoses"]] == list(
                range(1, len(visit["diagnoses"]) + 1)
            )
            for entry in visit["diagnoses"]:
                assert not entry["code"] or (entry["code"], visit["department"]) in known
            if visit["department"] == "0500":
                assert one["sex"] == "2"
            for prescription in visit.get("prescriptions", []):
                assert 1 <= len(prescription["items"]) <= 5
    assert set(seen) == {"0310", "0403", "0500", "0700", "1300"}


def test_visit_prescription_and_report_numbers_are_unique(read: ReadFile) -> None:
    numbers = [
        number
        for one in read("residents.json")
        for visit in one.get("visits", [])
        for number in (
            visit["id"],
            *(entry["id"] for entry in visit.get("prescriptions", [])),
            *(entry["id"] for entry in visit.get("reports", [])),
        )
    ]

    assert len(set(numbers)) == len(numbers)


def test_laboratory_flags_agree_with_their_ranges(read: ReadFile) -> None:
    flags: Counter[str] = Counter()

    for one in read("residents.json"):
        for visit in one.get("visits", []):
            for report in visit.get("reports", []):
                for item in report.get("items", []):
                    if item.get("low"):
                        value = round(float(item["value"]), 2)
                        flag = item.get("flag", "")
                        flags[flag] += 1
                        assert value >= float(item["low"]) - 0.06 or flag == "L", item
                        assert value <= float(item["high"]) + 0.06 or flag == "H", item

    assert flags["H"] > 10
    assert flags[""] > flags["H"]


def test_packs_cover_the_whole_course() -> None:
    regimens = load().regimens

    assert regimens["苯磺酸氨氯地平片"].packs == 1  # 28 tablets, one a day for 28 days
    assert regimens["盐酸二甲双胍片"].packs == 3  # 20 tablets, two a day for 30 days
    assert regimens["硝苯地平控释片"].packs == 4
    assert regimens["阿仑膦酸钠片"].packs == 1  # one a week
    assert regimens["布洛芬混悬液"].packs == 1  # a bottle


def test_the_catalogue_covers_about_a_hundred_common_illnesses() -> None:
    rows = load().diagnoses

    assert len({row.code for row in rows}) >= 120
    assert Counter(row.department for row in rows).keys() == {"0310", "0403", "0500", "0700", "1300"}
    for row in rows:
        assert len(row.code) == 7
        assert row.code[3] == "."
