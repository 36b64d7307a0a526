"""Settings of one gateway. Two run side by side with different `GATEWAY_NAME`, ports and audit folders."""

import ipaddress
import os
import re
import sys
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

from foundation.settings import CommonSettings, SettingsError, load, setting
from front_gateway.dialects.hl7v2.charsets import Charset
from front_gateway.policy.reading import DEFAULT


class HisDialect(StrEnum):
    """What stands in the table of `front_gateway.speaking`."""

    FHIR = "fhir"
    SOAP = "soap"


@dataclass(frozen=True, kw_only=True)
class Settings(CommonSettings):
    """`HIS_*` is only left out when the hospital is on plain http, which only loopback may be."""

    port: int = setting("port of the listener between zones (mTLS)", default=8201)
    health_port: int = setting("plain loopback port for health and metrics", default=8211)
    gateway_name: str = setting("name of this gateway, in audit lines and file names", default="a")
    whitelist: Path = setting("the policy", default=DEFAULT)
    audit_folder: Path = setting("folder of the audit files, one a day")
    server_cert: Path = setting("certificate shown to callers (PEM)")
    server_key: Path = setting("its key (PEM)")
    client_root: Path = setting("root that callers' certificates come from (PEM)")
    his_dialect: HisDialect = setting("how HIS_URL is spoken to", default=HisDialect.FHIR)
    his_url: str = setting("base address of the hospital's FHIR R4 server, or of its SOAP service")
    his_cert: Path | None = setting("certificate shown to the hospital (PEM)", default=None)
    his_key: Path | None = setting("its key (PEM)", default=None)
    his_root: Path | None = setting("root of the hospital's certificate (PEM)", default=None)
    his_identity: str = setting(
        "URI name that the hospital's certificate must carry; empty: its host name only", default=""
    )
    his_systems: Path | None = setting(
        "identifier and code systems of this hospital, or the profile of its SOAP interface (TOML)",
        default=None,
    )
    pacs_url: str = setting(
        "base address of the hospital's DICOMweb (QIDO-RS, WADO-RS); empty: no images", default=""
    )
    pacs_cert: Path | None = setting(
        "certificate shown to the image archive (PEM); none where it asks for none", default=None
    )
    pacs_key: Path | None = setting("its key (PEM)", default=None)
    pacs_root: Path | None = setting("root of the image archive's certificate (PEM)", default=None)
    pacs_identity: str = setting(
        "URI name that the image archive's certificate must carry; empty: its host name only", default=""
    )
    lis_url: str = setting(
        "laboratory system: mllp://host:port, or mllps:// for TLS; empty: its results come from the HIS",
        default="",
    )
    lis_charset: Charset = setting(
        "letters of what is sent to it, and of what names none", default=Charset.UTF_8
    )
    lis_application: str = setting("what it calls itself (MSH-5)", default="LIS")
    lis_identity: str = setting(
        "URI name that its certificate must carry (mllps); empty: its host name only", default=""
    )
    ris_url: str = setting("imaging system, like LIS_URL", default="")
    ris_charset: Charset = setting("like LIS_CHARSET", default=Charset.UTF_8)
    ris_application: str = setting("what it calls itself (MSH-5)", default="RIS")
    ris_identity: str = setting("like LIS_IDENTITY", default="")
    hl7_port: int = setting("MLLP in plain, for senders on this machine; 0: none", default=0)
    hl7_tls_port: int = setting("MLLP over mutual TLS, for senders with an identity; 0: none", default=0)
    city_url: str = setting("base address of the city platform")
    city_cert: Path | None = setting("certificate shown to the platform (PEM)", default=None)
    city_key: Path | None = setting("its key (PEM)", default=None)
    city_root: Path | None = setting("root of the platform's certificate (PEM)", default=None)
    city_identity: str = setting(
        "URI name that the platform's certificate must carry; empty: its host name only", default=""
    )
    backend_url: str = setting(
        "base address of the backend's listener for supervisors; empty: no supervisor is let through",
        default="",
    )
    backend_cert: Path | None = setting("certificate shown to the backend (PEM)", default=None)
    backend_key: Path | None = setting("its key (PEM)", default=None)
    backend_root: Path | None = setting("root of the backend's certificate (PEM)", default=None)
    backend_identity: str = setting(
        "URI name that the backend's certificate must carry; empty: its host name only", default=""
    )

    store_folder: Path | None = setting(
        "folder of the hospital's copies, in the inner zone; neither it nor STORE_URL: none are taken",
        default=None,
    )
    store_url: str = setting("S3-compatible store of the hospital's copies, without the bucket", default="")
    store_bucket: str = setting("its bucket", default="")
    store_prefix: str = setting("what every key begins with, where the bucket is not ours alone", default="")
    store_region: str = setting("its region", default="us-east-1")
    store_key_id: str = setting("our access key there; it may add and read, not remove", default="")
    store_secret: str = setting("its secret", default="", secret=True)

    def production_problems(self) -> list[str]:
        """Nothing travels unencrypted where patients are real."""
        return [
            f"{name} is plain http, which ENV=production refuses"
            for name, url in (
                ("HIS_URL", self.his_url), ("CITY_URL", self.city_url), ("BACKEND_URL", self.backend_url),
                ("PACS_URL", self.pacs_url), ("STORE_URL", self.store_url),
            )
            if url.startswith("http:")
        ] + [
            f"{name} is plain MLLP, which ENV=production refuses"
            for name, url in (("LIS_URL", self.lis_url), ("RIS_URL", self.ris_url))
            if url.startswith("mllp:")
        ]  # fmt: skip


def read() -> Settings:
    """Settings from the environment; one line on stderr and exit status 2 when something is wrong."""
    try:
        loaded = load(Settings, os.environ)
        if problems := mistakes(loaded):
            raise SettingsError(problems)
    except SettingsError as error:
        sys.stderr.write(f"settings: {error}\n")
        raise SystemExit(2) from None
    return loaded


def mistakes(settings: Settings) -> list[str]:
    """What single values cannot show: files that are not there, plain http beyond this machine."""
    found = [
        f"{name.upper()} names no file: {path}"
        for name in (
            "whitelist", "server_cert", "server_key", "client_root", "his_cert", "his_key", "his_root",
            "his_systems", "city_cert", "city_key", "city_root", "backend_cert", "backend_key", "backend_root",
            "pacs_cert", "pacs_key", "pacs_root",
        )
        if (path := getattr(settings, name)) is not None and not path.is_file()
    ]  # fmt: skip
    if not re.fullmatch(r"[a-z0-9-]{1,20}", settings.gateway_name):
        found.append("GATEWAY_NAME is malformed: small letters, digits and - only")
    if not settings.audit_folder.is_dir():
        found.append(f"AUDIT_FOLDER names no folder: {settings.audit_folder}")
    found += [
        f"{name.upper()} is malformed: not a port"
        for name in ("port", "health_port", "hl7_port", "hl7_tls_port")
        if not 0 <= getattr(settings, name) <= 65535
    ]
    for side in ("his", "city", *(("backend",) if settings.backend_url else ())):
        found += _side_mistakes(settings, side)
    if settings.pacs_url:
        found += _side_mistakes(settings, "pacs", needed=("ROOT",))
        if (settings.pacs_cert is None) != (settings.pacs_key is None):
            found.append("PACS_CERT and PACS_KEY go together")
    found += _store_mistakes(settings)
    for name in ("lis_url", "ris_url"):
        found += _line_mistakes(settings, name)
    return found


def _store_mistakes(settings: Settings) -> list[str]:
    found = []
    if settings.store_folder is not None and not settings.store_folder.is_dir():
        found.append(f"STORE_FOLDER names no folder: {settings.store_folder}")
    if settings.store_url:
        found += _side_mistakes(settings, "store", needed=())
        found += [
            f"{name.upper()} is missing (STORE_URL is set)"
            for name in ("store_bucket", "store_key_id", "store_secret")
            if not getattr(settings, name)
        ]
        if settings.store_folder is not None:
            found.append("STORE_FOLDER and STORE_URL are both set: the copies lie in one place")
    return found


def _line_mistakes(settings: Settings, name: str) -> list[str]:
    url = getattr(settings, name)
    if not url:
        return []
    parts = split_line(url)
    if parts is None:
        return [f"{name.upper()} is malformed: expected mllps://host:port"]
    host, _, over_tls = parts
    who = name.replace("_url", "_identity")
    if not over_tls and getattr(settings, who):
        return [f"{who.upper()} is set, but {name.upper()} is plain MLLP: nobody shows a certificate"]
    if not over_tls:
        return [] if is_loopback(host) else [f"{name.upper()} is plain MLLP, which only loopback may be"]
    return [
        f"HIS_{part} is missing ({name.upper()} is mllps)"
        for part in ("CERT", "KEY", "ROOT")
        if getattr(settings, f"his_{part.lower()}") is None
    ]


def split_line(url: str) -> tuple[str, int, bool] | None:
    """Host, port and whether TLS is spoken; None when it is no such address."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    if (
        parts.scheme not in ("mllp", "mllps")
        or not host
        or not port
        or parts.path
        or parts.query
        or parts.username
    ):
        return None
    return host, port, parts.scheme == "mllps"


def _side_mistakes(
    settings: Settings, side: str, needed: tuple[str, ...] = ("CERT", "KEY", "ROOT")
) -> list[str]:
    name = f"{side.upper()}_URL"
    url = getattr(settings, f"{side}_url")
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return [f"{name} is malformed: not an address"]
    if parts.scheme not in ("http", "https") or not host or parts.query or parts.fragment or parts.username:
        return [f"{name} is malformed: expected https://host[:port][/path]"]
    if parts.scheme == "http":
        return [] if is_loopback(host) else [f"{name} is plain http, which only loopback may be"]
    return [
        f"{side.upper()}_{part} is missing ({name} is https)"
        for part in needed
        if getattr(settings, f"{side}_{part.lower()}") is None
    ]


def is_loopback(host: str) -> bool:
    """Whether `host` is this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def from_environment(name: str, default: str) -> str:
    """A setting that a command may use without needing all the others."""
    return os.environ.get(name) or default
