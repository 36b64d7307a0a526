"""`python -m miniapp_mock wechat`."""

from miniapp_mock.wechat.app import create_app
from miniapp_mock.wechat.mock import Mock
from miniapp_mock.wechat.serving import serve
from miniapp_mock.wechat.settings import read_or_exit


def main() -> None:
    mock = read_or_exit(Mock.from_environment)
    serve(create_app(mock), mock.settings.host, mock.settings.port, mock.settings.log_level)


if __name__ == "__main__":
    main()
