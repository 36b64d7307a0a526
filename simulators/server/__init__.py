"""What every simulator needs and what no specification defines: settings, clock, faults, answers, listeners.

A simulator's `__main__` looks like this:

    @dataclass(frozen=True)
    class Settings:
        common: Common
        secret: str

    def read(env: Reader) -> Settings:
        return Settings(common=env.common(port=8430), secret=env.text("IDENTITY_SECRET"))

    def main() -> None:
        settings = read_settings(read)                      # one line on stderr and exit 2 when something is wrong
        clock = Clock()
        faults = Faults(down=bool, slow_seconds=float, garbage=bool)
        controls = control_routes(settings.common.env, clock, faults)
        app = create_app(settings, clock, faults)           # your Starlette app, `routes=[*yours, *controls]`
        serve([Listener(app, settings.common.host, settings.common.port)], settings.common.log_level)

`Reader` (settings.py)
    `text(name, default=None)`, `integer(name, default, minimum=, maximum=)`, `number(…)`, `flag(name, default)`,
    `choice(name, options, default)`, `file(name)`, `folder(name, default)`; a missing or malformed value raises `SettingError`.
    `common(port=, health_port=None)` reads `ENV LOG_LEVEL HOST PORT HEALTH_PORT`; `tls("HIS")` reads
    `HIS_TLS_CERT HIS_TLS_KEY HIS_TLS_CA HIS_TLS_CLIENTS`: all of the first three, or none (then None).
    `Reader(env)` takes a mapping in tests; the process' own environment otherwise.
`Clock` (clock.py)
    `now()` aware UTC, `local()` aware Asia/Shanghai, `today()` the date there, `timestamp()` seconds; `set_offset(seconds)`.
`Faults` (faults.py)
    declared with name=type; `replace({…})` checks and sets (raises `BadField`), `on("down")`, `number("slow_seconds")`,
    `text("refuse_writes")`, `clear()`; `await faults.delay()` sleeps `slow_seconds` when that fault is declared.
`answers.py`
    `error(status, code, message="", field="")` -> `{"code", "field"?, "message"?}`; `BadField(field, message)`;
    `await read_object(request)` -> dict, raises `BadField`; `exception_handlers()` for Starlette turns BadField into
    400 BAD_REQUEST and 404/405 into the same shape; `BodyLimit` (ASGI middleware, 413 over 1 MB).
`control_routes(env, clock, faults, ready=…, extra=…)` (control.py)
    `/healthz`, `/readyz`, and outside production `GET|PUT /_test/faults`, with ENV=test also `POST /_test/clock`.
`serve([Listener(app, host, port, tls=None), …], log_level)` (serving.py)
    uvicorn, any number of listeners in one loop, ends on SIGTERM and SIGINT; a port in use is one line and exit 1.
    `on_stop=` is called at the signal, for an application that is still starting up. A listener accepts nobody before
    its application's lifespan has started.
    `in_background([...])` is the same for tests: a context manager that yields the base addresses; port 0 picks a free one.
"""

from simulators.server.answers import BadField, BodyLimit, error, exception_handlers, read_object
from simulators.server.clock import SHANGHAI, Clock
from simulators.server.control import control_routes
from simulators.server.faults import Faults
from simulators.server.serving import Listener, in_background, serve
from simulators.server.settings import Common, Reader, SettingError, TlsFiles, read_settings

__all__ = [
    "SHANGHAI",
    "BadField",
    "BodyLimit",
    "Clock",
    "Common",
    "Faults",
    "Listener",
    "Reader",
    "SettingError",
    "TlsFiles",
    "control_routes",
    "error",
    "exception_handlers",
    "in_background",
    "read_object",
    "read_settings",
    "serve",
]
