"""What anybody may read: documents, prices, doctors, how to come to the hospital."""

from collections import defaultdict
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from miniapp_mock.front.screen import screen_of, show
from miniapp_mock.front.streams import pass_file


async def documents(request: Request) -> Response:
    """All documents in force."""
    rows = await screen_of(request).api.get("/documents")
    return await show(request, "patient/documents.html", back="/", rows=rows)


async def document(request: Request) -> Response:
    """One document with its version."""
    row = await screen_of(request).api.get(f"/documents/{quote(request.path_params['kind'], safe='')}")
    return await show(request, "patient/document.html", back="/documents", row=row)


async def verification(request: Request) -> Response:
    """How anybody verifies a sheet or a record without us."""
    return await show(request, "patient/verification.html", back="/")


async def verifier(request: Request) -> Response:
    """The one file that does it."""
    return await pass_file(screen_of(request).api, "/verifier", save_as="verify_sheet.py")


async def prices(request: Request) -> Response:
    """The price list in force."""
    rows = await screen_of(request).api.get("/prices")
    return await show(request, "patient/prices.html", back="/", rows=rows)


async def price_versions(request: Request) -> Response:
    """Every version that is or was in force."""
    rows = await screen_of(request).api.get("/prices/versions")
    return await show(request, "patient/price_versions.html", back="/prices", rows=rows)


async def price_version(request: Request) -> Response:
    """One of them."""
    version = quote(request.path_params["version"], safe="")
    found = await screen_of(request).api.get(f"/prices/versions/{version}")
    return await show(request, "patient/price_version.html", back="/prices/versions", found=found)


async def refund_rules(request: Request) -> Response:
    """What goes back when."""
    book = await screen_of(request).api.get("/refund-rules")
    return await show(request, "patient/refund_rules.html", back="/prices", book=book)


async def doctors(request: Request) -> Response:
    """Filed doctors by department."""
    api = screen_of(request).api
    departments = await api.get("/departments")
    found: dict[str, list[Any]] = defaultdict(list)
    for one in await api.get("/doctors"):
        found[one["department_code"]].append(one)
    return await show(request, "patient/doctors.html", back="/", departments=departments, found=found)


async def offline(request: Request) -> Response:
    """How to come to the hospital."""
    return await show(request, "patient/offline.html", back="/")


ROUTES: list[BaseRoute] = [
    Route("/verification", verification),
    Route("/verification/verify_sheet.py", verifier),
    Route("/documents", documents),
    Route("/documents/{kind}", document),
    Route("/prices", prices),
    Route("/prices/versions", price_versions),
    Route("/prices/versions/{version}", price_version),
    Route("/refund-rules", refund_rules),
    Route("/doctors", doctors),
    Route("/offline", offline),
]
