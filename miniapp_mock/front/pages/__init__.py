"""The pages, one module per thing a user comes for; each has a table `ROUTES`."""

from starlette.routing import BaseRoute

from miniapp_mock.front.pages import (
    booking,
    care,
    doctor,
    fairness,
    feedback,
    home,
    images,
    insurance,
    login,
    mine,
    papers,
    paying_for_others,
    payments,
    persons,
    phone,
    prescriptions,
    public,
    release,
    talk,
    visits,
    waiting,
)

MODULES = (
    home, care, login, phone, persons, release, booking, papers, mine, payments, insurance, paying_for_others, visits, images, waiting, talk, prescriptions, feedback, public, fairness, doctor,
)  # fmt: skip


def page_routes() -> list[BaseRoute]:
    """All of them, in order."""
    return [route for module in MODULES for route in module.ROUTES]
