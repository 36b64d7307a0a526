"""Looking drugs up."""

from collections.abc import Iterable, Sequence

import msgspec
from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.formulary.facts import Drug
from backend.formulary.model import DrugRow


async def by_codes(session: AsyncSession, codes: Iterable[str]) -> dict[str, Drug]:
    """Valid drugs by code; unknown and withdrawn codes are missing."""
    query = select(DrugRow).where(DrugRow.code.in_(set(codes)), DrugRow.valid)
    return {row.code: msgspec.convert(row.facts, Drug) for row in await session.scalars(query)}


async def all_valid(session: AsyncSession) -> Sequence[DrugRow]:
    """The whole list in force, by code."""
    return (await session.scalars(select(DrugRow).where(DrugRow.valid).order_by(DrugRow.code))).all()


async def facts_of(session: AsyncSession, codes: Iterable[str]) -> dict[str, Drug]:
    """Drugs by code, withdrawn ones too: what was prescribed before must still be judged. Codes nobody knows are missing."""
    query = select(DrugRow).where(DrugRow.code.in_(set(codes)))
    return {row.code: msgspec.convert(row.facts, Drug) for row in await session.scalars(query)}


async def names(session: AsyncSession, codes: Iterable[str]) -> dict[str, str]:
    """Generic names by code, of withdrawn drugs too: what was written once must stay readable."""
    query = select(DrugRow.code, DrugRow.generic_name).where(DrugRow.code.in_(set(codes)))
    return {row.code: row.generic_name for row in await session.execute(query)}


async def tested_groups(session: AsyncSession) -> list[str]:
    """Allergy groups of the valid drugs that need a skin test."""
    query = select(DrugRow).where(DrugRow.valid, DrugRow.facts["skin_test"].as_boolean())
    drugs = [msgspec.convert(row.facts, Drug) for row in await session.scalars(query)]
    return sorted({group for drug in drugs for group in drug.allergy_groups})


async def search(session: AsyncSession, words: str, limit: int = 30) -> Sequence[Drug]:
    """Valid drugs whose name or pinyin initials contain `words`, by name."""
    wanted = words.strip().lower().replace("%", "").replace("_", "")
    query = (
        select(DrugRow)
        .where(DrugRow.valid, or_(DrugRow.generic_name.contains(wanted), DrugRow.pinyin.contains(wanted)))
        .order_by(DrugRow.generic_name)
        .limit(limit)
    )
    return [msgspec.convert(row.facts, Drug) for row in await session.scalars(query)]


async def catalogue_version(session: AsyncSession) -> str:
    """The newest version, for fee lines."""
    query = select(DrugRow.catalogue_version).order_by(DrugRow.changed_at.desc()).limit(1)
    return await session.scalar(query) or "d0"
