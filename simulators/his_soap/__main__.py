"""`python -m simulators his_soap`: the hospital, SOAP on one port, health and test controls on another."""

import signal
import sys

from starlette.applications import Starlette

from simulators.his_soap import settings as his_settings
from simulators.his_soap.app import create_app
from simulators.his_soap.controls import routes
from simulators.his_soap.hospital import Hospital
from simulators.server import (
    BodyLimit,
    Clock,
    Listener,
    control_routes,
    exception_handlers,
    read_settings,
    serve,
)


def main() -> None:
    settings = read_settings(his_settings.read)
    hospital = Hospital(settings.world, settings.data, Clock(), lambda: signal.raise_signal(signal.SIGTERM))
    common = settings.common
    assert common.health_port is not None
    controls = control_routes(
        common.env, hospital.clock, hospital.faults,
        ready=lambda: [] if hospital.ready else ["store"], extra=routes(hospital),
    )  # fmt: skip
    health = BodyLimit(Starlette(routes=controls, exception_handlers=exception_handlers()))
    serve(
        [
            Listener(create_app(hospital, settings.names), common.host, common.port, settings.tls),
            Listener(health, "127.0.0.1", common.health_port),
        ],
        common.log_level,
    )
    if hospital.failure:
        sys.stderr.write(f"{hospital.failure}\n")
        raise SystemExit(2)


if __name__ == "__main__":
    main()
