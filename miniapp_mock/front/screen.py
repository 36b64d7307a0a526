"""How a page is made: one jinja2 environment, and what every page knows without asking for it."""

import contextlib
import uuid
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from foundation.clock import Clock
from foundation.settings import Env
from miniapp_mock.front import cookies, guard, words
from miniapp_mock.front.assets import Assets
from miniapp_mock.front.backend_client import Api, BackendDown, Caller, Refused
from miniapp_mock.front.forms import dump
from miniapp_mock.front.markdown import to_html
from miniapp_mock.front.settings import Settings

UNKNOWN_HOSPITAL = {"name": "互联网医院", "short_name": "互联网医院", "address": "", "phone": ""}
HOSPITAL_SECONDS, RETRY_SECONDS = 300, 10


@dataclass
class Screen:
    """What the process holds; lives in `app.state.screen`. The hospital's name is public and kept for five minutes."""

    settings: Settings
    clock: Clock
    api: Api
    assets: Assets = field(default_factory=Assets)
    _hospital: Mapping[str, str] = field(default_factory=lambda: UNKNOWN_HOSPITAL)
    _asked_at: int = -HOSPITAL_SECONDS

    def __post_init__(self) -> None:
        self.pages = Environment(
            loader=PackageLoader("miniapp_mock.front"), autoescape=True, undefined=StrictUndefined,
            trim_blocks=True, lstrip_blocks=True,
            auto_reload=self.settings.env is Env.DEVELOPMENT,
        )  # fmt: skip
        self.pages.globals |= {"static": self.assets.url, "once": lambda: uuid.uuid4().hex}
        self.pages.filters |= {
            "fen": words.fen,
            "clock_time": words.clock_time,
            "when": lambda text: words.when(text, self.clock.today()),
            "date_words": words.date_words,
            "deadline": lambda text: words.deadline(text, self.clock.today()),
            "seconds_left": lambda text: words.seconds_left(text, self.clock.now()),
            "clock_of": lambda at: f"{words.day_name(at.date(), self.clock.today())} {at:%H:%M}",
            "day_name": lambda day: words.day_name(day, self.clock.today()),
            "period": lambda row: words.period(row["starts_at"], row["ends_at"], self.clock.today()),
            "sex_name": words.sex_name,
            "topic": words.topic,
            "decimal": words.decimal,
            "dump": dump,
            "document": to_html,
        }

    async def hospital(self) -> Mapping[str, str]:
        """Name, address and telephone; what was known last while the backend is down."""
        now = self.clock.timestamp()
        if now - self._asked_at >= HOSPITAL_SECONDS:
            self._asked_at = now - HOSPITAL_SECONDS + RETRY_SECONDS  # nobody waits for a name again and again
            with contextlib.suppress(BackendDown, Refused):
                self._hospital, self._asked_at = await self.api.get("/hospital"), now
        return self._hospital


def screen_of(request: Request) -> Screen:
    """The process's screen."""
    screen: Screen = request.app.state.screen
    return screen


def patient(request: Request) -> Api:
    """The API in the name of the patient's account that is logged in here."""
    return screen_of(request).api.as_holder(cookies.read(request, cookies.PATIENT), caller_of(request))


def visitor(request: Request) -> Api:
    """The API for somebody who is not logged in."""
    return screen_of(request).api.as_holder("", caller_of(request))


def caller_of(request: Request) -> Caller:
    """The device and the way it came; whether the backend believes the addresses is the backend's affair."""
    came = (request.headers.get("x-forwarded-for", ""), request.client.host if request.client else "")
    device = cookies.read(request, cookies.DEVICE)
    addresses = ", ".join(one for one in came if one and one.isascii())
    return Caller(device if device.isascii() and device.isprintable() else "", addresses)


def doctor(request: Request) -> Api:
    """The API in the name of the doctor who is logged in here."""
    return screen_of(request).api.as_holder(cookies.read(request, cookies.DOCTOR), caller_of(request))


def is_fragment(request: Request) -> bool:
    """Whether htmx asks for a part of a page."""
    return request.headers.get("hx-request") == "true"


def wants_json(request: Request) -> bool:
    """Whether one of our scripts asks."""
    return request.headers.get("accept", "").startswith("application/json")


async def show(request: Request, template: str, *, status: int = 200, **values: Any) -> Response:
    """A page or a fragment. `back` is where the arrow leads, `values` and `problem` are there for forms."""
    screen = screen_of(request)
    known = {
        "hospital": await screen.hospital(),
        "care": cookies.read(request, cookies.CARE) == "1",
        "csrf": guard.token_of(request),
        "settings": screen.settings,
        "path": request.url.path,
        "here": request.url.path + (f"?{request.url.query}" if request.url.query else ""),
        "logged_in": bool(cookies.read(request, cookies.PATIENT)),
        "today": screen.clock.today(),
        "back": "",
        "problem": None,
    }
    values["typed"] = defaultdict(str, values.get("typed") or {})
    html = screen.pages.get_template(template).render(known | values)
    return HTMLResponse(html, status)


def go(path: str) -> Response:
    """To another page, by GET."""
    return RedirectResponse(path, 303)


def afresh() -> Response:
    """For a fragment on a page that is no longer true as a whole: the page again."""
    return Response(headers={"hx-refresh": "true"})


def leave(request: Request, path: str) -> Response:
    """To another page, also from inside a fragment."""
    return Response(headers={"hx-redirect": path}) if is_fragment(request) else go(path)
