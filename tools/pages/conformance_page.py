"""docs/conformance.md: the numbered cases a receiver of a supervision profile is tried by."""

from regulator_adapter.conformance.cases import CASES
from tools.pages.markdown import page, table

INTRODUCTION = """What `python -m regulator_adapter.conformance` does to a receiver, and what the receiver must do ([new-profile.md](new-profile.md) says how it is
run). A number is never given to another case. Cases of *weather* need a receiver that makes faults on demand (`--controls`), case 36 fills the
quota of a test environment (`--quota`), case 15 needs a second address of the machine (`--unlisted-address`); without them they are not tried."""


def build() -> dict[str, str]:
    """The page."""
    rows = [(str(case.number), case.area, case.demands) for case in CASES]
    return {
        "docs/conformance.md": page(
            "Conformance cases", INTRODUCTION, table(("case", "area", "what is tried"), rows)
        )
    }
