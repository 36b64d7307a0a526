"""`python -m simulators eprescription`."""

from simulators.eprescription.app import create_app, declared_faults
from simulators.eprescription.settings import read
from simulators.server import Clock, Listener, read_settings, serve


def main() -> None:
    settings = read_settings(read)
    app = create_app(settings, Clock(), declared_faults())
    serve([Listener(app, settings.common.host, settings.common.port)], settings.common.log_level)


if __name__ == "__main__":
    main()
