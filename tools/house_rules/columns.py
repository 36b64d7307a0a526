"""Every stored column says which class of data it holds, and what is personal or clinical is stored encrypted."""

import ast
import importlib

from sqlalchemy import Column, LargeBinary
from sqlalchemy.types import TypeDecorator, TypeEngine

from foundation.db.base import Base
from foundation.db.columns import DataClass
from tools.house_rules.source import sources

ALWAYS_ENCRYPTED = {DataClass.PERSONAL, DataClass.CONTENT}


def model_modules() -> list[str]:
    """Modules that map a table: a class in them sets `__tablename__`."""
    return [
        ".".join(source.path.with_suffix("").parts)
        for source in sources()
        if source.path.parts[0] in ("foundation", "backend", "regulator_adapter")
        and "__tablename__" in source.text
        and any(isinstance(node, ast.Name) and node.id == "__tablename__" for node in source.nodes)
    ]


def declared_columns() -> list[Column[object]]:
    """Columns of all mapped tables."""
    for name in model_modules():
        importlib.import_module(name)
    return [column for table in Base.metadata.tables.values() for column in table.columns]


def undeclared(columns: list[Column[object]]) -> list[str]:
    """Columns without a class, columns of a secret class in plain text, and columns for what is never stored."""
    broken = []
    for column in columns:
        held = column.info.get("data_class")
        if not isinstance(held, DataClass):
            broken.append(f"{column} declares no data class")
        elif held is DataClass.HOSPITAL:
            broken.append(f"{column} would store what is the hospital's")
        elif held in ALWAYS_ENCRYPTED and not isinstance(_stored_as(column.type), LargeBinary):
            broken.append(f"{column} is {held} and not encrypted")
    return broken


def _stored_as(kind: TypeEngine[object]) -> TypeEngine[object]:
    return kind.impl_instance if isinstance(kind, TypeDecorator) else kind
