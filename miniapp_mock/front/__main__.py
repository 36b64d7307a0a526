"""`python -m miniapp_mock front`."""

from foundation.logs import configure
from foundation.server import listener, run, serve
from foundation.settings import load_or_exit
from miniapp_mock.front.app import create_app
from miniapp_mock.front.settings import Settings


def main() -> None:
    """Serve until SIGTERM; status 2 and one line when a setting is wrong."""
    settings = load_or_exit(Settings)
    configure("front", settings.log_level)
    run(serve(listener(create_app(settings), settings.host, settings.port)))


if __name__ == "__main__":
    main()
