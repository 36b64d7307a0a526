"""docs/states.md: every state machine, as a table and as a picture."""

import ast
from collections.abc import Iterator

from foundation.states import Machine
from tools.house_rules import sources
from tools.pages.markdown import code, page, table
from tools.pages.settings_page import load

MACHINES: tuple[tuple[str, str], ...] = (
    ("预约挂号", "backend.appointment.states:APPOINTMENT"),
    ("在线复诊", "backend.encounter.states:ENCOUNTER"),
    ("健康咨询", "backend.encounter.states:CONSULTATION"),
    ("升级提醒", "backend.escalation.states:ESCALATION"),
    ("处方", "backend.prescription.states:PRESCRIPTION"),
    ("调剂配送", "backend.dispensing.states:DISPENSE"),
    ("处方点评", "backend.appraisal.states:APPRAISAL"),
    ("医保电子处方", "backend.e_prescription.states:E_PRESCRIPTION"),
    ("支付", "backend.payment.states:PAYMENT"),
    ("退款", "backend.payment.states:REFUND"),
    ("医保支付", "backend.insurance.states:INSURANCE_ORDER"),
    ("电子票据", "backend.e_bill.states:E_BILL"),
    ("价格表版本", "backend.pricing.states:PRICE_LIST"),
    ("对账日", "backend.reconciliation.states:RECONCILIATION"),
    ("对账差异", "backend.reconciliation.states:DIFFERENCE"),
    ("投诉", "backend.complaint.states:COMPLAINT"),
    ("不良事件", "backend.adverse_event.states:ADVERSE_EVENT"),
    ("医院留存", "backend.kept_copy.states:KEPT_COPY"),
    ("监管询问", "backend.inquiry.states:INQUIRY"),
    ("停诊改约", "backend.rescheduling.states:RELOCATION"),
    ("医生迟到后的转诊", "backend.waiting.states:HANDOVER"),
    ("监管上报", "regulator_adapter.states:MACHINE"),
    ("监管日结", "regulator_adapter.days.states:STATEMENT"),
    ("每日签到", "regulator_adapter.states:SIGN_IN"),
)


def machines() -> list[tuple[str, str, Machine]]:
    """Chinese name, module and machine of each."""
    return [(name, path.partition(":")[0], load(path)) for name, path in MACHINES]


def _picture(machine: Machine) -> Iterator[str]:
    yield "```mermaid"
    yield "stateDiagram-v2"
    for state in machine.states:
        yield f"    {_id(state.value)}: {state.value}<br/>{machine.labels[state]}"
    yield f"    [*] --> {_id(machine.initial.value)}"
    joined: dict[tuple[str, str], list[str]] = {}
    for line in machine.moves:
        joined.setdefault((_id(line.source.value), _id(line.target.value)), []).append(line.verb)
    for (source, target), verbs in joined.items():
        yield f"    {source} --> {target}: {', '.join(dict.fromkeys(verbs))}"
    for state in machine.states:
        if machine.final(state):
            yield f"    {_id(state.value)} --> [*]"
    yield "```"


def _id(state: str) -> str:
    return state.replace("-", "_")


def build() -> dict[str, str]:
    """The document by its path."""
    parts = []
    for name, module, machine in machines():
        moves = (
            (
                code(line.source.value),
                code(line.verb),
                code(line.target.value),
                ", ".join(sorted(line.roles)),
                code(line.event or ""),
            )
            for line in machine.moves
        )
        states = (
            (code(state.value), machine.labels[state], code(machine.fhir[state])) for state in machine.states
        )
        parts.append(
            [
                f"## {machine.name} {name}", "", f"`{module}`", "", *_picture(machine), "",
                *table(("state", "on the screen", "FHIR"), states), "",
                *table(("from", "verb", "to", "who may", "event"), moves),
            ]
        )  # fmt: skip
    introduction = (
        "One table per machine. `foundation.db.advance` moves rows by it, and nothing else writes a state; a verb that the "
        "table does not have is refused with 409 `<machine>_<verb>_refused`."
    )
    return {"docs/states.md": page("States", introduction, *parts)}


def unlisted() -> list[str]:
    """Machines that the list above forgot."""
    listed = {path for _, path in MACHINES}
    found = []
    for source in sources():
        if source.path.parts[0] in ("tests", "tools"):
            continue
        for node in source.nodes:
            if (
                isinstance(node, ast.Assign)
                and isinstance(node.value, ast.Call)
                and getattr(node.value.func, "id", "") == "Machine"
            ):
                module = ".".join(source.path.with_suffix("").parts)
                found += [f"{module}:{target.id}" for target in node.targets if isinstance(target, ast.Name)]
    return [path for path in found if path not in listed]
