"""What the review engine and the screens know about a drug. Pure; read from the CSV."""

import csv
import io
import re
from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from importlib.resources import files

import msgspec

from foundation.errors import Issue


class Limit(msgspec.Struct, frozen=True):
    """A narrower limit for an age band (months, from and below) or a kidney (eGFR below, ml/min/1.73 m²), or for both.

    Doses are decimal strings in the drug's `dose_unit`, `daily_per_kg` in mg; empty means "as ever". `advice` is `block`
    or `reason` where the drug is not to be used there.
    """

    age_from: int | None = None
    age_below: int | None = None
    egfr_below: int | None = None
    single_max: str = ""
    daily_max: str = ""
    daily_per_kg: str = ""
    advice: str = ""
    source: str = ""


class Drug(msgspec.Struct, frozen=True):
    """One drug of one maker and strength. Doses are decimal strings in `dose_unit`; empty means "no figure"."""

    code: str
    generic_name: str
    trade_name: str
    pinyin: str
    drug_class: str
    tj_class: str
    form_code: str
    form_name: str
    strength: str
    strength_amount: str
    unit: str
    pack_size: int
    pack_unit: str
    manufacturer: str
    price: int
    insurance_class: str
    routes: list[str]
    single_max: str
    daily_max: str
    dose_unit: str
    age_min_years: int
    pregnancy: str
    lactation: str
    indications: list[str]
    allergy_group: str
    skin_test: bool
    control_class: str
    antibacterial_grade: str
    online_allowed: bool
    long_term_allowed: bool
    ingredients: list[str]
    source: str
    insurance_code: str = ""
    insurance_restriction: str = ""
    insurance_icd10: list[str] = []
    limits: list[Limit] = []
    cold_chain: bool = False

    @property
    def allergy_groups(self) -> list[str]:
        """Every group somebody may be allergic to who must not have it."""
        return _parts(self.allergy_group)


CONTROL_CLASSES = (
    "none", "narcotic", "psychotropic_1", "psychotropic_2", "toxic", "radioactive", "precursor",
)  # fmt: skip
ANTIBACTERIAL_GRADES = ("none", "unrestricted", "restricted", "special")
COLD_CHAIN_NAMES = ("胰岛素", "鲁肽", "那肽", "拉坦前列素", "活菌", "疫苗", "单抗")
"""Parts of names of what is kept at 2 to 8 °C before it is opened (labels): only for a list without the column."""
_SPAN = re.compile(r"[A-Z]\d\d(\.\d{1,3})?|[A-Z]\d\d-[A-Z]\d\d")
FLAGS = ("skin_test", "online_allowed", "long_term_allowed")


def builtin_csv() -> str:
    """The list that ships with the software."""
    return (files("backend.formulary") / "data" / "formulary.csv").read_text(encoding="utf-8")


def builtin_limits() -> str:
    """Limits by age and kidney of the list that ships with the software."""
    return (files("backend.formulary") / "data" / "limits.csv").read_text(encoding="utf-8")


def builtin() -> dict[str, Drug]:
    """The list that ships with the software, with its limits, by code."""
    drugs, _ = parse(builtin_csv())
    return {drug.code: drug for drug in with_limits(drugs, parse_limits(builtin_limits())[0])}


def with_limits(drugs: Iterable[Drug], limits: Mapping[str, list[Limit]]) -> list[Drug]:
    """The drugs, each with its own limits."""
    return [msgspec.structs.replace(drug, limits=limits.get(drug.code, [])) for drug in drugs]


def parse_limits(text: str) -> tuple[dict[str, list[Limit]], list[Issue]]:
    """Limits by drug code, and every row that cannot be read; a file of its own, so that a drug stays one row."""
    found: dict[str, list[Limit]] = {}
    issues: list[Issue] = []
    reader = csv.DictReader(io.StringIO(text), strict=True)
    try:
        for row in reader:
            try:
                limit = _limit(row)
                found.setdefault(row["code"], []).append(limit)
            except (KeyError, ValueError) as error:
                line = reader.line_num
                words = f"限量表第 {line} 行无法读取：{error}"
                issues.append(Issue(f"limits line {line}", "unreadable", words))
    except csv.Error as error:
        words = f"限量表第 {reader.line_num} 行无法读取：{error}"
        issues.append(Issue(f"limits line {reader.line_num}", "unreadable", words))
    return found, issues


def _limit(row: dict[str, str]) -> Limit:
    """`ValueError` for a row that says nothing, or of which nobody knows when it holds."""
    if None in row or None in row.values():
        raise ValueError("列数不对")
    for name in ("single_max", "daily_max", "daily_per_kg"):
        _positive(name, row[name])
    if row["advice"] not in ("", "block", "reason"):
        raise ValueError(f"advice 不能是 {row['advice']!r}")
    names = ("age_from_months", "age_below_months", "egfr_below")
    age_from, age_below, egfr = (int(row[name]) if row[name] else None for name in names)
    bounds = (age_from, age_below, egfr)
    if all(one is None for one in bounds) or any(one is not None and one < 0 for one in bounds):
        raise ValueError("须写明年龄段或肾功能，且不能为负")
    if not (row["single_max"] or row["daily_max"] or row["daily_per_kg"] or row["advice"]):
        raise ValueError("须写明限量或建议")
    return Limit(
        age_from, age_below, egfr, row["single_max"], row["daily_max"], row["daily_per_kg"], row["advice"],
        row["source"],
    )  # fmt: skip


def parse(text: str) -> tuple[list[Drug], list[Issue]]:
    """Drugs of a CSV, and every row that cannot be read with its line and column."""
    drugs, issues = [], []
    reader = csv.DictReader(io.StringIO(text), strict=True)
    try:
        for row in reader:
            try:
                drugs.append(_drug(row))
            except (KeyError, ValueError) as error:
                line = reader.line_num
                issues.append(Issue(f"line {line}", "unreadable", f"第 {line} 行无法读取：{error}"))
    except csv.Error as error:
        issues.append(
            Issue(f"line {reader.line_num}", "unreadable", f"第 {reader.line_num} 行无法读取：{error}")
        )
    codes = [drug.code for drug in drugs]
    twice = {code for code in codes if codes.count(code) > 1}
    return drugs, issues + [Issue(code, "twice", f"药品编码 {code} 重复") for code in sorted(twice)]


def _drug(row: dict[str, str]) -> Drug:
    """`ValueError` for what a prescriber could be harmed by: a class nobody knows must not pass for "not controlled"."""
    if None in row or None in row.values():
        raise ValueError("列数不对")
    for name in ("strength_mg", "single_max", "daily_max"):
        _positive(name, row[name])
    for name, allowed in (("control_class", CONTROL_CLASSES), ("antibacterial_grade", ANTIBACTERIAL_GRADES)):
        if row[name] not in allowed:
            raise ValueError(f"{name} 不能是 {row[name]!r}")
    for name in FLAGS:
        if row[name] not in ("0", "1"):
            raise ValueError(f"{name} 只能是 0 或 1")
    for name in ("code", "generic_name"):
        if not row[name].strip():
            raise ValueError(f"{name} 不能为空")
    if int(row["pack_size"]) < 1 or int(row["price_fen"]) < 0 or int(row["age_min_years"] or 0) < 0:
        raise ValueError("pack_size、price_fen 或 age_min_years 不能为负")
    return Drug(
        code=row["code"], generic_name=row["generic_name"], trade_name=row["trade_name"], pinyin=row["pinyin"],
        drug_class=row["drug_class"], tj_class=row["tj_class"], form_code=row["form_code"],
        form_name=row["form_name"], strength=row["strength"], strength_amount=row["strength_mg"], unit=row["unit"],
        pack_size=int(row["pack_size"]), pack_unit=row["pack_unit"], manufacturer=row["manufacturer"],
        price=int(row["price_fen"]), insurance_class=row["insurance_class"], routes=_parts(row["route_codes"]),
        single_max=row["single_max"], daily_max=row["daily_max"], dose_unit=row["dose_unit"],
        age_min_years=int(row["age_min_years"] or 0), pregnancy=row["pregnancy"], lactation=row["lactation"],
        indications=_parts(row["indication_icd10"]), allergy_group=row["allergy_group"],
        skin_test=row["skin_test"] == "1", control_class=row["control_class"],
        antibacterial_grade=row["antibacterial_grade"], online_allowed=row["online_allowed"] == "1",
        long_term_allowed=row["long_term_allowed"] == "1", source=row["source"],
        ingredients=_parts(row.get("ingredients", "") or row["generic_name"]),
        insurance_code=row.get("insurance_code", ""), insurance_restriction=row.get("insurance_restriction", ""),
        insurance_icd10=_spans(row.get("insurance_icd10", "")), cold_chain=_cold(row),
    )  # fmt: skip


def _cold(row: dict[str, str]) -> bool:
    """What the column says. A list without the column must not send insulin by courier: there the name decides."""
    if "cold_chain" not in row:
        return any(stem in row["generic_name"] for stem in COLD_CHAIN_NAMES)
    if row["cold_chain"] not in ("0", "1"):
        raise ValueError("cold_chain 只能是 0 或 1")
    return row["cold_chain"] == "1"


def _positive(name: str, text: str) -> None:
    try:
        right = not text or (Decimal(text).is_finite() and Decimal(text) > 0)
    except InvalidOperation:
        right = False
    if not right:
        raise ValueError(f"{name} 不是正数：{text!r}")


def _spans(text: str) -> list[str]:
    """Codes and spans of categories for which an insurance pays: `J44`, `B18.1`, `M80-M82`."""
    found = _parts(text)
    for span in found:
        if not _SPAN.fullmatch(span):
            raise ValueError(f"insurance_icd10 不能是 {span!r}")
    return found


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split("|") if part.strip()]


def changed(old: Iterable[Drug], new: Iterable[Drug]) -> tuple[list[Drug], list[Drug], list[Drug]]:
    """Added, changed, withdrawn."""
    before, after = {drug.code: drug for drug in old}, {drug.code: drug for drug in new}
    added = [drug for code, drug in after.items() if code not in before]
    altered = [drug for code, drug in after.items() if code in before and before[code] != drug]
    withdrawn = [drug for code, drug in before.items() if code not in after]
    return added, altered, withdrawn
