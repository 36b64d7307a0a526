"""A million residents: made in chunks by one process per core. Who makes a chunk, and when, changes nothing in it."""

import os
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from datetime import date
from multiprocessing import get_context
from multiprocessing.connection import Connection
from random import Random

import msgspec

from standalone.people import catalogue
from standalone.people.load_patients import LoadPatients
from standalone.people.residents import resident
from standalone.people.shapes import DemoPerson
from standalone.people.visits import VisitMaker

CHUNK = 10_000
# nobody has more than twelve visits, with one prescription and one report each
_NUMBERS = 20 * CHUNK

Birth = tuple[date, str, str]
"""Birth date, sex, id number."""


class Chunk(msgspec.Struct):
    """Encoded entries of `residents.json` and `identity.json`, one a line, and who of these may play a part in load tests."""

    residents: bytes
    identities: bytes
    picked: list[DemoPerson]


@dataclass(frozen=True)
class Crowd:
    """`births` of everybody, who get the places from `first` on; `picked` of each chunk are for load tests."""

    seed: int
    today: date
    doctors: dict[str, list[str]]
    first: int
    births: Sequence[Birth]
    picked: int

    def __len__(self) -> int:
        return (len(self.births) + CHUNK - 1) // CHUNK

    def chunk(self, number: int) -> Chunk:
        """With random streams and numbers of its own, so that it hangs on no other."""
        random = self._stream("residents", number)
        visits = VisitMaker(
            self._stream("visits", number), catalogue.load(), self.doctors, (number + 1) * _NUMBERS + 1
        )
        start = number * CHUNK
        made = (
            resident(random, visits, self.today, self.first + start + place, *birth)
            for place, birth in enumerate(self.births[start : start + CHUNK])
        )
        load = LoadPatients(self._stream("load", number), self.today, self.picked)
        encode = msgspec.json.Encoder().encode
        residents, identities = [], []
        for one in load.look_at(made):
            residents.append(encode(one))
            identities.append(encode({"name": one.name, "id_number": one.id_number}))
        return Chunk(b",\n".join(residents), b",\n".join(identities), load.picked)

    def _stream(self, name: str, number: int) -> Random:
        return Random(f"{self.seed}/{name}/{number}")  # noqa: S311 - a world must be repeatable, not secret


def chunks(crowd: Crowd, processes: int = 0) -> Generator[Chunk, None, None]:
    """All of them in order, made by so many processes (0: one per core)."""
    number = min(processes or os.cpu_count() or 1, len(crowd))
    if number <= 1:
        yield from map(crowd.chunk, range(len(crowd)))
        return
    catalogue.load()
    context = get_context("fork")
    pipes = [context.Pipe(duplex=False) for _ in range(number)]
    workers = [
        context.Process(target=_work, args=(crowd, pipes, place), daemon=True) for place in range(number)
    ]
    try:
        for worker in workers:
            worker.start()
        for _, sending in pipes:
            sending.close()
        decode = msgspec.msgpack.Decoder(Chunk).decode
        for place in range(len(crowd)):
            yield decode(pipes[place % number][0].recv_bytes())
    finally:
        for receiving, _ in pipes:
            receiving.close()
        for worker in workers:
            worker.join()


def _work(crowd: Crowd, pipes: list[tuple[Connection, Connection]], place: int) -> None:
    """Every so many-th chunk. Nobody but the parent listens, so that its end is this process's too."""
    for other, (receiving, sending) in enumerate(pipes):
        receiving.close()
        if other != place:
            sending.close()
    try:
        for number in range(place, len(crowd), len(pipes)):
            pipes[place][1].send_bytes(msgspec.msgpack.encode(crowd.chunk(number)))
    except (BrokenPipeError, KeyboardInterrupt):
        pass
