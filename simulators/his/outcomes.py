"""Refusals as OperationOutcome (https://hl7.org/fhir/R4/operationoutcome.html)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from starlette.responses import Response

FHIR_JSON = "application/fhir+json; charset=utf-8"
Json = dict[str, Any]


@dataclass(frozen=True)
class Issue:
    """`code` is of http://hl7.org/fhir/issue-type; `text` is for people, `at` a FHIRPath such as MedicationRequest.subject."""

    code: str
    text: str
    at: str = ""
    severity: str = "error"

    def as_json(self) -> Json:
        issue: Json = {"severity": self.severity, "code": self.code, "details": {"text": self.text}}
        if self.at:
            issue["expression"] = [self.at]
        return issue


class Refusal(Exception):
    """An answer other than 2xx."""

    def __init__(self, status: int, *issues: Issue) -> None:
        super().__init__("; ".join(issue.text for issue in issues))
        self.status = status
        self.issues = issues


def refuse(status: int, code: str, text: str, at: str = "") -> Refusal:
    return Refusal(status, Issue(code, text, at))


def outcome(issues: Sequence[Issue]) -> Json:
    return {"resourceType": "OperationOutcome", "issue": [issue.as_json() for issue in issues]}


def answer(status: int, issues: Sequence[Issue], headers: dict[str, str] | None = None) -> Response:
    return Response(msgspec.json.encode(outcome(issues)), status, headers, FHIR_JSON)


def too_large(status: int, _: str, message: str) -> Response:
    """For `BodyLimit`."""
    return answer(status, [Issue("too-long", message)])
