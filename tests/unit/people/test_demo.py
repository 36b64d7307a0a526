from datetime import date
from typing import Any

import pytest

from standalone.people.demo import add_months
from tests.unit.people.conftest import TODAY, ReadFile


def _resident(read: ReadFile, part: dict[str, Any]) -> dict[str, Any]:
    return next(one for one in read("residents.json") if one["id"] == part["id"])


def test_the_main_patient_was_diagnosed_ten_days_ago_and_treated_before(read: ReadFile) -> None:
    patient = _resident(read, read("demo.json")["patient"])

    last = patient["visits"][-1]
    assert (TODAY - date.fromisoformat(last["date"])).days == 10
    assert last["department"] == "0310"
    assert [entry["code"] for entry in last["diagnoses"]] == ["I10.x00", "E11.900"]
    earlier = [
        item["name"]
        for visit in patient["visits"][:-1]
        for p in visit["prescriptions"]
        for item in p["items"]
    ]
    assert "苯磺酸氨氯地平片" in earlier
    assert all(visit["reports"] for visit in patient["visits"])
    assert (TODAY - date.fromisoformat(patient["birth_date"])).days // 365.25 == 68


@pytest.mark.parametrize(
    ("key", "inside"),
    [("patient", True), ("patient_last_day", True), ("patient_inpatient", True), ("patient_day_too_late", False), ("patient_expired", False)],
)  # fmt: skip
def test_the_window_of_one_month_has_both_sides(read: ReadFile, key: str, inside: bool) -> None:
    visited = date.fromisoformat(read("demo.json")[key]["visit_date"])

    assert (add_months(visited, 1) >= TODAY) is inside


def test_the_difficult_patients_are_there(read: ReadFile) -> None:
    demo = read("demo.json")

    assert _resident(read, demo["patient_without_history"]).get("visits", []) == []
    assert _resident(read, demo["allergic_patient"])["allergies"][0]["group"] == "penicillin"
    assert _resident(read, demo["patient_red_flag"])["visits"][0]["diagnoses"][0]["code"] == "E11.100"
    suspected = _resident(read, demo["patient_suspected"])["visits"][0]
    assert {entry["certainty"] for entry in suspected["diagnoses"]} == {"suspected"}
    assert _resident(read, demo["patient_cancelled"])["visits"][0]["status"] == "cancelled"
    assert _resident(read, demo["patient_text_only"])["visits"][0]["diagnoses"][0]["code"] == ""
    merged = _resident(read, demo["patient_merged"])
    assert merged["visits"][0]["held_under"] == merged["former_ids"][0]
    for key in ("patient_three_character", "patient_doctor_decides"):
        part = demo[key]
        assert part["asks_for"][:3] == part["diagnosis_code"][:3]
        assert part["asks_for"][:5] != part["diagnosis_code"][:5]


def test_the_child_under_six_has_a_guardian(read: ReadFile) -> None:
    child = read("demo.json")["child_under_six"]

    assert (TODAY - date.fromisoformat(child["birth_date"])).days < 6 * 365
    assert child["guardian"]["openid"]
    assert child["guardian"]["phone"] == child["phone"]
    assert _resident(read, child)["contact"]["name"] == child["guardian"]["name"]


def test_ordinary_patients_are_spread_over_the_departments(read: ReadFile) -> None:
    patients = read("demo.json")["patients"]

    assert len(patients) >= 10
    assert {one["department"] for one in patients} == {"0310", "0403", "0500", "0700", "1300"}
    for one in patients:
        assert add_months(date.fromisoformat(one["visit_date"]), 1) >= TODAY
        assert one["openid"]


def test_patients_for_load_may_all_be_seen_again(read: ReadFile) -> None:
    people = read("load_patients.json")
    residents = {one["id"]: one for one in read("residents.json")}

    assert len(people) >= 200
    assert len({one["openid"] for one in people}) == len(people)
    for one in people:
        visits = residents[one["id"]]["visits"]
        assert add_months(date.fromisoformat(one["visit_date"]), 1) >= TODAY
        assert any(one["diagnosis_code"] == visit["diagnoses"][0]["code"] for visit in visits)


def test_demo_phones_are_memorable_and_known_to_wechat(read: ReadFile) -> None:
    phones = read("phones.json")
    demo = read("demo.json")

    assert demo["patient"]["phone"] == "19900000001"
    assert len({one["openid"] for one in phones}) == len(phones)
    assert len({one["phone"] for one in phones}) == len(phones)
    by_openid = {one["openid"]: one for one in phones}
    for part in (demo["patient"], demo["proxy"], demo["doctor"], demo["pharmacist"], *demo["patients"]):
        assert by_openid[part["openid"]]["phone"] == part["phone"]
    residents = {one["phone"] for one in read("residents.json") if int(one["id"][1:]) > 100}
    assert not residents & {one["phone"] for one in phones if one["role"] != "crowd"}


def test_31_doctors_are_filed_in_five_departments(read: ReadFile) -> None:
    staff = read("staff.json")
    doctors = [one for one in staff if one["role"] == "doctor"]

    assert len(doctors) == 31
    assert [one["subject_code"] for one in read("departments.json")] == ["05", "13", "03.10", "07", "04.03"]
    for department in read("departments.json"):
        titles = [one["title_code"] for one in doctors if department["code"] in one["departments"]]
        assert "231" in titles
        assert "232" in titles
    for one in doctors:
        assert one["years_of_experience"] >= 3
        assert date.fromisoformat(one["filed_until"]) > TODAY
        assert one["licence_number"]
        assert one["totp_secret"]
        assert one["pin"]
    assert sum(one["role"] == "pharmacist" for one in staff) == 4
    assert {one["role"] for one in staff} == {
        "doctor", "pharmacist", "clerk", "schedule_manager", "duty_desk", "quality", "admin",
    }  # fmt: skip
    demo = read("demo.json")
    assert demo["doctor"]["department"] == demo["second_doctor"]["department"] == "0310"
    holders = {one["holder"] for one in read("ca_holders.json")}
    assert {one["ca_holder"] for one in staff if one["ca_holder"]} | {"hospital"} == holders


def test_every_free_text_of_a_demo_patient_carries_a_token_of_its_own(read: ReadFile) -> None:
    canaries = read("canaries.json")
    tokens = {entry["token"] for entry in canaries}
    demo_ids = {entry["resident"] for entry in canaries}

    assert len(tokens) == len(canaries)
    assert read("demo.json")["patient"]["id"] in demo_ids
    found = 0
    for one in read("residents.json"):
        texts = [entry.get("note", "") for entry in one.get("allergies", [])]
        for visit in one.get("visits", []):
            texts += visit["record"].values()
            texts += [entry.get("note", "") for entry in visit.get("prescriptions", [])]
            texts += [entry["conclusion"] for entry in visit.get("reports", [])]
        if one["id"] in demo_ids:
            found += len(texts)
            assert all(text.split()[-1] in tokens for text in texts)
        else:
            assert not any("CANARY" in text for text in texts)
    studies = read("imaging.json")
    marked = [text for one in studies for part in one["series"] if "CANARY" in (text := part["description"])]
    assert all(text.split()[-1] in tokens for text in marked)
    assert {one["patient"] for one in studies} >= {read("demo.json")["patient"]["id"]}
    assert found + len(marked) == len(tokens)


def test_everybody_is_known_to_the_real_name_service(read: ReadFile) -> None:
    known = {(one["name"], one["id_number"]) for one in read("identity.json")}

    for one in (*read("residents.json"), *read("staff.json")):
        assert (one["name"], one["id_number"]) in known


def test_everybody_but_one_is_insured_and_the_main_patient_has_every_purse(read: ReadFile) -> None:
    demo, found = read("demo.json"), {one["openid"]: one for one in read("insured.json")}
    crowd = {one["openid"] for one in read("load_patients.json")}

    first = found[demo["patient"]["openid"]]
    assert (first["kind"], first["account_fen"], first["id_number"]) == (
        "employee", 500, demo["patient"]["id_number"],
    )  # fmt: skip
    assert demo["patient_without_history"]["openid"] not in found
    assert crowd <= set(found)
    assert {one["kind"] for one in found.values()} == {"employee", "resident"}
    assert all(one.get("account_fen", 0) == 0 for one in found.values() if one["kind"] == "resident")
