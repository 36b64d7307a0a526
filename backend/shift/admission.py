"""Which requests of a doctor need her shift: all that no line here excuses (监管细则 2022; practice.md 7, 8).

A login alone opens no patient: what is told on her phone leads here, and whoever picked up that phone has no PIN.
"""

from collections.abc import Mapping
from typing import Any

from backend.edge import DOCTOR
from backend.shift.service import require, require_running
from foundation.actor import Actor
from foundation.db.calls import Guard
from foundation.db.unit_of_work import Database, unit_of_work
from foundation.web.endpoint import Endpoint

WITHOUT: Mapping[str, str] = {
    "account_me": "who she is: the page that asks for the PIN says so",
    "account_logout": "leaving is always possible",
    "shift_open_shift": "this is how a shift begins",
    "shift_show_shift": "whether there is one",
    "shift_close_shift": "how it ends, also after it ran out",
    "encounter_refer": "an emergency does not wait for a PIN; it only ends a visit whose id is known within shifts alone",
    "prescription_cancel": "a mistake noticed at home is taken back at once; it prescribes nothing, and ids as above",
    "adverse_event_report": "harm is reported the day it is seen, also from home; it shows nobody she did not name",
    "income_income": "her own fees, by day; nobody's name",
    "record_diagnosis_codes": "a published list",
    "formulary_search": "the hospital's list of drugs",
    "supervision_visit_feed": "whether the reports of a visit arrived; nobody's name",
    "supervision_write_backs": "the same for what the hospital was told",
}
"""Names of endpoints that a doctor may use with her login alone, and why."""
NO_WORK: Mapping[str, str] = {
    "chat_mark_read": "the page says by itself what it shows",
    "chat_ticket": "the page's socket comes again by itself after a broken network",
    "video_enter": "so does the call; a call that runs keeps her at work (`keep_in_call`)",
    "video_probe": "the check before a call begins with the page",
}
"""Names of endpoints that need the shift and do not prolong it, like all that only looks, and why."""
_LOOKING = ("GET", "HEAD")


def guard(db: Database) -> Guard:
    """Asked by the API before a doctor is heard. Pages refresh themselves: looking needs the shift and does not prolong it."""

    async def within_shift(endpoint: Endpoint[Any], actor: Actor) -> None:
        if not actor.has(DOCTOR) or DOCTOR not in endpoint.roles or endpoint.name in WITHOUT:
            return
        async with unit_of_work(db) as session:
            if endpoint.method in _LOOKING or endpoint.name in NO_WORK:
                await require_running(session, actor)
            else:
                await require(session, actor)

    return within_shift
