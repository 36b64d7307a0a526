"""The guard that keeps tests on this machine."""

import socket

import pytest

from tests.conftest import OutsideWorld


def test_connecting_to_another_machine_raises() -> None:
    with socket.socket() as one, pytest.raises(OutsideWorld):
        one.connect(("192.0.2.1", 80))


def test_sending_to_another_machine_raises() -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as one, pytest.raises(OutsideWorld):
        one.sendto(b"", ("192.0.2.1", 53))


def test_looking_up_another_machine_raises() -> None:
    with pytest.raises(OutsideWorld):
        socket.create_connection(("example.org", 443))


def test_loopback_stays_open() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname()).close()
