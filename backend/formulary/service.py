"""Importing the formulary: idempotent, with a report of what changed, and an event."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.formulary.facts import Drug, changed, parse, parse_limits, with_limits
from backend.formulary.model import DrugRow
from contracts import events
from foundation.actor import Actor
from foundation.db.audit import audit
from foundation.db.locks import lock_stream
from foundation.db.outbox import publish
from foundation.db.unit_of_work import clock_of
from foundation.errors import Invalid, Issue

STREAM = "catalogue:drug"


@dataclass(frozen=True)
class Report:
    """What an import did, or would do: codes, and of each changed drug what was changed from what to what."""

    version: str
    added: list[str]
    changed: list[str]
    withdrawn: list[str]
    details: tuple[str, ...] = ()


async def import_csv(
    session: AsyncSession, actor: Actor, text: str, limits: str | None = None, *, dry_run: bool = False
) -> Report:
    """Make the stored list equal to the CSV; `Invalid` with every bad row, and then nothing is changed.

    Without `limits` (limits by age and kidney) every drug keeps those it has. `dry_run` only says what would be done.
    """
    drugs, issues = parse(text)
    bounds, more = parse_limits(limits) if limits is not None else ({}, [])
    codes = {drug.code for drug in drugs}
    issues = [*issues, *more] + [
        Issue(code, "unknown_drug", f"限量表中的药品编码 {code} 不在目录中")
        for code in bounds
        if code not in codes
    ]
    if issues:
        raise Invalid("药品目录有误，未导入", issues=issues)
    await lock_stream(session, STREAM)
    stored = (await session.scalars(select(DrugRow))).all()
    rows = {row.code: row for row in stored}
    known = {row.code: msgspec.convert(row.facts, Drug) for row in stored}
    if limits is None:
        bounds = {code: drug.limits for code, drug in known.items()}
    drugs = with_limits(drugs, bounds)
    old = [known[row.code] for row in stored if row.valid]
    added, altered, withdrawn = changed(old, drugs)
    version = f"d{max((int(row.catalogue_version[1:]) for row in stored), default=0) + 1}"
    report = Report(
        version, [d.code for d in added], [d.code for d in altered], [d.code for d in withdrawn],
        tuple(difference(known[drug.code], drug) for drug in altered),
    )  # fmt: skip
    if dry_run or not (added or altered or withdrawn):
        return report
    for drug in (*added, *altered):
        _put(session, rows.get(drug.code), drug, version)
    for drug in withdrawn:
        gone = rows[drug.code]
        gone.valid, gone.catalogue_version, gone.changed_at = False, version, clock_of(session).now()
    await publish(session, STREAM, _event(version, [*added, *altered], withdrawn, clock_of(session).now()))
    audit(
        session, actor, "formulary.import", "catalogue", version,
        detail={"added": str(len(added)), "changed": str(len(altered)), "withdrawn": str(len(withdrawn))},
    )  # fmt: skip
    return report


def difference(old: Drug, new: Drug) -> str:
    """`YP001 苯磺酸氨氯地平片: price 1860 → 1900`."""
    parts = [
        f"{name} {_shown(getattr(old, name))} → {_shown(getattr(new, name))}"
        for name in Drug.__struct_fields__
        if getattr(old, name) != getattr(new, name)
    ]
    return f"{new.code} {new.generic_name}: {', '.join(parts)}"


def _shown(value: object) -> str:
    if isinstance(value, list):
        return f"[{len(value)}]" if value and not isinstance(value[0], str) else "|".join(value)
    return str(value)


def _put(session: AsyncSession, row: DrugRow | None, drug: Drug, version: str) -> None:
    if row is None:
        row = DrugRow(code=drug.code)
        session.add(row)
    row.generic_name, row.pinyin, row.price = drug.generic_name, drug.pinyin, drug.price
    row.facts, row.valid, row.catalogue_version = msgspec.to_builtins(drug), True, version
    row.changed_at = clock_of(session).now()


def _event(
    version: str, valid: Sequence[Drug], withdrawn: Sequence[Drug], at: datetime
) -> events.DrugCatalogueChanged:
    drugs = [_catalogue_drug(drug, valid=True) for drug in valid]
    drugs += [_catalogue_drug(drug, valid=False) for drug in withdrawn]
    return events.DrugCatalogueChanged(catalogue_version=version, drugs=drugs, changed_at=at)


def _catalogue_drug(drug: Drug, *, valid: bool) -> events.CatalogueDrug:
    return events.CatalogueDrug(
        code=drug.code, name=drug.generic_name, trade_name=drug.trade_name, drug_class=drug.tj_class,
        strength=drug.strength, form_code=drug.form_code, pack=f"{drug.pack_size}{drug.unit}/{drug.pack_unit}",
        manufacturer=drug.manufacturer, national_code="", price=drug.price, valid=valid,
    )  # fmt: skip
