"""`python -m simulators.supervision.tables`: write the tables in docs/profiles anew."""

from pathlib import Path

from simulators.supervision.tables import guangdong, shanghai, tianjin
from simulators.supervision.tables.markdown import replace_tables

DOCUMENTS = Path(__file__).parents[3] / "docs" / "profiles"


def main() -> None:
    for profile in (tianjin(), shanghai(), guangdong()):
        path = DOCUMENTS / f"{profile.name}.md"
        path.write_text(replace_tables(path.read_text(encoding="utf-8"), profile), encoding="utf-8")


if __name__ == "__main__":
    main()
