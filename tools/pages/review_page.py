"""docs/review.md: what the review engine checks, from its own data, and what it knowingly does not."""

from collections import Counter
from collections.abc import Iterator

from backend.formulary.facts import builtin
from backend.review.draft import Category, Severity
from backend.review.finding import RULES_VERSION
from backend.review.rulebook import ANSM, rulebook
from backend.review.rulebook import table as rows_of
from tools.pages.markdown import code, page, table

PARTS = {Category.LEGALITY: "Legality", Category.FORM: "Form", Category.APPROPRIATENESS: "Appropriateness"}
GRAVITY = {Severity.BLOCK: "block", Severity.REASON: "needs a reason", Severity.INFO: "info"}
NOT_CHECKED = """
**Who the prescriber is.** That she is qualified, registered and filed for the department is checked when a
shift starts and when she signs (`practitioner.require_filed`), not here; of her rights the engine knows the
one for antibacterials of the restricted grade.

**Header, footer, signature, one patient only.** The prescription is made from the visit and signed as a
whole; there is no blank to leave empty.

**Herbal pieces (中药饮片)**: eighteen clashes, nineteen fears, preparation, toxic pieces. The list has none; a
prescription of them is refused as an unknown drug. Of patent medicines only what is in `classes.csv`
(ephedra, liquorice, toad venom, blood-moving, hidden western drugs) takes part.

**Solvent, rate and order of infusions.** Nothing to be infused is offered online; of incompatibilities only
what `incompatibilities.csv` lists.

**Pregnancy by trimester.** A drug forbidden in one is treated as forbidden in all.

**Doses of children by weight** only where `limits.csv` gives mg/kg, and only when a weight is stated and
the drug is dosed in mg, g or μg.

**Creatinine clearance.** eGFR is what somebody states or another system sends; it is not computed from
creatinine. Dialysis is eGFR below 15.

**Genes, levels and laboratory values** (INR, potassium, drug levels): advice to watch them is words of an
interaction.

**Interactions with food, alcohol and tobacco**, except that medicines containing alcohol are named as such.

**Interactions of three drugs at once**; three are three pairs.

**Topical drugs in interactions.** What is put on skin, eye, nose or vagina takes part in none, but for
β-blocker eye drops and opioid patches; inhaled steroids take part in none.

**Time of day and spacing of doses.** Words of a rule say so; nobody can check them.

**Drugs that our list does not hold** and that she takes: they are named as not reviewed.

**Cumulative quantities over several visits** beyond days left of the same substance.

**What only a person sees.** Whether the treatment is right for her. Nothing is approved and nothing is
drafted by the engine.
"""


def build() -> dict[str, str]:
    """The document by its path."""
    introduction = (
        "Every draft and every signature is looked at by `backend/review`: pure functions over rules that are data "
        f"(`backend/review/data`, rule set `{RULES_VERSION}`). A **block** stops the signature; **needs a reason** asks the doctor for "
        "one and shows it to the pharmacist; **info** is read. It screens; a pharmacist decides about every prescription. "
        "“By data” means that the row which speaks carries its own gravity and source, and its id stands in the finding. "
        "The rows are facts from package inserts and public sources, entered from knowledge of them and not copied: the hospital's pharmacy "
        "confirms them before they are used on patients (医疗机构处方审核规范 2018)."
    )
    parts = [_rules(), _data(), _classes(), _not_checked(), _changing()]
    return {"docs/review.md": page("Prescription review", introduction, *parts)}


def _rules() -> Iterator[str]:
    yield "## What is checked"
    for part, title in PARTS.items():
        yield from ("", f"### {title}", "")
        yield from table(
            ("rule", "says", "gravity", "source", "since"),
            (
                (code(one.id), one.title, GRAVITY[one.severity], one.source, one.version)
                for one in rulebook().rules.values()
                if one.category is part
            ),
        )


def _data() -> Iterator[str]:
    book = rulebook()
    pairs = Counter(rule.severity for rule in book.interactions.values())
    ours = sum(1 for rule in book.interactions.values() if rule.id.startswith("L"))
    drugs = builtin()
    yield from ("## By what data", "")
    rows = (
        ("`formulary.csv`", f"{len(drugs)}", "drugs: doses, routes, age, pregnancy, lactation, indications, allergy, control, grade"),
        ("`limits.csv`", f"{sum(len(one.limits) for one in drugs.values())}", "narrower limits by age band and eGFR, and where a drug is not to be used"),
        ("`interactions.csv`", f"{len(rows_of('interactions.csv'))}", "interactions of package inserts, by substance and class; they go before the thesaurus"),
        ("`ansm_rules.csv`", f"{len(rows_of('ansm_rules.csv'))}", f"interactions of the {ANSM}, by substance and class, made by `tools/interactions.py`"),
        ("→ pairs of substances", f"{len(book.interactions)}",
         f"{pairs[Severity.BLOCK]} block, {pairs[Severity.REASON]} need a reason, {pairs[Severity.INFO]} info; {ours} from package inserts"),
        ("`contraindications.csv`", f"{len(rows_of('contraindications.csv'))}", "by diagnosis (ICD-10 spans), age, sex, pregnancy, liver"),
        ("`cross_allergy.csv`, `side_chains.csv`", f"{len(rows_of('cross_allergy.csv')) + len(rows_of('side_chains.csv'))}", "cross-allergies and β-lactam side chains"),
        ("`duplicates.csv`, `allowed_together.csv`", f"{len(rows_of('duplicates.csv')) + len(rows_of('allowed_together.csv'))}", "classes of which one is enough, and pairs that belong together"),
        ("`frequencies.csv`", f"{len(rows_of('frequencies.csv'))}", "how often a drug or a form is taken"),
        ("`incompatibilities.csv`", f"{len(rows_of('incompatibilities.csv'))}", "what may not be mixed"),
        ("`retail_ban.csv`", f"{len(rows_of('retail_ban.csv'))}", "the national list of what may not be sold online, on by `REVIEW_RETAIL_BAN`"),
    )  # fmt: skip
    yield from table(("file", "rows", "holds"), rows)
    yield ""
    yield (
        "The thesaurus' levels: contraindicated → block (needs a reason where it depends on dose or route), not advised → needs a "
        "reason, precaution and to be considered → info. Of several rules about one pair the gravest stands, package inserts before the "
        "thesaurus; but what the thesaurus forbids stays forbidden. Its words are not used."
    )


def _classes() -> Iterator[str]:
    book = rulebook()
    yield from ("## Classes", "")
    yield from table(
        ("class", "name", "members", "twice"),
        (
            (code(name), book.titles[name], "、".join(sorted(members)),
             GRAVITY[book.duplicates[name].severity] if name in book.duplicates else "–")
            for name, members in book.classes.items()
        ),
    )  # fmt: skip


def _not_checked() -> Iterator[str]:
    yield from ("## What is knowingly not checked", "")
    yield from (f"- {' '.join(one.split())}" for one in NOT_CHECKED.strip().split("\n\n"))


def _changing() -> Iterator[str]:
    yield from ("## Changing the list of drugs", "")
    yield (
        "`python -m backend formulary import FILE [--limits FILE] [--dry-run]` makes the stored list equal to a CSV with the columns of "
        "`backend/formulary/data/formulary.csv` and says what was added (`+`), changed (`~`, field by field) and withdrawn (`-`). "
        "The same file twice changes nothing; one wrong row changes nothing and every wrong row is named. Every change is a "
        "`drug_catalogue.changed` event for the supervisor. `cold_chain` (1 or 0) is what a courier is refused by; in a list without that "
        "column names decide (insulin and the like are cold). Without `--limits` each drug keeps its limits."
    )
    yield from ("", "## Outside callers and an outside server", "")
    yield (
        "`/cds-services` offers the same rules as CDS Hooks 2.0 (`order-select`, `order-sign`, feedback) to issuers named in `CDS_CLIENTS`; nobody "
        "else is answered. With `REVIEW_SERVER_URL` another server's `order-sign` is asked at every check: its cards become findings, and only "
        "those whose extension says `block` stop a signature. No usable answer rings an alarm and marks the prescription for a full review by hand."
    )
