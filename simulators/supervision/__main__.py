"""`python -m simulators supervision`: the platform behind mutual TLS, console and test controls on the plain port."""

from simulators.server import Clock, Listener, read_settings, serve
from simulators.supervision.console.app import create_app as create_console
from simulators.supervision.faults import PlatformFaults
from simulators.supervision.platform_app import create_app as create_platform
from simulators.supervision.receiver import Receiver, Rules
from simulators.supervision.settings import Settings, read
from simulators.supervision.store import Database


def listeners(settings: Settings, clock: Clock, faults: PlatformFaults, database: Database) -> list[Listener]:
    rules = Rules(settings.hospital.organ_ids, settings.dependencies, settings.enforce_quota)
    receiver = Receiver(database, settings.access, rules, clock, faults)
    common = settings.common
    assert common.health_port is not None
    return [
        Listener(create_platform(receiver), common.host, common.port, settings.tls),
        Listener(create_console(settings, database, clock, faults), "127.0.0.1", common.health_port),
    ]


def main() -> None:
    settings = read_settings(read)
    database = Database(settings.data)
    serve(listeners(settings, Clock(), PlatformFaults(), database), settings.common.log_level)
    database.close()


if __name__ == "__main__":
    main()
