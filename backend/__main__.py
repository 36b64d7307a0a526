"""`python -m backend api | worker | media | migrate | seed --world DIR | formulary import FILE | eligibility explain ID`."""

import sys

USAGE = (
    "usage: python -m backend api | worker | media | migrate | seed --world DIR | formulary import FILE"
    " | eligibility explain ID | eligibility check [FILE …]\n"
)


def main(argv: list[str]) -> int:
    """Import what the command runs and run it."""
    command = argv[0] if argv else ""
    if command == "api":
        from backend.app import main as run
    elif command == "worker":
        from backend.worker import main as run
    elif command == "media":
        from backend.media import main as run
    elif command == "migrate":
        from backend.commands import migrate as run
    elif command == "seed":
        from backend.commands import seed

        return seed(argv[1:])
    elif command == "formulary":
        from backend.commands import formulary

        return formulary(argv[1:])
    elif command == "eligibility":
        from backend.commands import eligibility

        return eligibility(argv[1:])
    else:
        sys.stderr.write(USAGE)
        return 2
    return run()


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
