"""`make docs`: write the documents that come from the code."""

from tools.house_rules import ROOT
from tools.pages import (
    conformance_page,
    data_classes_page,
    eligibility_page,
    errors_page,
    events_page,
    refund_rules_page,
    review_page,
    settings_page,
    states_page,
)


def documents() -> dict[str, str]:
    """Content of every generated file, by its path."""
    pages = (
        settings_page,
        states_page,
        errors_page,
        events_page,
        refund_rules_page,
        review_page,
        data_classes_page,
        eligibility_page,
        conformance_page,
    )
    return {path: text for one in pages for path, text in one.build().items()}


def forgotten() -> list[str]:
    """Things in the code that no list of a page names."""
    return settings_page.unlisted() + states_page.unlisted() + errors_page.unlisted()


def main() -> None:
    """Write what changed."""
    for path, text in documents().items():
        file = ROOT / path
        if not file.exists() or file.read_text(encoding="utf-8") != text:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
            print(f"wrote {path}")


if __name__ == "__main__":
    main()
