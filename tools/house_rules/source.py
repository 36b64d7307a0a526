"""The files that rules look at."""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parents[2]

CODE_FOLDERS = (
    "backend", "contracts", "foundation", "front_gateway", "miniapp_mock", "regulator_adapter", "simulators",
    "standalone", "tests", "tools",
)  # fmt: skip
TEXT_FOLDERS = (*CODE_FOLDERS, "docs", "deploy", "locks", ".ci")
TEXT_SUFFIXES = (
    "", ".py", ".md", ".toml", ".txt", ".json", ".yaml", ".yml", ".html", ".css", ".js", ".csv", ".ini", ".sh",
)  # fmt: skip
SKIPPED = {"__pycache__", "vendor", "node_modules"}


@dataclass(frozen=True)
class Finding:
    """One line that breaks one rule."""

    rule: str
    path: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.rule}: {self.text}"


@dataclass(frozen=True)
class Source:
    """A Python file; `path` is relative to the root of the repository."""

    path: PurePosixPath
    text: str

    @cached_property
    def lines(self) -> list[str]:
        """Its lines, the first at index 0."""
        return self.text.splitlines()

    @cached_property
    def nodes(self) -> tuple[ast.AST, ...]:
        """Every node of its syntax tree."""
        return tuple(ast.walk(ast.parse(self.text)))

    @property
    def folder(self) -> str:
        """The package it belongs to; `miniapp_mock` counts as two, because its halves share nothing."""
        first, *rest = self.path.parts
        return f"{first}/{rest[0]}" if first == "miniapp_mock" and len(rest) > 1 else first


def _files(folders: Iterable[str], root: Path) -> Iterator[Path]:
    for folder in folders:
        for path in sorted((root / folder).rglob("*")):
            if path.is_file() and not SKIPPED.intersection(path.parts):
                yield path


@cache
def sources(root: Path = ROOT) -> tuple[Source, ...]:
    """All Python files of the repository, read once."""
    return tuple(
        Source(PurePosixPath(path.relative_to(root)), path.read_text(encoding="utf-8"))
        for path in _files(CODE_FOLDERS, root)
        if path.suffix == ".py"
    )


def texts(root: Path = ROOT) -> Iterator[tuple[str, str]]:
    """Path and content of every text file that is part of the repository."""
    top = (path for path in sorted(root.iterdir()) if path.is_file())
    for path in (*top, *_files(TEXT_FOLDERS, root)):
        if path.suffix in TEXT_SUFFIXES or path.name == "Makefile":
            yield str(path.relative_to(root)), path.read_text(encoding="utf-8")
