"""`artefacts/data-at-rest.md`: what was searched, how, and what was found."""

from collections.abc import Sequence
from pathlib import Path

from tests.at_rest.places import Looked

FILE = Path(__file__).parents[2] / "artefacts" / "data-at-rest.md"


def write(looked: Sequence[Looked], planted: Sequence[str], shapes: Sequence[str], at: str) -> None:
    """Over the one before."""
    found = [one for place in looked for one in place.found]
    lines = [
        "# Nothing of the hospital's at rest in the cloud",
        "",
        f"Made by `make test` on {at}. {len(planted)} marks were planted in everything the simulated hospital tells about one",
        "patient; a whole visit was played, the doctor read the records through the gateway, and afterwards every place where",
        "the cloud keeps something was searched.",
        "",
        f"**{'Nothing was found.' if not found else f'{len(found)} finds.'}**",
        "",
        "| place | pieces | MB | sealed values opened | found |",
        "|---|---|---|---|---|",
        *(
            f"| {one.place} | {one.pieces} | {one.size / 1e6:.1f} | {one.opened or ''} | {len(one.found)} |"
            for one in looked
        ),
        "",
        *(f"- {one}" for one in found[:200]),
        *(f"- {one.place}: {note}" for one in looked for note in one.notes),
        "",
        f"Searched for in these shapes: {', '.join(sorted(set(shapes)))};",
        "in rows, keys and objects also inside compressed, base64 and hex parts, three deep. Not searched: the memory of processes, and disks below the file system.",
        "",
        "Marked in the hospital:",
        "",
        *(f"- {one}" for one in sorted(set(planted))),
        "",
    ]
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text("\n".join(lines), encoding="utf-8")
