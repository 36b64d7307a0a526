"""The table a feature's desk is declared in: pages that show, actions that are endpoints of the API behind a form."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from backend.context import Context
from backend.edge import ApiEndpoint
from foundation.db.calls import Call
from foundation.errors import AppError


@dataclass
class DeskCall(Call[Context]):
    """A request as a page sees it. `typed` and `problem` are set when a form was refused and its page is shown again."""

    typed: Mapping[str, str] = field(default_factory=dict)
    problem: AppError | None = None


@dataclass(frozen=True)
class Attached:
    """A file to be saved in place of a page; `name` is plain ASCII."""

    name: str
    content: bytes
    media_type: str


@dataclass(frozen=True)
class Shown:
    """A template (`feature/name.html`) and what it is filled with, or a file."""

    template: str
    data: Mapping[str, Any] = field(default_factory=dict)
    attached: Attached | None = None


@dataclass(frozen=True, kw_only=True)
class Page:
    """A GET. `menu` is its word in the menu, `live` the streams whose change refreshes it, `audited` the name of its audit line."""

    path: str
    title: str
    show: Callable[[DeskCall], Awaitable[Shown]]
    roles: frozenset[str]
    menu: str = ""
    live: tuple[str, ...] = ()
    audited: str = ""


@dataclass(frozen=True, kw_only=True)
class Action:
    """A POST: `does` is the endpoint, `back` the page shown again when it refuses, `then` where it leads, `said` what is said there."""

    path: str
    does: ApiEndpoint
    back: Page
    then: str
    said: str

    @property
    def name(self) -> str:
        """Names the sentence in the address of the next page."""
        return self.does.name


def page(
    path: str,
    show: Callable[[DeskCall], Awaitable[Shown]],
    *,
    title: str,
    roles: Iterable[str],
    menu: str = "",
    live: Iterable[str] = (),
    audited: str = "",
) -> Page:
    """A page below `/desk`."""
    return Page(
        path=path,
        title=title,
        show=show,
        roles=frozenset(roles),
        menu=menu,
        live=tuple(live),
        audited=audited,
    )


def action(
    path: str,
    endpoints: Iterable[ApiEndpoint],
    handler: Callable[..., Awaitable[Any]],
    *,
    back: Page,
    then: str,
    said: str,
) -> Action:
    """The endpoint of `endpoints` whose handler is `handler`, behind a form at `path`; `LookupError` when there is none."""
    found = [endpoint for endpoint in endpoints if endpoint.handler is handler]
    if len(found) != 1:
        raise LookupError(f"{path}: {len(found)} endpoints have this handler")
    return Action(path=path, does=found[0], back=back, then=then, said=said)
