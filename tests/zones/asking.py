"""Run inside a zone, with nothing but the standard library: one question as JSON in, one answer out.

`{"connect": [address, port]}` → `{"said": "connected" | "ENETUNREACH" | …}`;
`{"post": url, "body": text, "headers": {}, "certificate": …, "key": …, "root": …}` → `{"status": 200, "body": text}` or `{"said": …}`.
"""

import errno
import json
import socket
import ssl
import sys
import urllib.error
import urllib.request

SECONDS = 15


def connect(address: str, port: int) -> dict[str, object]:
    with socket.socket() as wire:
        wire.settimeout(2)
        try:
            wire.connect((address, port))
        except OSError as problem:
            return {"said": errno.errorcode.get(problem.errno or 0, type(problem).__name__)}
    return {"said": "connected"}


def post(
    url: str, body: str, headers: dict[str, str], certificate: str, key: str, root: str
) -> dict[str, object]:
    context = ssl.create_default_context(cafile=root)
    context.load_cert_chain(certificate, key)
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
    )
    request = urllib.request.Request(url, body.encode(), headers)
    try:
        with opener.open(request, timeout=SECONDS) as answer:
            return {"status": answer.status, "body": answer.read().decode()}
    except urllib.error.HTTPError as refused:
        return {"status": refused.code, "body": refused.read().decode()}
    except OSError as problem:
        return {"said": str(getattr(problem, "reason", problem))}


question = json.loads(sys.argv[1])
if "connect" in question:
    found = connect(*question["connect"])
else:
    found = post(*(question[name] for name in ("post", "body", "headers", "certificate", "key", "root")))
json.dump(found, sys.stdout)
