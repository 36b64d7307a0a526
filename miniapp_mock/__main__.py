"""`python -m miniapp_mock front|wechat`: each part is imported only when it is asked for."""

import importlib
import sys

PARTS = {"front": "miniapp_mock.front.__main__", "wechat": "miniapp_mock.wechat.__main__"}


def main(arguments: list[str]) -> None:
    if len(arguments) != 1 or arguments[0] not in PARTS:
        sys.stderr.write(f"usage: python -m miniapp_mock {'|'.join(PARTS)}\n")
        raise SystemExit(2)
    importlib.import_module(PARTS[arguments[0]]).main()


if __name__ == "__main__":
    main(sys.argv[1:])
