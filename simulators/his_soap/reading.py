"""The trades that read."""

from collections.abc import Callable

from simulators.his_soap import timetable
from simulators.his_soap.asked import MALFORMED, Asked, Result
from simulators.his_soap.messages import Tree
from simulators.his_soap.store import Store
from simulators.server import Clock

MOST_A_PAGE = 100
_KINDS = {"2001": "visit", "2002": "allergy", "2003": "order", "2004": "report"}


class Reader:
    """`mixed_up`: answers about a patient are somebody else's."""

    def __init__(self, store: Store, clock: Clock, mixed_up: Callable[[], bool]) -> None:
        self._store = store
        self._clock = clock
        self._mixed_up = mixed_up
        self.trades: dict[str, Callable[[Asked], list[Tree]]] = {
            "1001": self._by_card,
            "1002": self._by_number,
            **dict.fromkeys(_KINDS, self._of_patient),
            "3001": self._slots,
            "4001": self._charges,
            "6001": self._stock,
            "6002": self._prices,
            "9001": self._written,
        }

    def _by_card(self, asked: Asked) -> list[Tree]:
        found = self._store.by_key("patient", asked.needed("CardNo").upper())
        kind, name = asked.needed("CardKind"), asked.text("PatientName").replace(" ", "")
        return [
            one.body
            for one in found
            if one.body["CardKind"] == kind and name in ("", one.body["PatientName"].replace(" ", ""))
        ]

    def _by_number(self, asked: Asked) -> list[Tree]:
        number = asked.needed("PatientNo")
        if self._mixed_up():
            number = self._store.somebody_else("patient", number)
        found = self._store.get("patient", number)
        return [found.body] if found else []

    def _of_patient(self, asked: Asked) -> list[Tree]:
        kind, patient = _KINDS[asked.trade], asked.needed("PatientNo")
        if self._mixed_up():
            patient = self._store.somebody_else(kind, patient)
        return [one.body for one in self._store.of_patient(kind, patient, asked.text("BeginTime"))]

    def _slots(self, asked: Asked) -> list[Tree]:
        timetable.ensure(self._store, self._clock)
        first, last, doctor = asked.needed("BeginDate"), asked.needed("EndDate"), asked.text("DoctorCode")
        return [
            one.body
            for one in self._store.by_key("slot", asked.needed("DeptCode"))
            if first <= one.at[:10] <= last and doctor in ("", one.body["DoctorCode"])
        ]

    def _charges(self, asked: Asked) -> list[Tree]:
        found = self._store.between("charge", asked.needed("BeginTime"), asked.needed("EndTime"))
        return [{name: one.body[name] for name in _CHARGE} for one in found]

    def _stock(self, asked: Asked) -> list[Tree]:
        names = ("DrugCode", "Quantity", "PackUnit", "OccurTime")
        return [{name: body[name] for name in names} for body in self._items("drug", asked)]

    def _prices(self, asked: Asked) -> list[Tree]:
        names = ("ItemCode", "PriceName", "Amount", "ValidFrom")
        items = [*self._items("drug", asked), *self._items("service", asked)]
        return [{name: body[name] for name in names} for body in items]

    def _items(self, kind: str, asked: Asked) -> list[Tree]:
        found = (self._store.get(kind, code) for code in asked.needed("Codes").split(","))
        return [one.body for one in found if one is not None]

    def _written(self, asked: Asked) -> list[Tree]:
        found = self._store.written(asked.needed("OuterNo"))
        if found is None:
            return []
        return [
            {
                "OuterNo": found.outer, "OuterTrade": found.trade, "PatientNo": found.patient,
                "RecordNo": found.number, "RecordTime": found.at, "Parts": {"PartNo": found.parts},
            }
        ]  # fmt: skip


_CHARGE = ("ChargeNo", "ChargeKind", "TradeNo", "Amount", "OccurTime")


def page_of(asked: Asked, rows: list[Tree]) -> list[Tree]:
    """The page that is asked for; everything when none is."""
    page, size = asked.text("Page"), asked.text("PageSize")
    if not page:
        return rows
    if not (page.isdigit() and size.isdigit() and int(page) >= 1 and 1 <= int(size) <= MOST_A_PAGE):
        raise Result(MALFORMED, "页码不正确")
    start = (int(page) - 1) * int(size)
    return rows[start : start + int(size)]
