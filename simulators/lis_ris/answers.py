"""What the two systems say: results to a question, numbers to an order, acknowledgements to the rest."""

from simulators.lis_ris.records import Json, Records
from simulators.lis_ris.wire import LETTERS, Msg, at, esc, msh, packed, part, unesc
from simulators.server import Clock, Faults

SEX = {"1": "M", "2": "F"}
CATEGORIES = {"LAB": "lab", "RAD": "imaging"}
SYSTEMS = {"lab": "LIS", "imaging": "RIS"}


def letters_of(faults: Faults) -> str:
    return "" if faults.on("no_charset") else "gb18030" if faults.on("gb18030") else "utf-8"


class Answers:
    """Made for one message at a time."""

    def __init__(self, records: Records, clock: Clock, faults: Faults) -> None:
        self._records = records
        self._clock = clock
        self._faults = faults
        self._count = 0

    def to(self, message: Msg, faults: Faults) -> bytes:
        """`faults`: those that hold for the system that is asked (none of them when it is the other's)."""
        if message.kind == "QRY^R02":
            return self._results(message, faults)
        if message.kind == "ORM^O01":
            return self._order(message, faults)
        return self._said(message, faults, "ACK", "AR", "message type not supported", "200")

    def next_control(self) -> str:
        self._count += 1
        return f"LR{self._clock.local():%y%m%d%H%M%S}{self._count:06d}"

    def now(self) -> str:
        return f"{self._clock.local():%Y%m%d%H%M%S}+0800"

    def _head(self, message: Msg, faults: Faults, kind: str, code: str, words: str = "") -> list[str]:
        control = message.field("MSH", 10)
        if faults.on("wrong_control_id"):
            control = f"{control}0"[-20:]
        return [
            msh(message.field("MSH", 5), message.field("MSH", 3), kind, self.next_control(), self.now(), letters_of(faults)),
            f"MSA|{code}|{control}|{esc(words)}".rstrip("|"),
        ]  # fmt: skip

    def _said(self, message: Msg, faults: Faults, kind: str, code: str, words: str, error: str = "") -> bytes:
        lines = self._head(message, faults, kind, code, words)
        if error:
            lines.append(f"ERR|^^^{error}&{esc(words)}&HL70357")
        return packed(lines, letters_of(faults))

    def _results(self, message: Msg, faults: Faults) -> bytes:
        qrd = message.segs("QRD")[0]
        numbers = [part(one, 1) for one in at(qrd, 8).split("~") if one]
        category = CATEGORIES[at(qrd, 10)]
        if not any(self._records.person(one) for one in numbers):
            return self._said(message, faults, "ORF^R04", "AE", "查无此人", "204")
        if faults.on("wrong_patient"):
            numbers = [self._records.somebody_else(numbers)]
        day = message.field("QRF", 2)[:8]
        found = self._records.reports(numbers, category, f"{day[:4]}-{day[4:6]}-{day[6:]}")
        begin, most = int(message.field("DSC", 1) or 0), int(at(qrd, 7).split("^")[0])
        lines = [*self._head(message, faults, "ORF^R04", "AA"), "|".join(qrd), *_line(message, "QRF")]
        before = ""
        for number, report in found[begin : begin + most]:
            if number != before:
                lines.append(self.pid(number))
                before = number
            lines += results(report)
        if begin + most < len(found):
            lines.append(f"DSC|{begin + most}")
        return packed(lines, letters_of(faults))

    def pid(self, number: str, name: str = "") -> str:
        _, known, sex, birth = self._records.person(number) or (number, "", "", "")
        written = esc(name or known)
        return f"PID|1||{number}^^^NXYY^MR||{written[:1]}^{written[1:]}||{birth.replace('-', '')}|{SEX.get(sex, 'U')}"

    def _order(self, message: Msg, faults: Faults) -> bytes:
        control = message.field("MSH", 10)
        if (before := self._records.answer_to(control)) is not None:
            return before
        if words := faults.text("refuse"):
            return self._said(message, faults, "ACK^O01", "AE", words, "102")
        with self._records.transaction():
            lines = [*self._head(message, faults, "ORR^O02", "AA"), *self._items(message)]
            answer = packed(lines, letters_of(faults))
            self._records.remember(control, answer)
        return answer

    def _items(self, message: Msg) -> list[str]:
        made = []
        for orc, obr in zip(message.segs("ORC"), message.segs("OBR"), strict=True):
            placer, control = unesc(orc[2]), orc[1]
            known = self._records.item(placer)
            if control == "NW" and known is None:
                site = part(at(obr, 15), 1) or part(at(obr, 15), 4)
                number = part(message.field("PID", 3), 1)
                fields = (
                    message.field("MSH", 5),
                    number,
                    part(obr[4], 1),
                    part(obr[4], 2),
                    site,
                    part(at(obr, 16), 1),
                )
                made.append(f"ORC|OK|{esc(placer)}|{self._records.take(placer, fields)}")
            elif control == "CA" and known is not None and known[1] == "ordered":
                self._records.set_state(placer, "cancelled")
                made.append(f"ORC|CR|{esc(placer)}|{known[0]}")
            else:
                made += [f"ORC|{'UC' if control == 'CA' else 'UA'}|{esc(placer)}", "NTE|1|L|已执行或已取消"]
        return made


def results(report: Json) -> list[str]:
    """OBR and OBX of one report. `status` (F) and `obx_status` of a planted one may say otherwise."""
    lab, at_noon = report["category"] == "lab", report["date"].replace("-", "") + "160000"
    status = report.get("status", "F")
    section, code = ("LAB" if lab else "RAD"), esc(report["panel"])
    lines = [
        f"OBR|1|{report.get('placer', '')}|{report['id']}|{code}^{esc(report['name'])}^L|||{at_noon}"
        + "|" * 15 + f"{report.get('changed', at_noon)}||{section}|{status}"
    ]  # fmt: skip
    place = 0
    for item in report["items"]:
        place += 1
        kind, limits = ("NM" if item["low"] else "ST"), f"{item['low']}-{item['high']}" if item["low"] else ""
        given = item.get("status", status)
        lines.append(
            f"OBX|{place}|{item.get('type', kind)}|{esc(item['code'])}^{esc(item['name'])}^L||{item.get('raw') or esc(item['value'])}"
            f"|{esc(item['unit'])}|{limits}|{item['flag'] or 'N'}|||{given}|||{at_noon}"
        )
    if not lab:
        for line in str(report.get("findings", "")).split("\n"):
            if line:
                place += 1
                lines.append(f"OBX|{place}|TX|{code}&GDT^检查所见^L||{esc(line)}||||||{status}")
    if report["conclusion"]:
        place += 1
        kind = "FT" if "\n" in report["conclusion"] else "TX"
        name = "检验结论" if lab else "诊断意见"
        lines.append(f"OBX|{place}|{kind}|{code}&IMP^{name}^L||{esc(report['conclusion'])}||||||{status}")
    return lines


def _line(message: Msg, name: str) -> list[str]:
    return ["|".join(one) for one in message.segs(name)]


assert set(LETTERS) >= {"", "utf-8", "gb18030"}
