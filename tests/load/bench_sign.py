"""`python -m tests.load.bench_sign`: signatures per second of each provider beside `openssl speed` of the same algorithm.

One JSON line per provider: {provider, sign_per_s, verify_per_s, openssl_sign_per_s, openssl_verify_per_s, ratio, p50_ms,
p99_ms, …}. `sign` is the whole way of one signature as the backend asks for it: digest, HMAC, HTTP to the CA's process on
this machine, the CA's own signing and book-keeping, verification of the answer; one caller, so it is latency. `stamped` has the RFC 3161
time stamp with it. `verify` is one signature in this process. The last line is of a sheet: typst, two PAdES signatures with
time stamps, and the stand-alone verifier over it.
"""

import argparse
import asyncio
import base64
import hashlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import httpx
from asn1crypto.pem import armor, unarmor

from backend.outside.ca import SignatureProvider
from backend.outside.ca_algorithms import ECDSA, SM2, Algorithm
from backend.outside.signed import SignedClient
from backend.sheet import pades, render
from backend.sheet.fields import Field
from backend.sheet.statement import encoded
from backend.sheet.verify_sheet import verify as verified
from foundation.canonical import canonical
from foundation.clock import Clock
from tests.contract.started import free_port

KEY, SECRET, PIN = "app-key-of-a-bench", "secret-of-a-bench", "000001"
HOLDER, OTHER = "doctor-1", "pharmacist-1"
NAMES = {ECDSA.name: "ecdsap256", SM2.name: "sm2"}
DIAGNOSES = [{"code": "I10.x00", "name": "高血压"}]
CONTENT = canonical(
    {
        "patient_name": "某人", "patient_age": 66, "department": "老年科", "practitioner": "某医生", "version": 1,
        "chief_complaint": "头晕", "present_history": "头晕两周。" * 20, "past_history": "无", "examination": "", "opinion": "随诊",
        "advice": "", "diagnoses": DIAGNOSES, "amendment_reason": "",
    }
)  # fmt: skip


@contextmanager
def ca() -> Iterator[str]:
    """The CA simulator, a process of its own behind a loopback port."""
    with tempfile.TemporaryDirectory() as folder:
        world, port = Path(folder) / "holders.json", free_port()
        holders = [
            {"holder": HOLDER, "name": "某医生", "kind": "doctor", "pin": PIN},
            {"holder": OTHER, "name": "某药师", "kind": "pharmacist", "pin": PIN},
        ]
        world.write_text(json.dumps(holders), encoding="utf-8")
        values = {
            "ENV": "test",
            "PORT": str(port),
            "LOG_LEVEL": "ERROR",
            "CA_WORLD": str(world),
            "CA_DATA": folder,
        }
        environment = os.environ | values | {"CA_APP_KEY": KEY, "CA_SECRET": SECRET}
        base = f"http://127.0.0.1:{port}"
        process = subprocess.Popen([sys.executable, "-m", "simulators", "ca"], env=environment)
        try:
            ready(base)
            yield base
        finally:
            process.terminate()
            process.wait(timeout=10)


def ready(base: str) -> None:
    """Until it answers, ten seconds at most."""
    end = time.monotonic() + 10
    while time.monotonic() < end:
        try:
            httpx.get(f"{base}/v1/root.pem", trust_env=False, verify=False).raise_for_status()
        except httpx.HTTPError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError("the CA did not start")


def openssl(name: str, seconds: int) -> tuple[float, float]:
    """Signatures and verifications per second as `openssl speed` says; zeros where there is no such program."""
    program = shutil.which("openssl")
    if program is None:
        return 0.0, 0.0
    words = [program, "speed", "-seconds", str(seconds), name]
    lines = subprocess.run(words, capture_output=True, text=True, check=False).stdout.splitlines()
    sign, verify = lines[-1].split()[-2:]
    return float(sign), float(verify)


async def rounds(act: Callable[[], Awaitable[object]], seconds: float) -> list[float]:
    """How long each took."""
    await act()
    found, end = [], time.perf_counter() + seconds
    while (begun := time.perf_counter()) < end:
        await act()
        found.append(time.perf_counter() - begun)
    return found


async def provider(base: str, algorithm: Algorithm, seconds: int) -> dict[str, object]:
    """One line."""
    port = SignatureProvider(SignedClient(base, KEY, SECRET, Clock(), "签名服务"), algorithm)
    try:
        session = (await port.open_session(HOLDER, PIN, 3600)).session
        signed = await rounds(lambda: port.sign(uuid4(), session, CONTENT), seconds)
        value = await port.sign(uuid4(), session, CONTENT)
        signature = base64.b64decode(value.signature)

        async def stamped() -> None:
            await port.sign(uuid4(), session, CONTENT)
            await port.time_stamp(signature)

        async def verify() -> None:
            assert algorithm.verify(value.certificate_pem, CONTENT, signature)

        with_stamp, checked = await rounds(stamped, seconds), await rounds(verify, seconds)
    finally:
        await port.client.close()
    theirs_sign, theirs_verify = openssl(NAMES[algorithm.name], seconds)
    per_s, verify_per_s = len(signed) / sum(signed), len(checked) / sum(checked)
    return {
        "provider": algorithm.name, "sign_per_s": round(per_s, 1), "stamped_per_s": round(len(with_stamp) / sum(with_stamp), 1),
        "verify_per_s": round(verify_per_s, 1), "openssl_sign_per_s": theirs_sign, "openssl_verify_per_s": theirs_verify,
        "ratio": round(per_s / theirs_sign, 4) if theirs_sign else None,
        "verify_ratio": round(verify_per_s / theirs_verify, 4) if theirs_verify else None,
        "p50_ms": round(statistics.median(signed) * 1000, 2), "p99_ms": round(statistics.quantiles(signed, n=100)[98] * 1000, 2),
    }  # fmt: skip


async def sheets(base: str, seconds: int) -> dict[str, object]:
    """A sheet of one page signed twice, and verified."""
    port = SignatureProvider(SignedClient(base, KEY, SECRET, Clock(), "签名服务"))
    first, second = Field("One", (58, 78, 216, 106)), Field("Two", (250, 78, 400, 106))
    words = {"hospital": "示范医院", "date": "", "sex": "女", "digest": ""}
    made: list[bytes] = []
    try:
        known = await port.authorities()

        async def remote_of(holder: str) -> pades.Remote:
            session = (await port.open_session(holder, PIN, 3600)).session
            certificate = (await port.certificates(session)).certificate_pem

            async def sign(attributes: bytes) -> bytes:
                value = await port.sign_document(uuid4(), session, attributes)
                return bytes(base64.b64decode(value.signature))

            return pades.Remote(unarmor(certificate.encode())[2], known, sign, port.time_stamp_reply)

        doctor, pharmacist = await remote_of(HOLDER), await remote_of(OTHER)

        async def sheet() -> None:
            now = datetime.now(UTC)
            pdf = await render.in_thread("record", CONTENT, words, now)
            for field, remote, said in (
                (first, doctor, encoded("prescriber", CONTENT, hashlib.sha256(pdf).digest())),
                (
                    second,
                    pharmacist,
                    encoded("pharmacist", CONTENT, hashlib.sha256(pdf).digest(), "approved"),
                ),
            ):
                last = field is second
                order = pades.Order(
                    field, "", "某人", now, "", said, () if last else (first, second), last=last
                )
                pdf = await pades.sign(pdf, order, remote)
            made.append(pdf)

        cpu = time.process_time()
        took = await rounds(sheet, seconds)
        cpu = (time.process_time() - cpu) / (len(took) + 1)
    finally:
        await port.client.close()
    root = bytes(armor("CERTIFICATE", known.root))

    async def verify() -> None:
        assert verified(made[-1], [root]).good

    checked = await rounds(verify, seconds)
    return {
        "provider": "sheet", "sheets_per_s": round(len(took) / sum(took), 2), "p50_ms": round(statistics.median(took) * 1000, 1),
        "cpu_ms": round(cpu * 1000, 1), "verify_ms": round(statistics.median(checked) * 1000, 1), "bytes": len(made[-1]),
    }  # fmt: skip


def main() -> None:
    """Three lines."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=int, default=3)
    seconds = parser.parse_args().seconds
    with ca() as base:
        for algorithm in (ECDSA, SM2):
            sys.stdout.write(json.dumps(asyncio.run(provider(base, algorithm, seconds))) + "\n")
            sys.stdout.flush()
        sys.stdout.write(json.dumps(asyncio.run(sheets(base, seconds))) + "\n")


if __name__ == "__main__":
    main()
