"""The places where the cloud keeps something, each with a search of its own. All of it reads and changes nothing."""

import asyncio
import os
import subprocess
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import asyncpg
import psutil
from redis.asyncio import Redis

from foundation.crypto import CannotOpenError, Keyring
from foundation.db.columns import EncryptedJson, EncryptedText
from foundation.object_store import FolderStore
from tests.at_rest.forms import LARGEST, Marks
from tools.house_rules.columns import declared_columns


@dataclass
class Looked:
    """What was searched in one kind of place and what was found."""

    place: str
    pieces: int = 0
    size: int = 0
    opened: int = 0
    notes: list[str] = field(default_factory=list)
    found: list[str] = field(default_factory=list)

    def see(self, name: str, size: int, found: Iterable[str]) -> None:
        """One piece more."""
        self.pieces += 1
        self.size += size
        self.found += [f"{name}: {shape}" for shape in found]


def plain(url: str) -> str:
    """The address without SQLAlchemy's driver."""
    return url.replace("+asyncpg", "")


async def tables(url: str, marks: Marks, keyring: Keyring) -> Looked:
    """Every row of every table as text; binary values raw, unpacked, and opened with the hospital's own keys."""
    looked = Looked("tables, every row, sealed values opened")
    connection = await asyncpg.connect(plain(url))
    try:
        for schema, table in await connection.fetch(_TABLES):
            await _table(connection, schema, table, marks, keyring, looked)
    finally:
        await connection.close()
    return looked


_TABLES = (
    "SELECT schemaname, tablename FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema') "
    "ORDER BY 1, 2"
)


async def _table(
    connection: Any, schema: str, table: str, marks: Marks, keyring: Keyring, looked: Looked
) -> None:
    rows = await connection.fetch(f'SELECT t::text AS "whole row", t.* FROM "{schema}"."{table}" t')
    if not rows:
        return
    for column in rows[0].keys():  # noqa: SIM118 - a row iterates over its values
        values = [row[column] for row in rows if row[column] is not None]
        told = "\n".join(one for one in values if isinstance(one, str)).encode()
        inside = [opened(keyring, one, f"{table}.{column}") for one in values if isinstance(one, bytes)]
        raw = b"\n".join(one for one in values if isinstance(one, bytes))
        looked.opened += sum(one is not None for one in inside)
        if column == "whole row":
            looked.see(f"{table} ({len(rows)} rows)", len(told), marks.seen(told))
        else:
            content = b"\n".join((told, raw, *(one or b"" for one in inside)))
            looked.see(f"{table}.{column}", 0, marks.seen_within(content))
        if blind := sum(one is None for one in inside) if (table, column) in sealed_columns() else 0:
            looked.found.append(
                f"{table}.{column}: {blind} sealed values do not open, so nobody knows what they hold"
            )


@cache
def sealed_columns() -> frozenset[tuple[str, str]]:
    """Table and column of what the keyring seals; each is sealed under the name of its column."""
    columns = [one for one in declared_columns() if isinstance(one.type, EncryptedText | EncryptedJson)]
    for one in columns:
        assert one.type.field == str(one), f"{one} is sealed under {one.type.field}"  # type: ignore[attr-defined]
    return frozenset((one.table.name, one.name) for one in columns)


def opened(keyring: Keyring, value: bytes, name: str) -> bytes | None:
    """The plain value of a sealed one; None for a digest, a blind index, a key."""
    try:
        return keyring.open(value, name)
    except CannotOpenError:
        return None


async def checkpoint(url: str) -> None:
    """Everything the database knows is in its files."""
    connection = await asyncpg.connect(plain(url))
    try:
        await connection.execute("CHECKPOINT")
    finally:
        await connection.close()


def files(place: str, roots: Iterable[Path], marks: Marks, skipped: Iterable[Path] = ()) -> Looked:
    """Every file below `roots` as it lies on the disk, and the compressed streams in it."""
    looked, left_out = Looked(place), set(skipped)
    for root in roots:
        for path in _below(root, left_out):
            try:
                content = path.read_bytes()
            except FileNotFoundError:  # a server's own temporary file
                continue
            looked.see(str(path.relative_to(root.parent)), len(content), marks.seen(content))
            if len(content) < LARGEST:  # a table's own compression is not zlib; its rows were read above
                looked.found += [f"{path.name}: {one}" for one in marks.seen_compressed(content)]
    return looked


def _below(root: Path, left_out: set[Path]) -> Iterator[Path]:
    for folder, names, found in os.walk(root):
        names[:] = [name for name in names if Path(folder, name) not in left_out]
        for name in found:
            path = Path(folder, name)
            if path.is_file() and not path.is_symlink():
                yield path


def objects(root: Path, keyring: Keyring, marks: Marks) -> Looked:
    """The object store's files, raw and opened."""
    looked, store = Looked("object store, opened"), FolderStore(root, keyring)
    for path in sorted(one for one in root.rglob("*") if one.is_file()):
        key = str(path.relative_to(root)).removesuffix(".part")
        content = b"".join(store.chunks(key)) if path.suffix != ".part" else path.read_bytes()
        looked.opened += path.suffix != ".part"
        looked.see(key, len(content), marks.seen(content) or marks.seen_compressed(content))
        looked.found += [f"{key}: {one}" for one in marks.seen(path.read_bytes())]
    return looked


def dump(program: Path, url: str, marks: Marks) -> Looked:
    """What a backup by pg_dump would carry away."""
    name = url.rsplit("/", 1)[1]
    looked = Looked(f"{name}: pg_dump")
    done = subprocess.run(
        [program, "--dbname", plain(url), "--no-password"], capture_output=True, check=True, timeout=60
    )
    looked.see(name, len(done.stdout), marks.seen(done.stdout))
    looked.notes.append(f"{done.stdout.count(b'COPY ')} tables")
    return looked


async def valkey(url: str, marks: Marks) -> Looked:
    """Every key with its value; that nothing of it can reach a file."""
    looked = Looked("Valkey, every key")
    async with Redis.from_url(url) as cache:
        async for key in cache.scan_iter(count=500):
            value = await _value(cache, key)
            looked.see(key.decode(errors="replace"), len(value), marks.seen_within(key + b"\n" + value))
        persistence = await cache.info("persistence")
        told = {name: (await cache.config_get(name))[name] for name in ("save", "appendonly")}
    if told != {"save": "", "appendonly": "no"} or persistence["rdb_saves"] or persistence["aof_enabled"]:
        looked.found.append(f"Valkey writes files: {told}")
    looked.notes.append("no snapshot was ever written, no append-only file is kept")
    return looked


_READS: dict[bytes, Callable[[Any, bytes], Awaitable[Any]]] = {
    b"string": lambda cache, key: cache.get(key),
    b"hash": lambda cache, key: cache.hgetall(key),
    b"list": lambda cache, key: cache.lrange(key, 0, -1),
    b"set": lambda cache, key: cache.smembers(key),
    b"zset": lambda cache, key: cache.zrange(key, 0, -1),
}


async def _value(cache: Any, key: bytes) -> bytes:
    kind = await cache.type(key)
    if kind == b"none":
        return b""
    found = await _READS[kind](cache, key)
    if isinstance(found, dict):
        found = [part for pair in found.items() for part in pair]
    return found if isinstance(found, bytes) else b"\n".join(found or ())


def processes(running: Iterable[psutil.Process], marks: Marks) -> Looked:
    """Environment and arguments of every process, and that none may leave a core file."""
    looked = Looked("environment and arguments of processes")
    for one in running:
        try:
            content = (
                Path(f"/proc/{one.pid}/environ").read_bytes() + Path(f"/proc/{one.pid}/cmdline").read_bytes()
            )
            core = core_files(one.pid)
        except (FileNotFoundError, ProcessLookupError, psutil.NoSuchProcess):  # ended meanwhile
            continue
        looked.see(f"process {one.pid}", len(content), marks.seen(content))
        if core != "0":
            looked.found.append(f"process {one.pid} may write its memory to a core file")
    return looked


def core_files(pid: int) -> str:
    """The largest core file that a process may leave, `0` for none."""
    limits = Path(f"/proc/{pid}/limits").read_text(encoding="ascii").splitlines()
    return next(line.split()[4] for line in limits if line.startswith("Max core file size"))


async def in_thread(work: Callable[..., Looked], *arguments: Any) -> Looked:
    """Searching is work for the processor: the clients of a shared world must go on meanwhile."""
    return await asyncio.to_thread(work, *arguments)
