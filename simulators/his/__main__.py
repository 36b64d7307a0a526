"""`python -m simulators his`: the hospital, FHIR on one port, health and test controls on another."""

import signal
import sys

from starlette.applications import Starlette

from simulators.his import settings as his_settings
from simulators.his.app import create_app
from simulators.his.controls import routes
from simulators.his.hospital import Hospital
from simulators.server import (
    BodyLimit,
    Clock,
    Listener,
    control_routes,
    exception_handlers,
    read_settings,
    serve,
)


def health_app(hospital: Hospital, env: str) -> BodyLimit:
    controls = control_routes(
        env,
        hospital.clock,
        hospital.faults,
        ready=lambda: [] if hospital.ready else ["store"],
        extra=routes(hospital),
    )
    return BodyLimit(Starlette(routes=controls, exception_handlers=exception_handlers()))


def main() -> None:
    settings = read_settings(his_settings.read)
    hospital = Hospital(settings.world, settings.data, Clock(), lambda: signal.raise_signal(signal.SIGTERM))
    common = settings.common
    assert common.health_port is not None
    serve(
        [
            Listener(create_app(hospital, settings.base_url), common.host, common.port, settings.tls),
            Listener(health_app(hospital, common.env), "127.0.0.1", common.health_port),
        ],
        common.log_level,
        on_stop=hospital.stop,
    )
    if hospital.failure:
        sys.stderr.write(f"{hospital.failure}\n")
        raise SystemExit(2)


if __name__ == "__main__":
    main()
