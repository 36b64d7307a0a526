"""Whoever holds a signed file finds out how to verify it, and gets the program without logging in."""

import httpx
import pytest
from starlette.responses import Response

from tests.unit.front.backend import Backend
from tests.unit.front.browsing import log_in

pytestmark = pytest.mark.anyio
RX = "01a20299-6b59-70b5-a644-2e8871b9add7"


async def test_anybody_reads_how_to_verify_and_gets_the_one_file(
    browser: httpx.AsyncClient, backend: Backend
) -> None:
    backend.answers["GET /verifier"] = Response(b"print()", media_type="text/x-python")

    page = await browser.get("/verification")
    file = await browser.get("/verification/verify_sheet.py")

    assert 'href="/verification/verify_sheet.py"' in page.text
    assert file.content == b"print()"
    assert file.headers["content-disposition"] == 'attachment; filename="verify_sheet.py"'


async def test_a_patient_takes_the_proof_of_her_prescription_along(
    browser: httpx.AsyncClient, backend: Backend
) -> None:
    backend.answers[f"GET /prescriptions/{RX}/evidence"] = Response(b"{}", media_type="application/json")
    log_in(browser)

    file = await browser.get(f"/prescriptions/{RX}/evidence")

    assert (file.status_code, file.content) == (200, b"{}")
    assert file.headers["content-disposition"] == 'attachment; filename="prescription.json"'
