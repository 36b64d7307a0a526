"""Public directory of departments and doctors."""

from uuid import UUID

import msgspec

from backend.edge import ADMIN, QUALITY, ApiCall, ApiEndpoint, Family
from backend.practitioner import queries, service
from backend.practitioner.model import Practitioner
from foundation.web.endpoint import get, send


class DepartmentView(msgspec.Struct, frozen=True):
    """A department open online."""

    code: str
    name: str
    subject_code: str
    subject_name: str


class DoctorView(msgspec.Struct, frozen=True):
    """A filed doctor."""

    id: UUID
    code: str
    name: str
    title: str
    department_code: str
    introduction: str
    licence_number: str


class DoctorQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Filter."""

    department: str | None = None


class SetActive(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Suspend (false) or re-admit (true)."""

    active: bool


def doctor_view(row: Practitioner, department_code: str) -> DoctorView:
    """From the rows."""
    return DoctorView(
        row.id, row.code, row.name, row.title_name, department_code, row.introduction, row.licence_number
    )


async def list_departments(call: ApiCall) -> list[DepartmentView]:
    """Departments open online."""
    found = await queries.departments(call.session)
    return [DepartmentView(row.code, row.name, row.subject_code, row.subject_name) for row in found]


async def list_doctors(call: ApiCall) -> list[DoctorView]:
    """Filed doctors."""
    return [
        doctor_view(row, code) for row, code in await queries.doctors(call.session, call.query.department)
    ]


async def set_active(call: ApiCall, body: SetActive) -> None:
    """Suspend or re-admit a practitioner."""
    await service.set_active(call.session, call.actor, call.id(), active=body.active)


ENDPOINTS: list[ApiEndpoint] = [
    get("/departments", list_departments, reply=list[DepartmentView], summary="诊疗科目", family=Family.PERSONAL_VISIT),
    get("/doctors", list_doctors, reply=list[DoctorView], query=DoctorQuery, summary="备案医生",
        family=Family.PERSONAL_VISIT),
    send("PUT", "/practitioners/{id}/active", set_active, body=SetActive, summary="停诊或恢复",
         family=Family.ONLINE_TREATMENT, roles=[ADMIN, QUALITY], status=204),
]  # fmt: skip
