"""Words that every feature's edge uses: the call, the five service families, the roles."""

from enum import StrEnum

from backend.context import Context
from foundation.db.calls import Call
from foundation.web.endpoint import Endpoint

ApiCall = Call[Context]
ApiEndpoint = Endpoint[ApiCall]


class Family(StrEnum):
    """Every public route belongs to one of the platform's five service families (seeds 003, 3.1.1)."""

    PERSONAL_VISIT = "个人就医"
    PATIENT_MANAGEMENT = "患者管理"
    THIRD_PARTY = "第三方协作"
    ONLINE_TREATMENT = "线上诊疗"
    COLLABORATION = "医疗协同"


PATIENT = "patient"
DOCTOR = "doctor"
PHARMACIST = "pharmacist"
CLERK = "clerk"
DUTY_DESK = "duty_desk"
QUALITY = "quality"
SCHEDULE_MANAGER = "schedule_manager"
ADMIN = "admin"
STAFF = (DOCTOR, PHARMACIST, CLERK, DUTY_DESK, QUALITY, SCHEDULE_MANAGER, ADMIN)
CLINICAL = (DOCTOR, PHARMACIST)
EVERYBODY = (PATIENT, *STAFF)
