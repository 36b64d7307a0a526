"""A visit as FHIR resources: Encounter, its Conditions, record, prescriptions and reports."""

import base64
from collections.abc import Iterator
from dataclasses import dataclass

from simulators.his import systems
from simulators.his.outcomes import Json
from simulators.his.systems import coding, concept
from simulators.his.world import Prescription, Report, ReportItem, Resident, Visit

_CLASSES = {"outpatient": ("AMB", "门诊"), "inpatient": ("IMP", "住院")}
_FREQUENCIES = {
    "qd": ("每日一次", 1, 1, "d"),
    "qn": ("每晚一次", 1, 1, "d"),
    "bid": ("每日两次", 2, 1, "d"),
    "tid": ("每日三次", 3, 1, "d"),
    "qod": ("隔日一次", 1, 2, "d"),
    "qw": ("每周一次", 1, 1, "wk"),
    "once": ("一次", 1, 1, "d"),
}
_ROUTES = {
    "1": "口服",
    "3": "舌下含服",
    "401": "皮下注射",
    "403": "肌肉注射",
    "5": "吸入",
    "605": "阴道给药",
    "607": "滴眼",
    "612": "外用",
}
_CATEGORIES = {"lab": ("LAB", "检验"), "imaging": ("RAD", "检查")}
_CONFIRMED = {"confirmed": "confirmed", "suspected": "provisional"}
_INTERPRETATIONS = {"H": "偏高", "L": "偏低", "A": "异常"}


@dataclass
class VisitWriter:
    """`departments` and `doctors`: code -> name."""

    departments: dict[str, str]
    doctors: dict[str, str]

    def resources(self, resident: Resident, visit: Visit) -> Iterator[Json]:
        subject = {"reference": f"Patient/{visit.held_under or resident.id}", "display": resident.name}
        about: Json = {"subject": subject, "encounter": {"reference": f"Encounter/{visit.id}"}}
        yield self._encounter(visit, subject)
        for diagnosis in visit.diagnoses:
            yield {
                "resourceType": "Condition",
                "id": f"{visit.id}-{diagnosis.rank}",
                "clinicalStatus": concept(f"{systems.HL7}/condition-clinical", "active"),
                "verificationStatus": concept(
                    f"{systems.HL7}/condition-ver-status", _CONFIRMED[diagnosis.certainty]
                ),
                "category": [concept(f"{systems.HL7}/condition-category", "encounter-diagnosis")],
                "code": concept(systems.ICD10, diagnosis.code, diagnosis.name, diagnosis.name)
                if diagnosis.code
                else {"text": diagnosis.name},
                **about,
                "recordedDate": visit.date,
                "recorder": self._doctor(visit.doctor),
            }
        if visit.status != "cancelled":
            yield self._record(visit, subject)
        for prescription in visit.prescriptions:
            yield from self._prescription(prescription, about)
        for report in visit.reports:
            yield from _report(report, about)

    def _doctor(self, code: str) -> Json:
        return {"reference": f"Practitioner/{code}", "display": self.doctors[code]}

    def _encounter(self, visit: Visit, subject: Json) -> Json:
        code, display = _CLASSES[visit.kind]
        department = self.departments[visit.department]
        return {
            "resourceType": "Encounter",
            "id": visit.id,
            "identifier": [{"system": systems.VISIT, "value": visit.id}],
            "status": visit.status,
            "class": coding(f"{systems.HL7}/v3-ActCode", code, display),
            "serviceType": concept(systems.DEPARTMENT, visit.department, department, department),
            "subject": subject,
            "participant": [{"individual": self._doctor(visit.doctor)}],
            "period": {"start": visit.date, "end": visit.discharged_on or visit.date},
            "reasonCode": [{"text": visit.record.chief_complaint}],
            "diagnosis": [
                {"condition": {"reference": f"Condition/{visit.id}-{one.rank}"}, "rank": one.rank}
                for one in visit.diagnoses
            ],
            "serviceProvider": {"reference": f"Organization/{visit.department}", "display": department},
        }

    def _record(self, visit: Visit, subject: Json) -> Json:
        record = visit.record
        text = f"主诉：{record.chief_complaint}\n现病史：{record.present_history}\n处理：{record.advice}\n"
        return {
            "resourceType": "DocumentReference",
            "id": f"{visit.id}-record",
            "status": "current",
            "docStatus": "final",
            "type": concept(systems.LOINC, "34108-1", "Outpatient Note", "门诊病历"),
            "subject": subject,
            "date": f"{visit.date}T12:00:00+08:00",
            "author": [self._doctor(visit.doctor)],
            "content": [
                {
                    "attachment": {
                        "contentType": "text/plain; charset=utf-8",
                        "language": "zh-CN",
                        "data": base64.b64encode(text.encode()).decode(),
                        "title": "门诊病历",
                    }
                }
            ],
            "context": {"encounter": [{"reference": f"Encounter/{visit.id}"}]},
        }

    def _prescription(self, prescription: Prescription, about: Json) -> Iterator[Json]:
        for place, item in enumerate(prescription.items, 1):
            words, times, period, unit = _FREQUENCIES[item.frequency]
            route = _ROUTES[item.route]
            resource: Json = {
                "resourceType": "MedicationRequest",
                "id": f"{prescription.id}-{place}",
                "identifier": [{"system": systems.PRESCRIPTION, "value": f"{prescription.id}-{place}"}],
                "status": "completed",
                "intent": "order",
                "medicationCodeableConcept": concept(systems.DRUG, item.drug, item.name, item.name),
                **about,
                "authoredOn": prescription.date,
                "requester": self._doctor(prescription.doctor),
                "groupIdentifier": {"system": systems.PRESCRIPTION, "value": prescription.id},
                "dosageInstruction": [
                    {
                        "text": f"{route}，每次{item.dose:g}{item.dose_unit}，{words}，共{item.days}天",
                        "timing": {"repeat": {"frequency": times, "period": period, "periodUnit": unit}},
                        "route": concept(systems.ROUTE, item.route, route),
                        "doseAndRate": [{"doseQuantity": {"value": item.dose, "unit": item.dose_unit}}],
                    }
                ],
                "dispenseRequest": {
                    "quantity": {"value": item.quantity, "unit": item.unit},
                    "expectedSupplyDuration": {
                        "value": item.days,
                        "unit": "天",
                        "system": "http://unitsofmeasure.org",
                        "code": "d",
                    },
                },
            }
            if prescription.note:
                resource["note"] = [{"text": prescription.note}]
            yield resource


def _report(report: Report, about: Json) -> Iterator[Json]:
    code, display = _CATEGORIES[report.category]
    category = [concept(f"{systems.HL7}/v2-0074", code, display)]
    issued = f"{report.date}T16:00:00+08:00"
    for item in report.items:
        yield _observation(report, item, about, issued)
    yield {
        "resourceType": "DiagnosticReport",
        "id": report.id,
        "identifier": [{"system": systems.REPORT, "value": report.id}],
        "status": "final",
        "category": category,
        "code": concept(systems.PANEL, report.panel, report.name, report.name),
        **about,
        "effectiveDateTime": report.date,
        "issued": issued,
        "result": [
            {"reference": f"Observation/{report.id}-{item.code}", "display": item.name}
            for item in report.items
        ],
        "conclusion": report.conclusion,
    }


def _observation(report: Report, item: ReportItem, about: Json, issued: str) -> Json:
    codings = [coding(systems.LAB_ITEM, item.code, item.name)]
    if item.loinc:
        codings.append(coding(systems.LOINC, item.loinc))
    resource: Json = {
        "resourceType": "Observation",
        "id": f"{report.id}-{item.code}",
        "status": "final",
        "category": [concept(f"{systems.HL7}/observation-category", "laboratory")],
        "code": {"coding": codings, "text": item.name},
        **about,
        "effectiveDateTime": report.date,
        "issued": issued,
    }
    if item.low:
        resource["valueQuantity"] = {"value": float(item.value), "unit": item.unit}
        low, high = (
            {"value": float(item.low), "unit": item.unit},
            {"value": float(item.high), "unit": item.unit},
        )
        resource["referenceRange"] = [{"low": low, "high": high, "text": f"{item.low}-{item.high}"}]
    else:
        resource["valueString"] = item.value
    if item.flag:
        resource["interpretation"] = [
            concept(f"{systems.HL7}/v3-ObservationInterpretation", item.flag, _INTERPRETATIONS[item.flag])
        ]
    return resource
