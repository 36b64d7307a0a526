"""The reconciliation desk: days, one day with its three books, one difference to be settled."""

from backend.account.queries import deeds, staff_names
from backend.desk.declared import Attached, DeskCall, Shown, action, page
from backend.edge import ADMIN, CLERK
from backend.reconciliation import queries, routes
from backend.reconciliation.rules import RESOLUTIONS, WORDS, Kind
from backend.reconciliation.service import DESK as STREAM
from backend.reconciliation.states import DIFFERENCE, RECONCILIATION, DifferenceState
from backend.reconciliation.wire import MONEY, gap

TAGS = {"closed": "tag-ok", "differing": "tag-block", "matching": "tag-info", "open": ""}
WAITING = {"bill": "等待微信支付账单", "hospital": "等待医院信息系统"}
MENDABLE = (Kind.MISSING_HOSPITAL, Kind.MISSING_OURS, Kind.MISSING_FLOW)


async def days(call: DeskCall) -> Shown:
    """Days, newest first, and every difference that waits."""
    words = {
        "days": await queries.days(call.session), "counts": await queries.open_counts(call.session),
        "labels": RECONCILIATION.labels, "tags": TAGS, "waiting": WAITING, "kinds": WORDS, "money": MONEY, "gap": gap,
        "open": await queries.open_differences(call.session),
    }  # fmt: skip
    return Shown("reconciliation/days.html", words)


async def day(call: DeskCall) -> Shown:
    """One day: three books side by side, differences, runs."""
    row = await queries.day_row(call.session, call.id())
    found = await queries.differences(call.session, row.id)
    words = {
        "row": row, "run": await queries.last_run(call.session, row), "runs": await queries.runs(call.session, row.id),
        "found": found, "labels": RECONCILIATION.labels, "tags": TAGS, "waiting": WAITING, "kinds": WORDS, "money": MONEY,
        "gap": gap, "states": DIFFERENCE.labels, "resolutions": RESOLUTIONS, "late": call.clock.now() >= row.due_at,
        "names": await staff_names(call.session, [one.settled_by for one in found]),
        "deeds": await deeds(call.session, ("reconciliation", row.id)),
    }  # fmt: skip
    return Shown("reconciliation/day.html", words)


async def csv(call: DeskCall) -> Shown:
    """The report for Excel."""
    name, content = await routes.day_csv(call)
    return Shown("", attached=Attached(name, content, "text/csv; charset=utf-8"))


async def difference(call: DeskCall) -> Shown:
    """One difference: what each side has, what a person can do."""
    row = await queries.difference(call.session, call.id())
    words = {
        "row": row, "kinds": WORDS, "money": MONEY, "states": DIFFERENCE.labels, "resolutions": RESOLUTIONS, "gap": gap,
        "names": await staff_names(call.session, [row.settled_by]), "deeds": await deeds(call.session, ("difference", row.id)),
        "mendable": row.kind in MENDABLE and (row.payment_id or row.refund_id), "open": row.state is DifferenceState.OPEN,
    }  # fmt: skip
    return Shown("reconciliation/difference.html", words)


DESK = [CLERK, ADMIN]
DAYS = page("/desk/reconciliation", days, title="对账", roles=DESK, menu="对账", live=[STREAM])
DAY = page("/desk/reconciliation/{id}", day, title="某日对账", roles=DESK, live=[STREAM])
CSV = page(
    "/desk/reconciliation/{id}/csv", csv, title="对账报表", roles=DESK, audited="reconciliation.export"
)
ONE = page("/desk/differences/{id}", difference, title="差异", roles=DESK)
PAGES = [DAYS, CSV, DAY, ONE]
HERE = "/desk/differences/{id}"
ACTIONS = [
    action(
        "/desk/reconciliation/{id}/again", routes.ENDPOINTS, routes.again, back=DAY, then="/desk/reconciliation/{id}",
        said="已安排再次核对。",
    ),
    action(f"{HERE}/settle", routes.ENDPOINTS, routes.settle, back=ONE, then=HERE, said="已登记处理结果。"),
    action(f"{HERE}/mend", routes.ENDPOINTS, routes.mend, back=ONE, then=HERE, said="已安排补办，稍后自动再次核对。"),
]  # fmt: skip
