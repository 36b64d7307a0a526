"""What the gateway is measured between: an upstream that answers at once, and nginx as the yardstick, both of Debian's package."""

import contextlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from standalone.certificates import Certificates, Pair
from tests.contract.started import free_port, running

ROOT = Path(__file__).parents[2]
INSTALL = "apt-get install --no-install-recommends nginx-light"


@dataclass(frozen=True)
class Peer:
    """Something that listens; `pids` are the processes whose CPU time counts. `his` is the upstream's second port."""

    port: int
    pids: tuple[int, ...]
    his: int = 0


def ensure() -> bool:
    """Whether nginx is here; where we may, it is installed."""
    if shutil.which("nginx") is None and os.geteuid() == 0 and shutil.which("apt-get") is not None:
        words = ["apt-get", "install", "--yes", "--quiet", "--no-install-recommends", "nginx-light"]
        subprocess.run(words, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return shutil.which("nginx") is not None


def _frame(folder: Path, name: str, http: str) -> str:
    temporary = "\n".join(
        f"  {kind}_temp_path {folder}/{name}-{kind};"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    user = "user root;" if os.geteuid() == 0 else ""
    return f"""{user}
worker_processes 1;
daemon off;
pid {folder}/{name}.pid;
error_log {folder}/{name}.error error;
events {{ worker_connections 2048; }}
http {{
{temporary}
  keepalive_timeout 120s;
  keepalive_requests 1000000000;
{http}
}}
"""


def _tls(pair: Pair, clients: Path) -> str:
    return f"""ssl_certificate {pair.certificate};
    ssl_certificate_key {pair.key};
    ssl_client_certificate {clients};
    ssl_verify_client on;"""


@contextlib.contextmanager
def _nginx(folder: Path, name: str, port: int, http: str) -> Iterator[Peer]:
    file = folder / f"{name}.conf"
    file.write_text(_frame(folder, name, http), encoding="utf-8")
    command = [shutil.which("nginx") or "nginx", "-c", str(file), "-e", f"{folder}/{name}.error"]
    with running(command, port=port, folder=folder, env=dict(os.environ), name=name) as master:
        children = Path(f"/proc/{master.pid}/task/{master.pid}/children")
        while not children.read_text().split():
            time.sleep(0.02)
        yield Peer(port, tuple(int(one) for one in children.read_text().split()))


@contextlib.contextmanager
def upstream(folder: Path, certificates: Certificates, patients: str) -> Iterator[Peer]:
    """Platform and hospital in one: fixed answers, at once, to the gateways' certificates."""
    port, hospital = free_port(), free_port()
    http = f"""  access_log off;
  server {{
    listen 127.0.0.1:{port} ssl;
    {_tls(certificates.platform["supervision"], certificates.platform.root)}
    location / {{ default_type application/json; return 200 '{{"code":200,"message":"stored"}}'; }}
  }}
  server {{
    listen 127.0.0.1:{hospital} ssl;
    {_tls(certificates.hospital["his"], certificates.hospital.root)}
    location / {{ default_type application/fhir+json; return 200 '{patients}'; }}
  }}"""
    with _nginx(folder, "upstream", port, http) as peer:
        yield Peer(port, peer.pids, hospital)


@contextlib.contextmanager
def yardstick(folder: Path, certificates: Certificates, city: int) -> Iterator[Peer]:
    """One worker: client certificate, address, path and method judged, one line a call written down, mTLS to `city`."""
    port = free_port()
    ours, shown = certificates.hospital["gateway-a"], certificates.platform["gateway-a"]
    http = f"""  access_log {folder}/yardstick.log;
  upstream city {{ server 127.0.0.1:{city}; keepalive 128; keepalive_requests 1000000000; keepalive_timeout 120s; }}
  server {{
    listen 127.0.0.1:{port} ssl;
    {_tls(ours, certificates.hospital.root)}
    allow 127.0.0.0/8;
    deny all;
    location = /openapi/api {{
      limit_except POST {{ deny all; }}
      proxy_pass https://city;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_ssl_certificate {shown.certificate};
      proxy_ssl_certificate_key {shown.key};
      proxy_ssl_trusted_certificate {certificates.platform.root};
      proxy_ssl_verify on;
      proxy_ssl_name localhost;
    }}
    location / {{ return 403; }}
  }}"""
    with _nginx(folder, "yardstick", port, http) as peer:
        yield peer


@contextlib.contextmanager
def gateway(
    name: str, folder: Path, certificates: Certificates, whitelist: Path, city: int, his: int
) -> Iterator[Peer]:
    """A gateway process as it runs in production, with its audit on this disk."""
    port, health = free_port(), free_port()
    audit = folder / f"audit-{name}"
    audit.mkdir()
    pair, shown = certificates.hospital[f"gateway-{name}"], certificates.platform[f"gateway-{name}"]
    env = {
        **os.environ, "PYTHONPATH": str(ROOT), "ENV": "test", "GATEWAY_NAME": name, "PORT": str(port),
        "HEALTH_PORT": str(health), "AUDIT_FOLDER": str(audit), "WHITELIST": str(whitelist),
        "SERVER_CERT": str(pair.certificate), "SERVER_KEY": str(pair.key),
        "CLIENT_ROOT": str(certificates.hospital.root),
        "HIS_URL": f"https://localhost:{his}/fhir", "HIS_CERT": str(pair.certificate), "HIS_KEY": str(pair.key),
        "HIS_ROOT": str(certificates.hospital.root),
        "CITY_URL": f"https://localhost:{city}", "CITY_CERT": str(shown.certificate), "CITY_KEY": str(shown.key),
        "CITY_ROOT": str(certificates.platform.root),
    }  # fmt: skip
    command = [sys.executable, "-m", "front_gateway"]
    with running(command, port=port, folder=folder, env=env, name=f"gateway-{name}") as process:
        yield Peer(port, (process.pid,))
