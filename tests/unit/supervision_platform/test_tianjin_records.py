from typing import Any

import pytest

from tests.unit.supervision_platform import tianjin_records as records
from tests.unit.supervision_platform.sender import Platform


@pytest.mark.parametrize("method", list(records.ALL))
def test_a_full_record_of_every_method_is_accepted(platform: Platform, method: str) -> None:
    assert platform.result(method, [records.ALL[method]()]) == (200, "操作成功")
    assert [row["method"] for row in platform.stored(method=method)] == [method]


@pytest.mark.parametrize("method", list(records.ALL))
def test_an_empty_record_names_every_mandatory_field(platform: Platform, method: str) -> None:
    code, message = platform.result(method, [{}])

    assert code == -99
    assert message.split("|")[:3] == ["organID", "unitID", "organName"]
    assert set(message.split("|")) <= set(records.ALL[method]())


def test_missing_empty_and_blank_fields_are_named_together(platform: Platform) -> None:
    wrong = records.revisit(mobile=None, subjectCode="", patientName="  ")
    del wrong["deptName"]

    assert platform.result("uploadReferralIndicators", [wrong]) == (
        -99,
        "subjectCode|deptName|patientName|mobile",
    )


def test_a_missing_field_in_a_list_is_named_with_its_place(platform: Platform) -> None:
    short = {name: value for name, value in records.ORDER.items() if name != "frequency"}
    wrong = records.prescription(orderList=[records.ORDER, short])

    assert platform.result("uploadRecipeIndicators", [wrong]) == (-99, "orderList[1].frequency")


def test_a_prescription_needs_a_drug(platform: Platform) -> None:
    assert platform.result("uploadRecipeIndicators", [records.prescription(orderList=[])]) == (
        -99,
        "orderList",
    )


@pytest.mark.parametrize(
    "method", ["uploadAppointRecord", "uploadReferralIndicators", "uploadRecipeIndicators"]
)
def test_a_child_under_six_needs_a_guardian(platform: Platform, method: str) -> None:
    child = {"age": 4, "patientCertID": records.CHILD}
    guardian = {"guardianCertID": records.PATIENT, "guardianName": "陈大山"}

    assert platform.result(method, [records.ALL[method](**child)]) == (-99, "guardianCertID|guardianName")
    assert platform.result(method, [records.ALL[method](**child, **guardian)])[0] == 200


def test_a_child_under_fourteen_may_be_prescribed_for_without_a_card(platform: Platform) -> None:
    child = records.prescription(age=10, patientCertID="")

    assert platform.result("uploadRecipeIndicators", [child])[0] == 200
    assert platform.result("uploadRecipeIndicators", [child | {"age": 14}]) == (-99, "patientCertID")


@pytest.mark.parametrize(
    ("method", "changes", "missing"),
    [
        ("uploadReferralIndicators", {"answerFlag": "0"}, "refuseTime|refuseReason|refuseType"),
        ("uploadConsultIndicators", {"answerFlag": "0"}, "refuseTime|refuseReason|refuseType"),
        ("uploadRecipeIndicators", {"rationalFlag": "1"}, "rationalDrug"),
        ("uploadRecipeIndicators", {"recipeType": "3"}, "packetsNum"),
    ],
)
def test_some_fields_are_mandatory_in_some_cases(
    platform: Platform, method: str, changes: dict[str, Any], missing: str
) -> None:
    assert platform.result(method, [records.ALL[method](**changes)]) == (-99, missing)


@pytest.mark.parametrize(
    ("method", "changes", "message"),
    [
        ("uploadDrugCatalogue", {"drugClass": "99"}, "drugClass不是药品分类代码"),
        ("uploadDrugCatalogue", {"drugPrice": "1234567.00"}, "drugPrice超出范围"),
        ("uploadDrugCatalogue", {"drugPrice": "1.005"}, "drugPrice小数超过2位"),
        ("uploadDrugCatalogue", {"drugPrice": "-1"}, "drugPrice应为不小于零的数值"),
        ("uploadDrugCatalogue", {"drugPrice": "NaN"}, "drugPrice应为不小于零的数值"),
        ("uploadDrugCatalogue", {"drugPrice": True}, "drugPrice应为数值"),
        ("uploadDrugCatalogue", {"useFlag": "0"}, "useFlag不在代码表中：0"),
        ("uploadDrugCatalogue", {"hospDrcode": "x" * 31}, "hospDrcode超过30个字符"),
        ("uploadDrugCatalogue", {"hospDrugName": ["x"]}, "hospDrugName应为文本"),
        ("uploadDrugCatalogue", {"updateTime": "2026-11-22T21:30:00"}, "updateTime应为yyyy-MM-dd HH:mm:ss"),
        ("uploadDrugCatalogue", {"updateTime": "2026-02-30 21:30:00"}, "updateTime应为yyyy-MM-dd HH:mm:ss"),
        ("uploadAppointRecord", {"workDate": "2026-11-22"}, "workDate应为yyyy-MM-dd HH:mm-HH:mm"),
        ("uploadAppointRecord", {"sex": "9"}, "sex不在代码表中：9"),
        ("uploadAppointRecord", {"age": "4.5"}, "age应为整数"),
        ("uploadAppointRecord", {"age": 151}, "age超出范围"),
        ("uploadAppointRecord", {"subjectCode": "29"}, "subjectCode不是诊疗科目代码"),
        ("uploadAppointRecord", {"subjectCode": "03.1"}, "subjectCode不是诊疗科目代码"),
        ("uploadAppointRecord", {"patientCertID": "310114198001010029"}, "patientCertID居民身份证号码校验不通过"),
        ("uploadReferralIndicators", {"mainDiagnoseCode": "高血压"}, "mainDiagnoseCode不是ICD-10诊断代码"),
        ("uploadElectMedicalRecord", {"furtherConsultDiagnosis": "高血压"}, "furtherConsultDiagnosis个数与diagnosisCode不一致"),
        ("uploadElectMedicalRecord", {"patientIdcardNum": "1" * 18}, "patientIdcardNum居民身份证号码校验不通过"),
        ("uploadRecipeIndicators", {"icdCode": "I10|", "icdName": "高血压|"}, "icdCode应为ICD-10诊断代码，多个以|分隔"),
        ("uploadRecipeIndicators", {"orderList": "无"}, "orderList应为对象数组"),
        ("uploadRecipeIndicators", {"orderList": [records.ORDER | {"admission": "口服"}]}, "orderList[0].admission不在代码表中：口服"),
        ("uploadRecipeVerificationIndicators", {"deliveryType": "3"}, "deliveryType不在代码表中：3"),
        ("uploadBusinessInfoAfter", {"satisfaction": 6}, "satisfaction不在代码表中：6"),
        ("uploadBusinessInfoAfter", {"scoring": 11}, "scoring超出范围"),
        ("pushMedicalDispute", {"unitID": "other"}, "unitID与接入机构不一致"),
        ("pushMedicalDispute", {"organID": "other"}, "organID与接入机构不一致"),
        ("pushMedicalDispute", {"eventReason": "\ud83d"}, "含有无法识别的字符"),
    ],
)  # fmt: skip
def test_a_wrong_value_is_named_with_a_reason(
    platform: Platform, method: str, changes: dict[str, Any], message: str
) -> None:
    assert platform.result(method, [records.ALL[method](**changes)]) == (-1, message)


@pytest.mark.parametrize("item", [None, 1, "text", [], [{}]])
def test_an_item_that_is_no_object_is_refused(platform: Platform, item: Any) -> None:
    assert platform.result("uploadDrugCatalogue", [item]) == (-1, "每条数据应为JSON对象")


def test_other_certificates_are_not_held_to_the_identity_cards_rule(platform: Platform) -> None:
    passport = records.booking(patientCertType="2", patientCertID="E12345678")

    assert platform.result("uploadAppointRecord", [passport])[0] == 200


def test_unknown_fields_are_ignored(platform: Platform) -> None:
    assert platform.result("uploadDrugCatalogue", [records.drug(extra={"deep": [1]})])[0] == 200


def test_an_empty_list_has_no_data(platform: Platform) -> None:
    assert platform.result("uploadDrugCatalogue", []) == (-98, "数据为空")


def test_an_empty_list_of_disputes_is_the_daily_sign_in(platform: Platform) -> None:
    assert platform.result("pushMedicalDispute", []) == (200, "操作成功")
    assert len(platform.summary()["sign_ins"]) == 1


def test_the_first_bad_record_ends_the_list_and_those_before_it_stay(platform: Platform) -> None:
    records_sent = [
        records.drug(hospDrcode="A"),
        records.drug(hospDrcode="B", hospDrugName=""),
        records.drug(hospDrcode="C"),
    ]

    assert platform.result("uploadDrugCatalogue", records_sent) == (-99, "hospDrugName")
    assert [row["business_no"] for row in platform.stored()] == ["A"]
    counts = platform.summary()["profiles"]["tianjin-1.0"]["uploadDrugCatalogue"]
    assert counts == {"accepted": 1, "duplicates": 0, "rejected": 1}


def test_what_is_sent_twice_is_stored_twice_and_counted(platform: Platform) -> None:
    for _ in range(2):
        assert platform.result("uploadReferralIndicators", [records.revisit()])[0] == 200

    assert [row["duplicate"] for row in platform.stored()] == [False, True]
    counts = platform.summary()["profiles"]["tianjin-1.0"]["uploadReferralIndicators"]
    assert counts == {"accepted": 2, "duplicates": 1, "rejected": 0}


def test_a_changed_drug_is_no_duplicate(platform: Platform) -> None:
    platform.result("uploadDrugCatalogue", [records.drug(), records.drug(useFlag="2"), records.drug()])

    assert [row["duplicate"] for row in platform.stored()] == [False, False, True]
