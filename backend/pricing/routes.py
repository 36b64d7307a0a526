"""The public price list with its history, and the desk that prepares and approves versions."""

from backend.account.queries import staff_names
from backend.edge import ADMIN, CLERK, ApiCall, ApiEndpoint, Family
from backend.pricing import queries, service
from backend.pricing.model import PriceList
from backend.pricing.wire import (
    Approve,
    DraftView,
    ListView,
    Prepare,
    PriceView,
    PublishedView,
    RemovePrice,
    SetPrice,
    VersionView,
    draft_view,
    list_view,
    price_view,
    versions_view,
)
from foundation.web.endpoint import act, get, send


async def list_prices(call: ApiCall) -> list[PriceView]:
    """The price list in force."""
    row = await queries.in_force(call.session)
    if row is None:
        return []
    return [price_view(one, row.effective_on) for one in await queries.items(call.session, row.version)]


async def list_versions(call: ApiCall) -> list[VersionView]:
    """Every version that is or was in force, newest first."""
    return versions_view(await queries.history(call.session))


async def show_version(call: ApiCall) -> PublishedView:
    """One of them, with its lines."""
    row = await queries.published(call.session, call.request.path_params["version"])
    shown = next(one for one in await list_versions(call) if one.version == row.version)
    lines = await queries.items(call.session, row.version)
    return PublishedView(shown, [price_view(one, row.effective_on) for one in lines])


async def list_lists(call: ApiCall) -> list[ListView]:
    """Every version, drafts included."""
    rows = await queries.all_lists(call.session)
    names = await staff_names(call.session, [one for row in rows for one in people(row)])
    return [list_view(row, names) for row in rows]


async def show_list(call: ApiCall) -> DraftView:
    """A version, and what it changes against the list in force."""
    return await _draft(call, await queries.price_list(call.session, call.id()))


async def prepare(call: ApiCall, body: Prepare) -> DraftView:
    """A draft that begins as a copy of the list in force."""
    return await _draft(call, await service.prepare(call.session, call.actor, body.note))


async def set_price(call: ApiCall, body: SetPrice) -> DraftView:
    """Add or change a line of a draft."""
    return await _draft(call, await service.set_price(call.session, call.actor, call.id(), body.price()))


async def remove_price(call: ApiCall, body: RemovePrice) -> DraftView:
    """Take a line out of a draft."""
    return await _draft(call, await service.remove_price(call.session, call.actor, call.id(), body.code))


async def approve(call: ApiCall, body: Approve) -> DraftView:
    """Let a draft come into force on a day; not by its editors."""
    row = await service.approve(call.session, call.actor, call.id(), body.effective_on, body.seen)
    return await _draft(call, row)


async def withdraw(call: ApiCall) -> DraftView:
    """Give up a version whose day has not come."""
    return await _draft(call, await service.withdraw(call.session, call.actor, call.id()))


def people(row: PriceList) -> list[object]:
    """Everybody who had a hand in a version."""
    return [*row.editors, row.approved_by]


async def _draft(call: ApiCall, row: PriceList) -> DraftView:
    lines, current = (
        await queries.items(call.session, row.version),
        await queries.current_prices(call.session),
    )
    return draft_view(row, lines, current, await staff_names(call.session, people(row)))


FAMILY = Family.PERSONAL_VISIT
DESK = [CLERK, ADMIN]
ENDPOINTS: list[ApiEndpoint] = [
    get("/prices", list_prices, reply=list[PriceView], summary="价格公示", family=FAMILY),
    get("/prices/versions", list_versions, reply=list[VersionView], summary="价格表历次版本", family=FAMILY),
    get("/prices/versions/{version}", show_version, reply=PublishedView, summary="某一版价格表", family=FAMILY),
    get("/price-lists", list_lists, reply=list[ListView], summary="价格表管理", family=FAMILY, roles=DESK),
    get("/price-lists/{id}", show_list, reply=DraftView, summary="价格表与变动", family=FAMILY, roles=DESK),
    send("POST", "/price-lists", prepare, body=Prepare, reply=DraftView, summary="编制新的价格表", family=FAMILY,
         roles=DESK, status=201, audited="price_list.prepare"),
    send("POST", "/price-lists/{id}/set", set_price, body=SetPrice, reply=DraftView, summary="修改价格", family=FAMILY,
         roles=DESK, audited="price_list.set"),
    send("POST", "/price-lists/{id}/remove", remove_price, body=RemovePrice, reply=DraftView, summary="删除项目",
         family=FAMILY, roles=DESK, audited="price_list.remove"),
    send("POST", "/price-lists/{id}/approve", approve, body=Approve, reply=DraftView, summary="批准价格表",
         family=FAMILY, roles=DESK, audited="price_list.approve"),
    act("POST", "/price-lists/{id}/withdraw", withdraw, reply=DraftView, summary="撤回价格表", family=FAMILY,
        roles=DESK, audited="price_list.withdraw"),
]  # fmt: skip
