"""The pages, one module per thing a user comes for; each has a table `ROUTES`."""

from starlette.routing import BaseRoute

from miniapp_mock.front.pages import booking, care, doctor, home, login, payments, persons, phone, public

MODULES = (home, care, login, phone, persons, booking, payments, public, doctor)


def page_routes() -> list[BaseRoute]:
    """All of them, in order."""
    return [route for module in MODULES for route in module.ROUTES]
