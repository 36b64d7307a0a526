"""The page of one visit: what was reported about it, and the forms of what a supervisor may ask for."""

from starlette.responses import Response

from simulators.supervision.console import findings, reading, wording
from simulators.supervision.console.masking import words_about
from simulators.supervision.console.sessions import asking
from simulators.supervision.console.shell import Shell
from simulators.supervision.console.summary import summary
from simulators.supervision.console.typed import NOTHING, Typed
from simulators.supervision.oversight import reveals


def visit_page(shell: Shell, visit_no: str, typed: Typed = NOTHING, status: int = 200) -> Response:
    """Looking at it is a line of the trail, also when a form on it came back (`typed`)."""
    with shell.database.reading() as connection:
        steps = reading.visit(connection, visit_no)
        raised = findings.alerts(connection, visit_no=visit_no)
        allowed = reveals.open_for(connection, visit_no, asking(), shell.clock.now())
    if not steps:
        return shell.missing("没有这次就诊的记录")
    shell.note("visit.view", f"visit {visit_no}")
    persons = words_about((one.method, one.body) for one in steps)
    shown = [
        (
            step,
            wording.details(step.method, step.body, persons),
            wording.lists(step.method, step.body, persons),
        )
        for step in steps
    ]
    return shell.show(
        "visit.html", "一次就诊", "/visits", status=status, typed=typed,
        visit_no=visit_no, steps=shown, alerts=raised, head=summary(steps),
        may_ask=shell.settings.hospital_door.urls != (),
        reveal=allowed,
    )  # fmt: skip
