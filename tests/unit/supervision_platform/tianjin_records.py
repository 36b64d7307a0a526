"""Records of the Tianjin interface that must pass, written by hand from docs/profiles/tianjin-1.0.md."""

from typing import Any

from tests.unit.supervision_platform.sender import ORGAN, UNIT

PATIENT = "310114198001010028"
DOCTOR = "310114197503150026"
CHILD = "310114202203010017"

HEAD = {
    "organID": ORGAN,
    "unitID": UNIT,
    "organName": "示范医院互联网医院",
    "updateTime": "2026-11-22 21:30:00",
}
STAFF = {
    "subjectCode": "03.10",
    "subjectName": "老年病专业",
    "deptID": "D03",
    "deptName": "老年科",
    "doctorId": "DOC-1",
    "doctorCertID": DOCTOR,
    "doctorName": "林医生",
}
PERSON = {
    "patientCertID": PATIENT,
    "patientName": "王小丽",
    "age": 46,
    "sex": "2",
    "mobile": "19900000001",
}
ORDER = {
    "drcode": "D-1",
    "drname": "氨氯地平片",
    "drmodel": "5mg*28片",
    "admission": "1",
    "frequency": "每日一次",
    "dosage": "5",
    "drunit": "mg",
    "dosageTotal": 1,
    "doseUnit": "盒",
    "useDays": 28,
    "otcFlag": "0",
}


def drug(**changes: Any) -> dict[str, Any]:
    return HEAD | {
        "drugClass": "060303", "hospDrcode": "D-1", "hospDrugName": "氨氯地平片", "hospDrugPacking": "5mg*28片",
        "hospDrugManuf": "示范制药", "drugPrice": "25.80", "useFlag": "1",
    } | changes  # fmt: skip


def booking(**changes: Any) -> dict[str, Any]:
    return HEAD | STAFF | PERSON | {
        "bussID": "V-1", "patientCertType": "1", "appointDate": "2026-11-21 20:00:00",
        "workDate": "2026-11-22 09:00-09:30", "startTime": "2026-11-22 09:00:00", "endTime": "2026-11-22 09:30:00",
        "price": 25.0, "paymentChannel": "2",
    } | changes  # fmt: skip


def consultation(**changes: Any) -> dict[str, Any]:
    return HEAD | STAFF | PERSON | {
        "bussID": "C-1", "patientCertType": "1", "consultationType": "1", "onsultationAttribute": "3",
        "applyDate": "2026-11-22 08:00:00", "consultationPrice": "0", "content": "用药咨询", "answerFlag": "1",
    } | changes  # fmt: skip


def revisit(**changes: Any) -> dict[str, Any]:
    return HEAD | STAFF | PERSON | {
        "bussID": "V-1", "patientCertType": "1", "returnVisitType": "3", "diseasesHistory": "高血压五年",
        "mainDiagnoseCode": "I10.x00x002", "thisDiagnosis": "高血压", "referralFlag": "1",
        "applyDate": "2026-11-21 20:00:00", "startDate": "2026-11-22 09:02:00", "endDate": "2026-11-22 09:20:00",
        "returnVisitPrice": 25, "answerFlag": "1",
    } | changes  # fmt: skip


def medical_record(**changes: Any) -> dict[str, Any]:
    return HEAD | {
        "caseNo": "E-1", "doctorID": "DOC-1", "doctorName": "林医生", "doctorCertID": DOCTOR,
        "furtherConsultNo": "V-1", "diagnosisCode": "I10|E11.900", "furtherConsultDiagnosis": "高血压|2型糖尿病",
        "visitDate": "2026-11-22", "patientName": "王小丽", "patientSex": "2", "patientAge": 46,
        "patientIdcardType": "1", "patientIdcardNum": PATIENT, "phone": "19900000001",
        "chiefComplaint": "复诊开药", "presentHistory": "血压平稳", "diagnosticOpinion": "继续原方案",
    } | changes  # fmt: skip


def prescription(**changes: Any) -> dict[str, Any]:
    return HEAD | STAFF | PERSON | {
        "bussID": "V-1", "bussSource": "4", "auditDoctorId": "PH-1", "auditDoctorCertID": DOCTOR, "auditDoctor": "周药师",
        "checkDate": "2026-11-22 09:30:00", "patientCardType": "1", "diseasesHistory": "无", "recipeUniqueID": "R-1",
        "recipeID": "100", "rationalFlag": "0", "icdCode": "I10", "icdName": "高血压", "recipeType": "1",
        "datein": "2026-11-22 09:18:00", "effectivePeriod": 3, "startDate": "2026-11-22", "endDate": "2026-11-24",
        "totalFee": "25.80", "isPay": "1", "orderList": [ORDER],
    } | changes  # fmt: skip


def fulfilment(**changes: Any) -> dict[str, Any]:
    return HEAD | {
        "recipeUniqueID": "R-1", "recipeID": "100", "deliveryType": "1", "VerificationTime": "2026-11-22 15:00:00",
        "deliveryPeople": "配送员", "totalFee": "25.80", "isPay": "1",
    } | changes  # fmt: skip


def evaluation(**changes: Any) -> dict[str, Any]:
    doctor = {key: STAFF[key] for key in ("deptID", "deptName", "doctorId", "doctorCertID", "doctorName")}
    return HEAD | doctor | {
        "evaluateID": "EV-1", "bussID": "V-1", "businessType": "4", "satisfaction": 5, "scoring": 10,
        "evaluation": "很好", "evaluationPeople": "王小丽", "evaluationTime": "2026-11-22 18:00:00",
    } | changes  # fmt: skip


def dispute(**changes: Any) -> dict[str, Any]:
    return HEAD | {
        "eventID": "A-1", "businessType": "4", "patientName": "王小丽", "mobile": "19900000001",
        "eventDescription": "服药后皮疹", "eventDate": "2026-11-22 10:00:00", "eventReason": "药物过敏",
        "takeSteps": "停药观察", "damageDegree": "轻微", "Improvements": "加强过敏史询问", "reportDept": "药剂科",
        "reportPerson": "周药师", "reportDate": "2026-11-22 16:00:00",
    } | changes  # fmt: skip


ALL = {
    "uploadDrugCatalogue": drug,
    "uploadAppointRecord": booking,
    "uploadConsultIndicators": consultation,
    "uploadReferralIndicators": revisit,
    "uploadElectMedicalRecord": medical_record,
    "uploadRecipeIndicators": prescription,
    "uploadRecipeVerificationIndicators": fulfilment,
    "uploadBusinessInfoAfter": evaluation,
    "pushMedicalDispute": dispute,
}
