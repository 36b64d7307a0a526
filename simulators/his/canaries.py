"""Marks in everything this hospital tells about one patient, so that a scan elsewhere can prove where it is not kept.

`PUT /_test/canaries` `{"patient": "P0000001", "mark": "…", "number": 735192640817}`: every word a person reads gets `mark` and
eight letters of its own behind it, every measured value becomes `number` with three digits more. Codes, ids and dates stay.
Answers `{"planted": [{"token", "resource", "place"}]}`.
"""

import base64
import json
import secrets
from collections.abc import Iterator
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulators.his.hospital import Hospital
from simulators.his.moments import instant
from simulators.his.outcomes import Json
from simulators.server import BadField, error, read_object

KINDS = (
    "Encounter",
    "Condition",
    "MedicationRequest",
    "AllergyIntolerance",
    "DiagnosticReport",
    "Observation",
    "DocumentReference",
)
WORDS = ("text", "display", "conclusion")
WHO = ("subject", "patient")
"""The patient's name is the internet hospital's too."""


def routes(hospital: Hospital) -> list[Route]:
    async def mark(request: Request) -> Response:
        if not hospital.ready:
            return error(503, "NOT_READY")
        asked = await read_object(request)
        patient, words, number = asked.get("patient"), asked.get("mark"), asked.get("number")
        if not isinstance(patient, str) or not hospital.store.exists("Patient", patient):
            raise BadField("patient", "unknown")
        if not isinstance(words, str) or not words:
            raise BadField("mark", "expected a text")
        if not isinstance(number, int) or not 10**11 <= number < 10**12:
            raise BadField("number", "expected twelve digits")
        return JSONResponse({"planted": list(_plant(hospital, patient, words, number))})

    return [Route("/_test/canaries", mark, methods=["PUT"])]


def _plant(hospital: Hospital, patient: str, mark: str, number: int) -> Iterator[dict[str, str]]:
    now = instant(hospital.clock.now())
    for kind in KINDS:
        for _, body in hospital.store.of_patients(kind, [patient]):
            resource: Json = json.loads(body)
            planted: list[dict[str, str]] = []
            _mark(resource, kind, f"{kind}/{resource['id']}", mark, number, planted)
            before = hospital.store.get(kind, resource["id"])
            if planted and before is not None:
                hospital.store.replace(before, resource, now, own=True)
                yield from planted


def _mark(
    part: Any, place: str, resource: str, mark: str, number: int, planted: list[dict[str, str]]
) -> None:
    """Changes `part` where it has words or values; `planted` gets a line for each."""

    def note(token: str, where: str) -> str:
        planted.append({"token": token, "resource": resource, "place": where})
        return token

    if isinstance(part, list):
        for one in part:
            _mark(one, place, resource, mark, number, planted)
    if not isinstance(part, dict):
        return
    for key, value in part.items():
        where = f"{place}.{key}"
        if key in WORDS and isinstance(value, str):
            part[key] = value + note(mark + secrets.token_hex(4), where)
        elif key == "valueQuantity":
            value["value"] = number * 1000 + secrets.randbelow(1000)
            note(str(value["value"]), where)
        elif key == "data" and isinstance(value, str):
            whole = base64.b64decode(value).decode() + note(mark + secrets.token_hex(4), where)
            part[key] = base64.b64encode(whole.encode()).decode()
        elif key not in WHO:
            _mark(value, where, resource, mark, number, planted)
