"""The doctor's pages: their routes, collected here."""

from starlette.routing import BaseRoute

ROUTES: list[BaseRoute] = []
