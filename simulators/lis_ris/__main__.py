"""`python -m simulators lis_ris`: MLLP on one port, health and test controls on another."""

from simulators.lis_ris.app import create_app
from simulators.lis_ris.settings import read
from simulators.server import Listener, read_settings, serve


def main() -> None:
    settings = read_settings(read)
    common = settings.common
    assert common.health_port is not None
    serve([Listener(create_app(settings), "127.0.0.1", common.health_port)], common.log_level)


if __name__ == "__main__":
    main()
