"""The roots of the signature CA as somebody outside it holds them: `<data>/certs/ca/root.pem` and `sm2-root.pem`.

A root that is fetched from the CA when it is needed proves nothing. In a hospital the CA hands its roots over on paper; here
the CA's own first start is played beforehand, and its two certificates, never its keys, are laid down for those who
believe them: the backend (`CA_ROOT`, `CA_SM2_ROOT`) and whoever verifies a sheet (`backend/sheet/verify_sheet.py --root`).
"""

from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding

from foundation.clock import Clock
from standalone.paths import DataFolder, write_private
from standalone.processes import BY_NAME, is_there

CA_DATA = ("simulators", "ca")


@dataclass(frozen=True)
class Anchors:
    """PEM files."""

    root: Path
    sm2_root: Path


def anchors(folder: DataFolder) -> Anchors:
    """Where they lie."""
    return Anchors(folder.certs / "ca" / "root.pem", folder.certs / "ca" / "sm2-root.pem")


def ensure(folder: DataFolder) -> Anchors:
    """The roots of this installation's CA. An installation without the simulator has none, and then nobody is believed."""
    found = anchors(folder)
    if not is_there(BY_NAME["ca"]):
        return found
    from simulators.ca import authorities, sm2

    data = folder.root.joinpath(*CA_DATA)
    data.mkdir(parents=True, exist_ok=True)
    now = Clock().now()
    root = authorities.open_or_make(data, now).root.certificate.public_bytes(Encoding.PEM)
    sm2_root = sm2.pem(sm2.open_or_make(data, now).root.certificate).encode()
    found.root.parent.mkdir(parents=True, exist_ok=True)
    for path, content in ((found.root, root), (found.sm2_root, sm2_root)):
        if not path.exists() or path.read_bytes() != content:
            write_private(path, content)
            path.chmod(0o644)
    return found
