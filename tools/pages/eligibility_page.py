"""docs/eligibility.md: who may be seen again online, from the rule in force and its versions."""

from collections.abc import Iterator

from backend.eligibility.rulebook import RuleSet, books
from backend.eligibility.rules import RULES
from tools.pages.markdown import code, page, table

INTRODUCTION = """
A patient is seen again online for a disease that the hospital clearly diagnosed (诊疗办法 Art 16, 医院办法 Art 20), within a window that is the
hospital's own rule. `backend/eligibility` asks the hospital's system through the gateway, decides, and keeps what the decision rests on.
An outcome is **eligible**, **doctor decides** (paid, judged before acceptance, a "no" refunds everything) or **refused** (with the last day on
which it would have been possible, and the way to an appointment at the hospital). A hospital that does not answer is never a yes: 503, try later.
"""
COURSE = """
## How it is decided

1. *Every number of the person is asked.* One person is one id number; the hospital may have her under several. `find-patient` (once a day) names
   the present number and those merged into it, `visits` is asked for each, and one number without an answer is no answer at all.
   Unknown, a name that does not fit, and no records sound the same to whoever asks.
2. *What came is read into facts* (`reading`): code, day, certainty, status, kind, source, rank, whether the name says something acute or dangerous.
   Of the hospital's words nothing goes further. A pair of cause and manifestation (E11.4†G63.2*) is two codes. A doubt in the name
   (待查, ?) makes a diagnosis suspected. Words without a code are read by the synonyms of the rule, then by the names of the code list; what
   is left is for the doctor, and the patient names the disease.
3. *The rule decides* (`rules.decide`), on Shanghai days, for the booking day. A moved appointment keeps its decision. Before a prescription is signed the
   frozen evidence is looked at again as of that day: a visit begun in time does not fail when the window closes meanwhile, a decision
   that its evidence does not carry does (`eligibility_broken`).
4. *The decision is kept* with rule version, SHA-256 of the rule file, level, and the diagnoses near the one asked for: codes, days, hashes
   of resource ids. What else she was treated for is counted and not kept. The visit number of the one diagnosis that carried it is kept
   for the supervisor (`evidenceVisitId`).

Who asks: the person herself, the guardian of a child, a proxy whom the adult let book. A proxy without the grant to see records sees what can be
booked and nothing else; gynaecology, venereal disease and the like need the grant `private`, which no default includes.

## Papers

Where the hospital shows no such diagnosis, or an old one, the patient may upload pictures of a discharge summary or an outpatient record with the day
it bears. The hospital is asked all the same; a paper whose day lies in the window turns a refusal into *doctor decides*, never into *eligible*,
and never against a red flag. Pictures are made anew by a child process, stored encrypted, shown to the doctor of that visit (each look is
audited) and deleted after a day when no decision took them up (`backend/papers`).

## The doctor's word

She accepts with her confirmation that it is a follow-up; where the system could not decide she writes why. Who, what and why are kept
(`follow_up_judgement`) and told to the supervisor (`encounter.started.basis`, `encounter.declined.not_a_follow_up`).

## Looking back

`python -m backend eligibility explain ID` decides again from what was kept, under the version that decided, and prints each step; it ends with 0
when the same comes out, 1 when not, 2 when there is no such decision. Staff see the same at `/desk/eligibility`; the id is the
supervisor's 资格判定编号. A rule file that was edited under its old version is seen by its hash.

## A new version

Copy the newest file of `backend/eligibility/data`, raise `version` and `in_force_from`, have it signed off, and run
`python -m backend eligibility check FILE`: it names every mistake at once. Files are never edited or removed once they were in force.
"""
LEVELS = (
    ("`code`", "E11.900 = E11.900", "eligible"), ("`subcategory`", "E11.9 = E11.900x001, after the mapping of codes", "eligible"),
    ("`category`", "E11.2 and E11.9", "eligible in the chronic list, else doctor decides"),
    ("`group`", "I10 and I11", "doctor decides"), ("`text`", "words that nobody could read as a code", "doctor decides"),
    ("`papers`", "an uploaded paper", "doctor decides"), ("none", "", "refused"),
)  # fmt: skip


def build() -> dict[str, str]:
    """The document by its path."""
    parts = [COURSE.strip().splitlines(), _levels(), _numbers(RULES), _lists(RULES), _versions()]
    return {"docs/eligibility.md": page("Who may be seen again online", INTRODUCTION.strip(), *parts)}


def _levels() -> Iterator[str]:
    yield from ("## Levels", "")
    yield from table(("level", "example", "outcome"), LEVELS)


def _numbers(book: RuleSet) -> Iterator[str]:
    yield from (f"## The rule in force: {book.version}", "")
    rows = (
        ("window", f"{book.window.months} calendar months, the month's last day where there is no such day, inclusive"
         if book.window.months else f"{book.window.days} days"),
        ("longer windows", ", ".join(f"{one}: {it.words}" for one, it in sorted(book.windows.items())) or "none"),
        ("online visits count", book.online), ("diagnoses of a visit", book.ranks),
        ("the place has to be in the department of the visit", "yes" if book.same_department else "no"),
        ("visits that do not count", ", ".join(sorted(book.not_counting))),
        ("in-patients, from discharge: states that are over", ", ".join(sorted(book.inpatient_over))),
        ("never matched by three characters or group", " ".join(sorted(book.never_broad)) + "; names with " + "、".join(book.acute)),
        ("not online, whatever the code", "、".join(book.danger)), ("doubts", "、".join(book.suspected)),
        ("a dangerous form as new as the evidence refuses", "yes" if book.newer_red_flag else "no"),
        ("papers", f"{', '.join(book.paper_kinds)}; at most {book.most_papers}; heal {', '.join(sorted(book.papers_heal))}"),
    )  # fmt: skip
    yield from table(("entry", "is"), rows)


def _lists(book: RuleSet) -> Iterator[str]:
    yield from ("**Chronic list** (three characters suffice): " + " ".join(sorted(book.chronic)), "")
    flags: dict[str, list[str]] = {}
    for one, why in book.red_flags.items():
        flags.setdefault(why, []).append(one)
    yield from table(
        ("red flags: not online", "why"), ((" ".join(codes), why) for why, codes in flags.items())
    )
    yield ""
    groups = (
        (one.name, " ".join(one.codes), " ".join("/".join(pair) for pair in one.apart)) for one in book.groups
    )
    yield from table(("clinical group", "codes", "told apart"), groups)
    yield ""
    yield from table(("older code", "is now"), sorted(book.code_map.items()))
    yield ""
    spans = " ".join(f"{first}–{last}" for first, last in book.sensitive)
    yield f"Names that are read as codes: {len(book.synonyms)}. Seen by a proxy with a grant of its own: {spans}."


def _versions() -> Iterator[str]:
    yield from ("## Versions", "")
    rows = ((one.version, one.in_force_from.isoformat(), code(one.sha256)) for one in books())
    yield from table(("version", "in force from", "SHA-256 of the file"), rows)
