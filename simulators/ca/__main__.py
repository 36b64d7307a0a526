"""`python -m simulators ca`."""

from simulators.ca.app import create_app, declared_faults
from simulators.ca.holders import Holder, load
from simulators.ca.settings import Settings, read
from simulators.server import Clock, Listener, Reader, read_settings, serve


def _read(env: Reader) -> tuple[Settings, dict[str, Holder]]:
    settings = read(env)
    return settings, load(settings.world)


def main() -> None:
    settings, holders = read_settings(_read)
    app = create_app(settings, holders, Clock(), declared_faults())
    serve([Listener(app, settings.common.host, settings.common.port)], settings.common.log_level)


if __name__ == "__main__":
    main()
