"""`python -m tests.contract.write_supervision_samples`: writes the sample feed and the records it becomes.

The feed is written once and kept (its ids are random); the records are what the mappings make of it now: look at the diff.
"""

import json
from pathlib import Path

import msgspec

from contracts.envelope import Envelope
from tests.builders.events import Feed, one_of_each
from tests.contract.platforms import SAMPLES, SAMPLES_BY_TABLE
from tests.unit.regulator_adapter.mapped import all_records


def main() -> None:
    """Write what is not there, and every record anew."""
    write(SAMPLES, "city")
    write(SAMPLES_BY_TABLE, "guangdong", only="guangdong")


def write(folder: Path, table: str, only: str = "") -> None:
    """Feed and records of one routing table; `only` those of one profile."""
    place = folder / "feed.json"
    folder.mkdir(exist_ok=True)
    if not place.exists():
        place.write_bytes(msgspec.json.format(msgspec.json.encode(Feed().envelopes(one_of_each()))) + b"\n")
    envelopes = msgspec.json.decode(place.read_bytes(), type=list[Envelope])
    for old in folder.glob("*/*-request.json"):
        old.unlink()
    seen: dict[tuple[str, str], int] = {}
    for envelope, stop, record, _ in all_records(envelopes, table):
        case = (stop.method, envelope.type)
        if (
            (only and stop.profile != only)
            or case in seen
            or (stop.method == "uploadChainLink" and len([one for one in seen if one[0] == stop.method]) == 2)
        ):
            continue
        seen[case] = number = len([one for one in seen if one[0] == stop.method]) + 1
        (folder / stop.method).mkdir(parents=True, exist_ok=True)
        sample = {"event_id": str(envelope.event_id), "number": stop.number, "record": record}
        text = json.dumps(sample, ensure_ascii=False, indent=2) + "\n"
        name = f"{number}-{envelope.type.replace('.', '-')}-request.json"
        (folder / stop.method / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
