import json
import stat
import subprocess
from pathlib import Path

import pytest

from foundation.crypto import Keyring
from standalone import keys
from standalone.failure import StoreError
from standalone.paths import DataFolder, data_folder


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    return data_folder(tmp_path / "data")


def test_keys_are_made_once(folder: DataFolder) -> None:
    first, files = keys.ensure(folder)
    pem = files.merchant_key.read_bytes()

    again, _ = keys.ensure(folder)

    assert again == first
    assert files.merchant_key.read_bytes() == pem


def test_two_installations_share_no_secret(folder: DataFolder, tmp_path: Path) -> None:
    def leaves(value: object) -> set[str]:
        if isinstance(value, dict):
            return set().union(*(leaves(one) for one in value.values()))
        return {str(value)}

    found = []
    for place in (folder, data_folder(tmp_path / "other")):
        keys.ensure(place)
        found.append(leaves(json.loads((place.secrets / "keys.json").read_bytes())))

    assert found[0] & found[1] == {"k1"}  # the name of the first key, no secret


def test_every_secret_is_for_its_owner_only(folder: DataFolder) -> None:
    keys.ensure(folder)

    assert stat.S_IMODE(folder.secrets.stat().st_mode) == 0o700
    for path in folder.secrets.rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path.name


def test_secrets_do_not_show_themselves(folder: DataFolder) -> None:
    made, _ = keys.ensure(folder)

    assert repr(made) == "Keys(…)"
    assert made.ca.secret not in f"{made.ca!r} {made.wechat} {made.hospital}"


def test_a_value_that_a_newer_version_asks_for_is_added(folder: DataFolder) -> None:
    first, _ = keys.ensure(folder)
    file = folder.secrets / "keys.json"
    older = json.loads(file.read_bytes())
    del older["platform"]
    del older["wechat"]["apiv3_key"]
    file.write_text(json.dumps(older))

    again, _ = keys.ensure(folder)

    assert again.hospital == first.hospital
    assert again.wechat.secret == first.wechat.secret
    assert len(again.wechat.apiv3_key) == 32
    assert keys.ensure(folder)[0] == again


@pytest.mark.parametrize("content", ["", "{", '{"ca": 7}'])
def test_damaged_keys_are_never_replaced(folder: DataFolder, content: str) -> None:
    file = folder.secrets / "keys.json"
    file.write_text(content)

    with pytest.raises(StoreError, match=r"keys\.json cannot be used"):
        keys.ensure(folder)

    assert file.read_text() == content


def test_a_rotated_key_leaves_the_old_ones_for_reading(folder: DataFolder) -> None:
    old, _ = keys.ensure(folder)
    sealed = ring(old.hospital).seal("张小明".encode(), "name")

    new = keys.rotate(folder, "hospital")

    assert new.current == "k2"
    assert ring(new).open(sealed, "name") == "张小明".encode()
    assert ring(new).index("张小明", "name") == ring(old.hospital).index("张小明", "name")
    again, _ = keys.ensure(folder)
    assert (again.hospital, again.regulator) == (new, old.regulator)


def ring(made: keys.FieldKeys) -> Keyring:
    pairs = dict(one.split(":") for one in made.as_setting().split(","))
    return Keyring(
        {name: bytes.fromhex(key) for name, key in pairs.items()}, made.current, bytes.fromhex(made.index_key)
    )


def test_the_hospital_and_the_regulator_side_encrypt_with_different_keys(folder: DataFolder) -> None:
    made, _ = keys.ensure(folder)

    assert made.hospital.keys["k1"] != made.regulator.keys["k1"]
    assert made.hospital.index_key != made.regulator.index_key


def test_what_the_city_platform_gives_fits_sm4(folder: DataFolder) -> None:
    made, _ = keys.ensure(folder)

    assert len(bytes.fromhex(made.platform.app_secret)) == len(bytes.fromhex(made.platform.iv)) == 16


def test_the_payment_keys_belong_together(folder: DataFolder, tmp_path: Path) -> None:
    made, files = keys.ensure(folder)
    (tmp_path / "text").write_bytes(b"a callback")

    def openssl(*arguments: str | Path) -> str:
        run = subprocess.run(["openssl", *arguments], capture_output=True, text=True, check=False)
        assert run.returncode == 0, run.stderr
        return run.stdout

    signature, text = tmp_path / "signature", tmp_path / "text"
    openssl("dgst", "-sha256", "-sign", files.private_key, "-out", signature, text)
    verified = openssl("dgst", "-sha256", "-verify", files.public_key, "-signature", signature, text)
    assert "Verified OK" in verified
    openssl("verify", "-CAfile", files.platform_certificate, files.merchant_certificate)
    said = openssl("x509", "-in", files.merchant_certificate, "-noout", "-serial")
    assert int(said.removeprefix("serial="), 16) == int(files.merchant_serial, 16)  # it leaves zeros out
    assert len(files.merchant_serial) == 40
    of_key = openssl("pkey", "-in", files.merchant_key, "-pubout")
    assert of_key == openssl("x509", "-in", files.merchant_certificate, "-noout", "-pubkey")
    assert made.wechat.mchid in openssl("x509", "-in", files.merchant_certificate, "-noout", "-subject")
