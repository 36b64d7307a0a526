"""The environment of each process: who finds whom, with which keys (docs/processes.md, `Settings of our processes`).

The caller's own environment may replace any value named here (`WECHAT_API_URL=… make run`), save those that hold the
system together.
"""

import dataclasses
import uuid
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path

from backend.policy import Policy
from standalone.anchors import CA_DATA
from standalone.children import inherited
from standalone.installation import Installation, is_large
from standalone.keys import AppKey, FieldKeys, signing_file
from standalone.processes import BY_NAME, Process, page

KEPT = {
    "ENV", "HOST", "PORT", "HEALTH_PORT", "DATABASE_URL", "REDIS_URL", "GATEWAY_NAME", "TLS_CERT", "TLS_KEY",
    "TLS_ROOT", "SERVER_CERT", "SERVER_KEY", "CLIENT_ROOT", "HOSPITAL_ID",
    "MEDIA_URL", "SUPERVISION_PORT", "SUPERVISION_CALLERS", "HL7_PORT",
}  # fmt: skip
"""Names that the caller's environment does not replace."""

POLICY = frozenset(field.name.upper() for field in dataclasses.fields(Policy))
"""Numbers of booking and waiting: passed on to the backend when the caller's environment has them."""

EPC = {f"EPC_{name}" for name in ("URL", "APP_ID", "APP_SECRET", "FIXMEDINS_CODE", "FIXMEDINS_NAME")}
BACKEND = POLICY | EPC | {"CA_ALGORITHM"}
ROOTS_OF_CA = {"CA_ROOT", "CA_SM2_ROOT"}

Environment = dict[str, str]
IDENTITIES = "spiffe://internet-hospital/"


def environment(
    process: Process, installation: Installation, env: str, caller: Mapping[str, str]
) -> Environment:
    """Every variable of one process; `env` is ENV."""
    base = installation.port_base
    values = {"ENV": env, "HOST": "127.0.0.1", "PORT": str(base + process.offset)}
    if process.health is not None:
        values["HEALTH_PORT"] = str(base + process.health)
    if process.inspection is not None:
        values |= {
            "SUPERVISION_PORT": str(base + process.inspection),
            "SUPERVISION_CALLERS": f"{IDENTITIES}gateway-a,{IDENTITIES}gateway-b",
        }
    values |= WIRES[process.name](installation, process)
    if caller.get("EPC") == "1" and process.package == "backend" and process.name in ("api", "worker"):
        values |= _connected(installation)
    replaced = {name: caller[name] for name in values if name in caller and name not in KEPT}
    if "CA_URL" in replaced:  # its own roots or none: ours belong to our simulator
        for name in ROOTS_OF_CA - replaced.keys():
            values.pop(name, None)
    if "HIS_URL" in replaced or is_large(
        installation.folder
    ):  # our LIS and RIS know our own hospital's patients only
        for name in ("LIS_URL", "RIS_URL"):
            values.pop(name, None)
    passed = {"LOG_LEVEL", *(BACKEND if process.package == "backend" else ())}
    replaced |= {name: caller[name] for name in passed if name in caller}
    return inherited() | values | replaced


def url(installation: Installation, name: str) -> str:
    """Address of another process."""
    return BY_NAME[name].url(installation.port_base)


def hospital_id(installation: Installation) -> str:
    """The hospital's id in every row, the same on each machine that runs this world."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, str(installation.hospital["code"])))


def _app(prefix: str, key: AppKey) -> Environment:
    return {f"{prefix}_APP_KEY": key.key, f"{prefix}_SECRET": key.secret}


def _fields(key: FieldKeys) -> Environment:
    return {"FIELD_KEYS": key.as_setting(), "FIELD_KEY_CURRENT": key.current, "INDEX_KEY": key.index_key}


def _pair(installation: Installation, zone: str, name: str, prefix: str) -> Environment:
    pair = getattr(installation.certificates, zone)[name]
    return {f"{prefix}_CERT": str(pair.certificate), f"{prefix}_KEY": str(pair.key)}


def _root(installation: Installation, zone: str) -> str:
    return str(getattr(installation.certificates, zone).root)


def _gateways(installation: Installation) -> str:
    return f"{url(installation, 'gateway-a')},{url(installation, 'gateway-b')}"


def _media(installation: Installation) -> str:
    return f"{installation.public('media')},{installation.public('media-b')}"


def _backend(installation: Installation, process: Process) -> Environment:
    keys, wechat = installation.keys, installation.wechat
    return {
        "DATABASE_URL": installation.urls.database,
        "REDIS_URL": installation.urls.redis,
        "HOSPITAL_ID": hospital_id(installation),
        "OBJECT_FOLDER": str(installation.kept("objects")),
        "FRONT_URL": installation.public("front"),
        "API_URL": installation.public("api"),
        "MEDIA_URLS": _media(installation),
        "NOTIFY_URL": url(installation, "api"),
        "GATEWAY_URLS": _gateways(installation),
        "ADAPTER_URL": url(installation, "adapter"),
        "WECHAT_API_URL": url(installation, "wechat"),
        "WECHAT_PAY_URL": url(installation, "wechat"),
        "WECHAT_APPID": keys.wechat.appid,
        "WECHAT_SECRET": keys.wechat.secret,
        "WECHAT_MCHID": keys.wechat.mchid,
        "WECHAT_APIV3_KEY": keys.wechat.apiv3_key,
        "WECHAT_MERCHANT_KEY": str(wechat.merchant_key),
        "WECHAT_MERCHANT_SERIAL": wechat.merchant_serial,
        "WECHAT_PUBLIC_KEY": str(wechat.public_key),
        "WECHAT_PUBLIC_KEY_ID": keys.wechat.public_key_id,
        "WECHAT_PUBLIC_KEYS": str(wechat.more_public_keys),
        "WECHAT_KEY_MODE": "public_key",
        "IDENTITY_URL": url(installation, "identity"),
        "CA_URL": url(installation, "ca"),
        "CA_ROOT": str(installation.ca.root),
        "CA_SM2_ROOT": str(installation.ca.sm2_root),
        "COURIER_URL": url(installation, "courier"),
        "COURIER_CALLBACK_KEY": keys.courier_callback.key,
        "COURIER_CALLBACK_SECRET": keys.courier_callback.secret,
        "TLS_ROOT": _root(installation, "hospital"),
        **_app("IDENTITY", keys.identity),
        **_app("CA", keys.ca),
        **_app("COURIER", keys.courier),
        **_insurance(installation),
        "SMS_URL": url(installation, "sms"),
        **_app("SMS", keys.sms),
        "EBILL_URL": url(installation, "ebill"),
        **_app("EBILL", keys.ebill),
        **_fields(keys.hospital),
        **_pair(installation, "hospital", f"backend-{process.name.removesuffix('-b')}", "TLS"),
    }


def _connected(installation: Installation) -> Environment:
    """EPC=1: to the stand-in of the e-prescription centre."""
    key = installation.keys.epc
    return {
        "EPC_URL": url(installation, "eprescription"),
        "EPC_APP_ID": key.key,
        "EPC_APP_SECRET": key.secret,
        "EPC_FIXMEDINS_CODE": _fixmedins(installation),
        "EPC_FIXMEDINS_NAME": str(installation.hospital["name"]),
    }


def _fixmedins(installation: Installation) -> str:
    return f"H{installation.hospital['code']}"[:32]


def _insurance(installation: Installation) -> Environment:
    """One key serves the bureau and Tencent's user query: both are the mock."""
    key, mock = installation.keys.insurance, url(installation, "wechat")
    return {
        "INSURANCE": "wechat",
        "INSURANCE_BUREAU_URL": mock,
        "INSURANCE_BUREAU_APP_KEY": key.key,
        "INSURANCE_BUREAU_SECRET": key.secret,
        "INSURANCE_PARTNER_URL": mock,
        "INSURANCE_PARTNER_ID": key.key,
        "INSURANCE_PARTNER_SECRET": key.secret,
        "INSURANCE_ORG_CODE": _fixmedins(installation),
        "INSURANCE_ORG_NAME": str(installation.hospital["name"]),
        "INSURANCE_CITY_ID": "310100",
        "INSURANCE_CHANNEL": "DEMO",
    }


def _media_process(installation: Installation, process: Process) -> Environment:
    return {
        **_backend(installation, process),
        "MEDIA_URL": installation.public(process.name),
        "SUPERVISOR_URLS": BY_NAME["supervision"].health_url(installation.port_base),
    }


def _gateway(installation: Installation, process: Process) -> Environment:
    return {
        "GATEWAY_NAME": process.name.removeprefix("gateway-"),
        "CLIENT_ROOT": _root(installation, "hospital"),
        "HIS_URL": url(installation, "his"),
        "HIS_DIALECT": "fhir",
        "HIS_ROOT": _root(installation, "hospital"),
        "PACS_URL": url(installation, "pacs") + "/dicom-web",
        "PACS_ROOT": _root(installation, "hospital"),
        "PACS_IDENTITY": installation.certificates.hospital["pacs"].identity,
        "LIS_URL": _mllp(installation, "lis_ris"),
        "RIS_URL": _mllp(installation, "lis_ris"),
        "HL7_PORT": str(installation.port_base + (process.pushed or 0)),
        "HIS_IDENTITY": installation.certificates.hospital["his"].identity,
        "CITY_URL": url(installation, "supervision"),
        "CITY_ROOT": _root(installation, "platform"),
        "CITY_IDENTITY": installation.certificates.platform["supervision"].identity,
        "BACKEND_URL": f"https://127.0.0.1:{installation.port_base + (BY_NAME['api'].inspection or 0)}",
        "BACKEND_ROOT": _root(installation, "hospital"),
        "BACKEND_IDENTITY": installation.certificates.hospital["backend-api"].identity,
        "AUDIT_FOLDER": str(installation.kept("audit", process.name)),
        **_pair(installation, "hospital", process.name, "SERVER"),
        **_pair(installation, "hospital", process.name, "HIS"),
        **_pair(installation, "hospital", process.name, "PACS"),
        **_pair(installation, "platform", process.name, "CITY"),
        **_pair(installation, "hospital", process.name, "BACKEND"),
    }


def _mllp(installation: Installation, name: str) -> str:
    return f"mllp://127.0.0.1:{installation.port_base + BY_NAME[name].offset}"


def _lis_ris(installation: Installation, _: Process) -> Environment:
    gateways = [installation.port_base + (BY_NAME[name].pushed or 0) for name in ("gateway-a", "gateway-b")]
    return {
        "LISRIS_WORLD": str(installation.folder.world),
        "LISRIS_DATA": str(installation.kept("simulators", "lis_ris")),
        "LISRIS_SEND_TO": ",".join(f"127.0.0.1:{port}" for port in gateways),
    }


def _adapter(installation: Installation, process: Process) -> Environment:
    platform = installation.keys.platform
    return {
        "DATABASE_URL": installation.urls.regulator,
        "HOSPITAL_ID": hospital_id(installation),
        "CLIENT_ROOT": _root(installation, "hospital"),
        "ALLOWED_CALLERS": f"{IDENTITIES}backend-worker,{IDENTITIES}backend-api",
        "GATEWAY_URLS": _gateways(installation),
        "TLS_ROOT": _root(installation, "hospital"),
        "ORGANISATION": str(installation.folder.world / "hospital.json"),
        "PLATFORM_UNIT_ID": platform.unit_id,
        "PLATFORM_APP_KEY": platform.app_key,
        "PLATFORM_APP_SECRET": platform.app_secret,
        "PLATFORM_IV": platform.iv,
        "PLATFORM_SIGNING_KEY": str(signing_file(installation.folder)),
        "ROUTING": "city",
        "TIMING": "immediate",
        "RECONCILE_SECONDS": "60",
        "DESK_CALLERS": f"{IDENTITIES}backend-api",
        "PLATFORM_SEAL_ROOT": _root(installation, "platform"),
        "PLATFORM_SEAL_IDENTITY": installation.certificates.platform["supervision-seal"].identity,
        **_pair(installation, "hospital", "adapter-seal", "SEAL"),
        **_fields(installation.keys.regulator),
        **_pair(installation, "hospital", process.name, "SERVER"),
        **_pair(installation, "hospital", process.name, "TLS"),
    }


def _front(installation: Installation, _: Process) -> Environment:
    return {
        "BACKEND_URL": url(installation, "api"),
        "FRONT_URL": installation.public("front"),
        "API_URL": installation.public("api"),
        "MEDIA_URLS": _media(installation),
        "WECHAT_PAGES_URL": installation.public("wechat"),
        "WECHAT_APPID": installation.keys.wechat.appid,
    }


def _wechat(installation: Installation, _: Process) -> Environment:
    keys, files = installation.keys.wechat, installation.wechat
    return {
        "WECHAT_DATA": str(installation.kept("simulators", "wechat")),
        "WECHAT_WORLD": str(installation.folder.world),
        "WECHAT_FRONT_URL": installation.public("front"),
        "WECHAT_APPID": keys.appid,
        "WECHAT_SECRET": keys.secret,
        "WECHAT_MCHID": keys.mchid,
        "WECHAT_APIV3_KEY": keys.apiv3_key,
        "WECHAT_MERCHANT_KIND": "new",
        "WECHAT_MERCHANT_CERT": str(files.merchant_certificate),
        "WECHAT_PUBLIC_KEY_ID": keys.public_key_id,
        "WECHAT_PRIVATE_KEY": str(files.private_key),
        "WECHAT_PLATFORM_CERT": str(files.platform_certificate),
        "WECHAT_PLATFORM_KEY": str(files.platform_key),
        "WECHAT_INSURANCE_KEY": installation.keys.insurance.key,
        "WECHAT_INSURANCE_SECRET": installation.keys.insurance.secret,
    }


def _his(installation: Installation, _: Process) -> Environment:
    pair = installation.certificates.hospital["his"]
    return {
        "HIS_WORLD": str(installation.folder.world),
        "HIS_DATA": str(installation.kept("simulators", "his")),
        "HIS_TLS_CERT": str(pair.certificate),
        "HIS_TLS_KEY": str(pair.key),
        "HIS_TLS_CA": _root(installation, "hospital"),
        "HIS_TLS_CLIENTS": f"{IDENTITIES}gateway-a,{IDENTITIES}gateway-b",
    }


def _pacs(installation: Installation, _: Process) -> Environment:
    pair = installation.certificates.hospital["pacs"]
    return {
        "PACS_WORLD": str(installation.folder.world),
        "PACS_TLS_CERT": str(pair.certificate),
        "PACS_TLS_KEY": str(pair.key),
        "PACS_TLS_CA": _root(installation, "hospital"),
        "PACS_TLS_CLIENTS": f"{IDENTITIES}gateway-a,{IDENTITIES}gateway-b",
    }


def _supervision(installation: Installation, _: Process) -> Environment:
    platform = installation.keys.platform
    pair = installation.certificates.platform["supervision"]
    return {
        "SUPERVISION_WORLD": str(installation.folder.world),
        "SUPERVISION_DATA": str(installation.kept("simulators", "supervision")),
        "SUPERVISION_UNIT_ID": platform.unit_id,
        "SUPERVISION_APP_KEY": platform.app_key,
        "SUPERVISION_APP_SECRET": platform.app_secret,
        "SUPERVISION_IV": platform.iv,
        "SUPERVISION_SIGNING_PUBLIC": platform.signing_public,
        "SUPERVISION_TLS_CERT": str(pair.certificate),
        "SUPERVISION_TLS_KEY": str(pair.key),
        "SUPERVISION_TLS_CA": _root(installation, "platform"),
        "SUPERVISION_TLS_CLIENTS": f"{IDENTITIES}gateway-a,{IDENTITIES}gateway-b",
        "SUPERVISION_HOSPITAL_URLS": _gateways(installation),
        "SUPERVISION_HOSPITAL_SEAL_ROOT": _root(installation, "hospital"),
        "SUPERVISION_HOSPITAL_SEAL_NAME": installation.certificates.hospital["adapter-seal"].identity,
        **_pair(installation, "platform", "supervision-seal", "SUPERVISION_SEAL"),
        "SUPERVISION_HOSPITAL_CA": _root(installation, "hospital"),
        **_pair(installation, "hospital", "supervision", "SUPERVISION_HOSPITAL"),
    }


def _courier(installation: Installation, process: Process) -> Environment:
    keys = installation.keys
    return {
        "COURIER_DATA": str(installation.kept("simulators", "courier")),
        "COURIER_CALLBACK_KEY": keys.courier_callback.key,
        "COURIER_CALLBACK_SECRET": keys.courier_callback.secret,
        **_app("COURIER", keys.courier),
    }


def _ebill(installation: Installation, _: Process) -> Environment:
    return {
        "EBILL_DATA": str(installation.kept("simulators", "ebill")),
        **_app("EBILL", installation.keys.ebill),
    }


def _eprescription(installation: Installation, _: Process) -> Environment:
    key = installation.keys.epc
    return {
        "EPC_DATA": str(installation.kept("simulators", "eprescription")),
        "EPC_APP_ID": key.key,
        "EPC_APP_SECRET": key.secret,
        "EPC_FIXMEDINS_CODE": _fixmedins(installation),
    }


def _sms(installation: Installation, _: Process) -> Environment:
    return {
        "SMS_DATA": str(installation.kept("simulators", "sms")),
        **_app("SMS", installation.keys.sms),
    }


def _identity(installation: Installation, _: Process) -> Environment:
    return {
        "IDENTITY_WORLD": str(installation.folder.world / "identity.json"),
        "IDENTITY_DATA": str(installation.kept("simulators", "identity")),
        **_app("IDENTITY", installation.keys.identity),
    }


def _ca(installation: Installation, _: Process) -> Environment:
    return {
        "CA_WORLD": str(installation.folder.world / "ca_holders.json"),
        "CA_DATA": str(installation.kept(*CA_DATA)),
        "CA_PUBLIC_URL": url(installation, "ca"),
        **_app("CA", installation.keys.ca),
    }


WIRES: dict[str, Callable[[Installation, Process], Environment]] = {
    "front": _front, "api": _backend, "worker": _backend, "media": _media_process, "media-b": _media_process, "gateway-a": _gateway,
    "gateway-b": _gateway, "adapter": _adapter, "wechat": _wechat, "his": _his, "pacs": _pacs, "supervision": _supervision,
    "courier": _courier, "identity": _identity, "ca": _ca, "ebill": _ebill, "sms": _sms,
    "eprescription": _eprescription, "lis_ris": _lis_ris,
}  # fmt: skip


def addresses(installation: Installation, names: list[str]) -> dict[str, str]:
    """Pages that a person may open, by process."""
    pages = {name: page(BY_NAME[name], installation.port_base) for name in names}
    return {name: address for name, address in pages.items() if address}


def world_command(size: str, world: Path, today: date) -> tuple[str, list[str]]:
    """What makes the world."""
    return "standalone.people", ["--out", str(world), "--size", size, "--today", today.isoformat()]
