"""The price desk: every version, what a draft changes, and its approval by somebody else."""

from datetime import timedelta

from backend.account.queries import deeds, staff_names
from backend.desk.declared import DeskCall, Shown, action, page
from backend.edge import ADMIN, CLERK
from backend.pricing import queries, routes, rules
from backend.pricing.states import PRICE_LIST, PriceListState

KINDS = {
    "added": ("新增", "tag-info"), "removed": ("取消", "tag-block"), "price": ("调价", "tag-reason"),
    "words": ("改文字", ""), "same": ("不变", ""),
}  # fmt: skip


async def lists(call: DeskCall) -> Shown:
    """Every version, newest first, and which one is in force."""
    rows = await queries.all_lists(call.session)
    names = await staff_names(call.session, [one for row in rows for one in routes.people(row)])
    words = {
        "rows": rows, "names": names, "labels": PRICE_LIST.labels, "current": await queries.in_force(call.session),
    }  # fmt: skip
    return Shown("pricing/lists.html", words)


async def one_list(call: DeskCall) -> Shown:
    """One version, its difference to the list in force, and what this member of staff may do with it."""
    row = await queries.price_list(call.session, call.id())
    prices = [one.price for one in await queries.items(call.session, row.version)]
    current = await queries.in_force(call.session)
    compared = current if current is not None and current.id != row.id else None
    before = [one.price for one in await queries.items(call.session, compared.version)] if compared else []
    changes = rules.difference(before if compared else prices, prices)
    waiting = row.effective_from is not None and row.effective_from > call.clock.now()
    draft = row.state is PriceListState.DRAFT
    words = {
        "row": row, "labels": PRICE_LIST.labels, "changes": changes, "kinds": KINDS, "draft": draft, "compared": compared,
        "names": await staff_names(call.session, routes.people(row)), "mine": call.actor.id in row.editors,
        "may_withdraw": draft or (row.state is PriceListState.APPROVED and waiting),
        "digest": row.content_hash or rules.digest(row.version, prices), "current": current,
        "tomorrow": call.clock.today() + timedelta(days=1), "changed": [one for one in changes if one.kind != "same"],
        "missing": rules.list_issues(prices), "deeds": await deeds(call.session, ("price_list", row.id)),
    }  # fmt: skip
    return Shown("pricing/list.html", words)


DESK = [CLERK, ADMIN]
LISTS = page("/desk/prices", lists, title="价格表", roles=DESK, menu="价格表")
ONE = page("/desk/prices/{id}", one_list, title="价格表", roles=DESK)
HERE = "/desk/prices/{id}"
PAGES = [LISTS, ONE]
ACTIONS = [
    action(
        "/desk/prices/new",
        routes.ENDPOINTS,
        routes.prepare,
        back=LISTS,
        then="/desk/prices",
        said="已编制草稿。",
    ),
    action(f"{HERE}/set", routes.ENDPOINTS, routes.set_price, back=ONE, then=HERE, said="已修改。"),
    action(f"{HERE}/remove", routes.ENDPOINTS, routes.remove_price, back=ONE, then=HERE, said="已删除。"),
    action(
        f"{HERE}/approve",
        routes.ENDPOINTS,
        routes.approve,
        back=ONE,
        then=HERE,
        said="已批准，到期自动生效。",
    ),
    action(f"{HERE}/withdraw", routes.ENDPOINTS, routes.withdraw, back=ONE, then=HERE, said="已撤回。"),
]
