import pytest

from simulators.server import Reader
from simulators.supervision.settings import read
from tests.unit.supervision_platform import tianjin_records as records
from tests.unit.supervision_platform.conftest import running
from tests.unit.supervision_platform.sender import Platform
from tests.unit.supervision_platform.shanghai_records import Hospital

ORDER = [
    "uploadDrugCatalogue", "uploadReferralIndicators", "uploadElectMedicalRecord", "uploadRecipeIndicators",
    "uploadRecipeVerificationIndicators", "uploadBusinessInfoAfter",
]  # fmt: skip


def test_records_in_the_order_of_their_dependencies_are_accepted(strict: Platform) -> None:
    for method in ORDER:
        assert strict.result(method, [records.ALL[method]()]) == (200, "操作成功")


@pytest.mark.parametrize(
    ("method", "message"),
    [
        ("uploadElectMedicalRecord", "furtherConsultNo对应的复诊尚未上报：V-1"),
        ("uploadRecipeIndicators", "bussID对应的复诊尚未上报：V-1"),
        ("uploadRecipeVerificationIndicators", "recipeUniqueID对应的处方尚未上报：R-1"),
        ("uploadBusinessInfoAfter", "bussID对应的复诊尚未上报：V-1"),
    ],
)
def test_a_record_whose_business_is_unknown_is_refused(strict: Platform, method: str, message: str) -> None:
    assert strict.result(method, [records.ALL[method]()]) == (-1, message)


def test_a_refused_business_does_not_count_as_reported(strict: Platform) -> None:
    strict.result("uploadReferralIndicators", [records.revisit(sex="x")])

    assert strict.result("uploadBusinessInfoAfter", [records.evaluation()])[0] == -1


def test_a_prescribed_drug_must_stand_in_the_catalogue(strict: Platform) -> None:
    strict.result("uploadReferralIndicators", [records.revisit()])

    assert strict.result("uploadRecipeIndicators", [records.prescription()]) == (
        -1,
        "orderList[0].drcode对应的药品目录尚未上报：D-1",
    )


def test_a_withdrawn_drug_cannot_be_prescribed(strict: Platform) -> None:
    strict.result("uploadReferralIndicators", [records.revisit()])
    strict.result("uploadDrugCatalogue", [records.drug(), records.drug(useFlag="2")])

    assert strict.result("uploadRecipeIndicators", [records.prescription()]) == (
        -1,
        "orderList[0].drcode在药品目录中已取消：D-1",
    )


@pytest.mark.parametrize(
    ("business_type", "method", "number"),
    [
        ("1", "uploadConsultIndicators", "C-1"),
        ("16", "uploadAppointRecord", "V-1"),
        ("5", "uploadRecipeIndicators", "V-1"),
    ],
)
def test_an_evaluation_looks_for_the_business_of_its_type(
    strict: Platform, business_type: str, method: str, number: str
) -> None:
    evaluation = records.evaluation(businessType=business_type, bussID=number)
    strict.result("uploadDrugCatalogue", [records.drug()])
    if business_type == "5":
        strict.result("uploadReferralIndicators", [records.revisit()])

    assert strict.result("uploadBusinessInfoAfter", [evaluation])[0] == -1
    assert strict.result(method, [records.ALL[method]()])[0] == 200
    assert strict.result("uploadBusinessInfoAfter", [evaluation])[0] == 200


def test_a_visit_reported_in_real_time_counts_for_the_nightly_records(
    strict: Platform, shanghai: Platform
) -> None:
    assert shanghai.result("uploadFollowUp", [Hospital().started()])[0] == 200

    assert strict.result("uploadElectMedicalRecord", [records.medical_record()])[0] == 200


def test_only_evaluations_are_held_back_when_asked_to_be_as_documented(environment: dict[str, str]) -> None:
    settings = read(Reader(environment | {"SUPERVISION_DEPENDENCIES": "evaluation"}))

    for platform in running(settings):
        assert platform.result("uploadRecipeIndicators", [records.prescription()])[0] == 200
        assert platform.result("uploadBusinessInfoAfter", [records.evaluation()])[0] == -1
