"""Supervisors at the console, as browsers see it: two accounts, forms, numbers on pages."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape

import httpx

from tests.unit.supervision_platform.sender import Platform
from tests.unit.supervision_platform.shanghai_records import Hospital

FIRST = {"login": "supervisor", "password": "correct-horse"}
SECOND = {"login": "supervisor2", "password": "battery-staple"}
ORDER = {"authority": "沪卫监〔2026〕12号", "reason": "日常监督检查"}


@contextmanager
def signed_in(platform: Platform, who: dict[str, str] = FIRST) -> Iterator[httpx.Client]:
    with browser_at(platform) as client:
        client.post("/login", data=who)
        yield client


def browser_at(platform: Platform) -> httpx.Client:
    """Says where its forms come from, as browsers do."""
    origin = {"origin": platform.console}
    return httpx.Client(base_url=platform.console, headers=origin, follow_redirects=True, trust_env=False)


def send_a_visit(platform: Platform) -> Hospital:
    """One whole visit, V-1, with a complaint at its end."""
    hospital = Hospital()
    platform.send("uploadRealName", [hospital.verified()])
    platform.send("uploadFollowUp", [hospital.eligible()])
    platform.send("uploadBooking", [hospital.booked()])
    platform.send("uploadFollowUp", [hospital.started()])
    platform.send("uploadPrescription", [hospital.signed(), hospital.approved()])
    platform.send("uploadPayment", [hospital.paid()])
    platform.send("uploadComplaint", [hospital.complained()])
    return hospital


def figures(text: str) -> dict[str, tuple[str, str]]:
    """label -> (value, address) of the numbers on a page."""
    found = re.findall(r"<dt>([^<]+)</dt><dd><a href=\"([^\"]+)\">([^<]+)</a>", text)
    return {label: (value, unescape(href)) for label, href, value in found}


def total(text: str) -> int:
    """How many lines a list says it has."""
    found = re.search(r"data-total>(\d+)<", text)
    assert found is not None
    return int(found[1])


def lines(client: httpx.Client, **query: str) -> list[dict[str, object]]:
    """The trail, first line first, without who came and went."""
    found: list[dict[str, object]] = client.get("/trail.json", params=query).json()["lines"]
    return [one for one in found[::-1] if not str(one["action"]).startswith("session.")]
