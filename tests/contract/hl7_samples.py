"""Reading the samples of HL7 v2: one segment a line, UTF-8 on disk, in the letters that MSH-18 names on the wire."""

import json
from pathlib import Path
from typing import Any

SAMPLES = Path(__file__).parent / "samples" / "hl7"


def read(path: Path) -> bytes:
    """The message as it travels."""
    text = path.read_text(encoding="utf-8").replace("\n", "\r")
    return text.encode("gb18030" if "18030" in text.split("\r")[0] else "utf-8")


def plain(message: bytes) -> str:
    """A message as the samples are written; when it was sent and its own id are not the same twice."""
    codec = "gb18030" if b"18030" in message.split(b"\r")[0] else "utf-8"
    lines = message.decode(codec).strip("\r").split("\r")
    mark = lines[0][3]
    head = lines[0].split(mark)
    head[6], head[9] = "$at", "$own" if head[8].startswith(("ORF", "ORR", "ACK")) else head[9]
    return "\n".join([mark.join(head), *lines[1:]]) + "\n"


def stems(folder: str, ending: str) -> list[str]:
    """`1-laboratory`, `2-imaging` … of one folder."""
    found = sorted(SAMPLES.glob(f"{folder}/*-{ending}"), key=lambda path: int(path.name.split("-")[0]))
    return [path.name.removesuffix(f"-{ending}") for path in found]


def loaded(path: Path) -> Any:
    """What a sample in JSON says."""
    return json.loads(path.read_text(encoding="utf-8"))
