"""`python -m simulators his|his_soap|supervision|courier|identity|ca|ebill|sms|review_server|eprescription|pacs|lis_ris`: start one.

Each is a package with a `__main__` module and a `main()` in it; only the one asked for is imported.
"""

import importlib
import sys

NAMES = (
    "his",
    "his_soap",
    "supervision",
    "courier",
    "identity",
    "ca",
    "ebill",
    "sms",
    "review_server",
    "eprescription",
    "pacs",
    "lis_ris",
)


def main(arguments: list[str]) -> None:
    if len(arguments) != 1 or arguments[0] not in NAMES:
        sys.stderr.write(f"usage: python -m simulators {'|'.join(NAMES)}\n")
        raise SystemExit(2)
    importlib.import_module(f"simulators.{arguments[0]}.__main__").main()


if __name__ == "__main__":
    main(sys.argv[1:])
