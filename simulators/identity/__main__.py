"""`python -m simulators identity`."""

from simulators.identity.app import create_app, declared_faults
from simulators.identity.register import Register, load
from simulators.identity.settings import Settings, read
from simulators.server import Clock, Listener, Reader, read_settings, serve


def _read(env: Reader) -> tuple[Settings, Register]:
    settings = read(env)
    return settings, load(settings.world)


def main() -> None:
    settings, register = read_settings(_read)
    app = create_app(settings, register, Clock(), declared_faults())
    serve([Listener(app, settings.common.host, settings.common.port)], settings.common.log_level)


if __name__ == "__main__":
    main()
