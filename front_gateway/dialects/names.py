"""Names of persons, made comparable whatever a hospital's clerks typed."""

import unicodedata


def plain_name(name: str) -> str:
    """Without spaces, width and case; the middle dot of minority names in one form."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    return "".join("·" if letter in "·•・‧∙" else letter for letter in folded if not letter.isspace())
