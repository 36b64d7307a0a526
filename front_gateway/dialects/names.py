"""How two systems' spellings of one name are compared."""

import unicodedata


def comparable(name: str) -> str:
    """Without spaces, width and case; the middle dot of minority names in one form."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    return "".join("·" if letter in "·•・‧∙" else letter for letter in folded if not letter.isspace())
