"""The doctor's pages: their routes, collected here. What is told on her phone opens one of them (`/doctor/visits/{id}`)."""

from starlette.routing import BaseRoute

from miniapp_mock.front.pages import (
    doctor_adverse_event,
    doctor_list,
    doctor_login,
    doctor_prescription,
    doctor_record,
    doctor_shift,
    doctor_visit,
)
from miniapp_mock.front.pages.talk import talk_routes
from miniapp_mock.front.screen import doctor

MODULES = (
    doctor_login,
    doctor_shift,
    doctor_list,
    doctor_visit,
    doctor_adverse_event,
    doctor_record,
    doctor_prescription,
)
ROUTES: list[BaseRoute] = [
    *(route for module in MODULES for route in module.ROUTES),
    *talk_routes("/doctor", doctor),
]
