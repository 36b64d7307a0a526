"""The pharmacy's shelf at the desk."""

from backend.desk.declared import DeskCall, Shown, action, page
from backend.edge import PHARMACIST
from backend.formulary import queries as formulary
from backend.stock import routes, service


async def shelf(call: DeskCall) -> Shown:
    """What is there, the scarcest first."""
    rows = await service.levels(call.session)
    drugs = await formulary.by_codes(call.session, [row.drug_code for row in rows])
    return Shown("stock/stock.html", {"rows": rows, "drugs": drugs})


SHELF = page("/desk/stock", shelf, title="药房库存", roles=[PHARMACIST], menu="药房库存", live=[service.DESK])
PAGES = [SHELF]
ACTIONS = [
    action("/desk/stock/count-in", routes.ENDPOINTS, routes.count_in, back=SHELF, then="/desk/stock", said="已登记。"),
]  # fmt: skip
