"""`python -m simulators supervision`: the platform behind mutual TLS, console and test controls on the plain port."""

from simulators.server import Clock, Listener, read_settings, serve
from simulators.supervision.console.app import create_app as create_console
from simulators.supervision.days.desk import DayDesk
from simulators.supervision.days.seals import HospitalSeal, Sealer
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
        Listener(
            create_platform(receiver, _days(settings, clock, faults, database)),
            common.host,
            common.port,
            settings.tls,
        ),
        Listener(create_console(settings, database, clock, faults), "127.0.0.1", common.health_port),
    ]


def _days(settings: Settings, clock: Clock, faults: PlatformFaults, database: Database) -> DayDesk | None:
    seals = settings.seals
    if seals is None:
        return None
    return DayDesk(
        database, settings.access, clock, faults, settings.hospital.organ_ids,
        Sealer(seals.certificate, seals.key), HospitalSeal(seals.hospital_root, seals.hospital_name),
    )  # fmt: skip


def main() -> None:
    settings = read_settings(read)
    database = Database(settings.data)
    serve(listeners(settings, Clock(), PlatformFaults(), database), settings.common.log_level)
    database.close()


if __name__ == "__main__":
    main()
