"""`python -m tests.load.bench_review`: prescriptions of five drugs against every rule.

Its last line is JSON: {load_ms, prescriptions, p50_ms, p99_ms, worst_ms, cpu_p99_ms, findings, pairs}; `cpu_p99_ms` is what the
thread itself used, whatever else the machine does. Loading is measured in a process
of its own, imports of the engine included; reviews are of random drugs, patients and drugs still taken, from one seed.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from random import Random

from backend.formulary.facts import Drug, builtin
from backend.review.draft import Answer, Draft, Item, Liver, PatientFacts, Taking
from backend.review.engine import review
from backend.review.rulebook import rulebook
from contracts.events import Diagnosis

GROUPS = ("penicillin", "nsaid", "cephalosporin", "sulfonamide_antibacterial")
DIAGNOSES = ("I10.x00", "E11.900", "K25.900", "I50.900", "N18.400", "J45.900", "M10.900", "K74.600")
FREQUENCIES = ("qd", "bid", "tid", "qw")


def prescription(random: Random, drugs: list[Drug]) -> tuple[Draft, PatientFacts]:
    """Five lines, three diagnoses, five drugs still taken."""
    items = [
        Item(
            one.code,
            one.single_max or "1",
            random.choice(FREQUENCIES),
            one.routes[0],
            random.randint(1, 40),
            2,
        )
        for one in random.sample(drugs, 5)
    ]
    codes = random.sample(DIAGNOSES, 3)
    facts = PatientFacts(
        age=random.randint(0, 95), sex=random.choice(("male", "female")), confirmed_codes=frozenset(codes),
        allergy_groups=frozenset(random.sample(GROUPS, 1)), egfr=random.choice((None, 12, 40, 90)),
        liver=random.choice(list(Liver)), pregnancy=random.choice(list(Answer)), weight_kg="60",
        taking=tuple(Taking(one.code, one.generic_name, random.randint(1, 30)) for one in random.sample(drugs, 5)),
    )  # fmt: skip
    return Draft(items, [Diagnosis(code, code) for code in codes]), facts


def loading() -> float:
    """Milliseconds until the rules are there, in a fresh process."""
    code = (
        "import time; from backend.review.rulebook import rulebook; begun = time.perf_counter(); rulebook();"
        "print((time.perf_counter() - begun) * 1000)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return float(done.stdout)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.load.bench_review")
    parser.add_argument("--prescriptions", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    load_ms = statistics.median(loading() for _ in range(3))
    random, catalogue = Random(options.seed), builtin()
    drugs = list(catalogue.values())
    written = [prescription(random, drugs) for _ in range(options.prescriptions)]
    review(*written[0], catalogue)
    times, used, found = [], [], 0
    for draft, facts in written:
        begun, cpu = time.perf_counter(), time.thread_time()
        findings = review(draft, facts, catalogue)
        times.append((time.perf_counter() - begun) * 1000)
        used.append((time.thread_time() - cpu) * 1000)
        found += len(findings)
    times.sort()
    used.sort()
    line = {
        "load_ms": round(load_ms, 1), "prescriptions": len(times), "p50_ms": round(times[len(times) // 2], 3),
        "p99_ms": round(times[len(times) * 99 // 100], 3), "worst_ms": round(times[-1], 3), "cpu_p99_ms": round(used[len(used) * 99 // 100], 3),
        "findings": round(found / len(times), 1), "pairs": len(rulebook().interactions),
    }  # fmt: skip
    sys.stdout.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    main()
