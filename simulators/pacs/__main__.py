"""`python -m simulators pacs`: DICOMweb on one port, health and test controls on another."""

from starlette.applications import Starlette

from simulators.pacs.app import create_app, declared_faults
from simulators.pacs.archive import Archive, WorldError, load
from simulators.pacs.settings import Settings, read
from simulators.server import (
    Clock,
    Listener,
    Reader,
    SettingError,
    control_routes,
    exception_handlers,
    read_settings,
    serve,
)


def _read(env: Reader) -> tuple[Settings, Archive]:
    settings = read(env)
    try:
        return settings, load(settings.world)
    except WorldError as wrong:
        raise SettingError(str(wrong)) from None


def main() -> None:
    settings, archive = read_settings(_read)
    faults, common = declared_faults(), settings.common
    assert common.health_port is not None
    health = Starlette(
        routes=control_routes(common.env, Clock(), faults), exception_handlers=exception_handlers()
    )
    serve(
        [
            Listener(create_app(archive, faults), common.host, common.port, settings.tls),
            Listener(health, "127.0.0.1", common.health_port),
        ],
        common.log_level,
    )


if __name__ == "__main__":
    main()
