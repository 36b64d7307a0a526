"""The pages, one module per thing a user comes for; each has a table `ROUTES`."""

from starlette.routing import BaseRoute

from miniapp_mock.front.pages import (
    booking,
    care,
    doctor,
    feedback,
    home,
    login,
    mine,
    payments,
    persons,
    phone,
    prescriptions,
    public,
    talk,
    visits,
)

MODULES = (
    home, care, login, phone, persons, booking, mine, payments, visits, talk, prescriptions, feedback, public, doctor,
)  # fmt: skip


def page_routes() -> list[BaseRoute]:
    """All of them, in order."""
    return [route for module in MODULES for route in module.ROUTES]
