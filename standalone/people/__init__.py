"""One generator, one world: residents, staff, drugs and demo persons as JSON files (docs/world.md).

Everybody in it is made up. Id numbers are valid by GB 11643 but take their sequence numbers from 900 to 995, phones
start with 199 0000, addresses lie in a road that does not exist. The same seed, size and day give the same bytes.

    python -m standalone.people --out DIR [--size s|m|l|xl] [--seed N] [--today YYYY-MM-DD]
"""

from standalone.people.world import SIZES, make_world

__all__ = ["SIZES", "make_world"]
