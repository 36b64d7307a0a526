"""Samples for inspection: drawing them, what came out, and what was found in each."""

import secrets
from urllib.parse import parse_qsl

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from simulators.supervision.console.people import People
from simulators.supervision.console.scope import Scope, scope_of
from simulators.supervision.console.sessions import asking
from simulators.supervision.console.shell import LARGEST_ID, Shell, number_of, words_of
from simulators.supervision.console.typed import NOTHING, Typed
from simulators.supervision.oversight import matters, sampling
from simulators.supervision.times import utc_text

SEED_LENGTH = 64
PAGE = 30


class Drawing:
    """Each draw and each judgement is a line of the trail."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell

    def routes(self) -> list[Route]:
        own, form = self._shell.guarded, self._shell.signed_in
        return [
            Route("/samples", own(self.samples), methods=["GET"]),
            Route("/samples", form(self.draw), methods=["POST"]),
            Route("/samples/{number:int}", own(self.sample)),
            Route("/samples/{number:int}.json", own(self.sample_json)),
            Route("/samples/{number:int}/population.txt", own(self.population)),
            Route("/samples/{number:int}/results", form(self.judge), methods=["POST"]),
        ]

    def samples(self, request: Request) -> Response:
        return self._samples(self._shell.scope(request), number_of(request.query_params.get("before", "")))

    def _samples(
        self, scope: Scope, before: int | None, typed: Typed = NOTHING, status: int = 200
    ) -> Response:
        with self._shell.database.reading() as connection:
            found = sampling.latest(connection, before, PAGE + 1)
            older = found[PAGE - 1].id if len(found) > PAGE else None
            return self._shell.show(
                "samples.html", "抽查", "/samples", status=status, typed=typed,
                samples=found[:PAGE], more=scope.query(before=str(older)) if older else "",
                kinds=sampling.KINDS, most=sampling.MOST, seed=secrets.token_hex(8),
                narrow=self._shell.filter(connection, scope, "/samples"), scope=scope,
            )  # fmt: skip

    async def draw(self, request: Request) -> Response:
        given = await words_of(request, "kind", "wanted", "seed", "reason", "scope")
        wanted, scope = number_of(given["wanted"]) or 0, _scope_in(given["scope"])
        problem = ""
        if given["kind"] not in sampling.KINDS or not 1 <= wanted <= sampling.MOST:
            problem = f"请选择抽查对象，数量为1至{sampling.MOST}"
        elif not 4 <= len(given["seed"]) <= SEED_LENGTH or not 4 <= len(given["reason"]) <= 300:
            problem = "请填写随机种子（4至64字）和抽查依据（4至300字）"
        if problem:
            return await run_in_threadpool(self._samples, scope, None, Typed("draw", problem, given), 422)

        def drawn() -> int:
            with self._shell.database.reading() as connection:
                up_to = sampling.newest(connection)
                where, values = scope.records(up_to=up_to)
                numbers = sampling.population(connection, given["kind"], where, values, up_to)
            with self._shell.database.writing() as connection:  # short: records come in meanwhile
                number = sampling.draw(
                    connection, asking(), self._shell.clock.now(), kind=given["kind"], scope=scope.query(),
                    reason=given["reason"], seed=given["seed"], wanted=wanted, numbers=numbers, up_to=up_to,
                )  # fmt: skip
            _, done = self._drawn(number) or (None, None)
            if done is not None:
                with self._shell.database.writing() as connection:
                    sampling.keep(connection, number, done.chosen)
            return number

        return RedirectResponse(f"/samples/{await run_in_threadpool(drawn)}", status_code=303)

    def _drawn(self, number: int) -> tuple[sampling.Sample, sampling.Draw] | None:
        """The sample with what came out."""
        with self._shell.database.reading() as connection:
            sample = sampling.get(connection, number) if number < LARGEST_ID else None
            if sample is None:
                return None
            done = sampling.drawn(connection, sample)
        if done is None:  # of before populations were kept
            numbers = self._population_now(sample)
            done = sampling.Draw("", numbers, sampling.pick(sample.seed, numbers, sample.wanted))
        return sample, done

    def _population_now(self, sample: sampling.Sample) -> list[str]:
        """The population, made again from the feed."""
        where, values = _scope_in(sample.scope).records(up_to=sample.up_to)
        with self._shell.database.reading() as connection:
            return sampling.population(connection, sample.kind, where, values, sample.up_to)

    def _unchanged(self, sample: sampling.Sample) -> bool:
        return sampling.digest(self._population_now(sample)) == sample.population_digest

    def sample(self, request: Request) -> Response:
        found = self._drawn(request.path_params["number"])
        if found is None:
            return self._shell.missing("没有这次抽查")
        self._shell.note("sample.view", f"sample {found[0].id}")
        return self._sample(*found)

    def _sample(
        self, sample: sampling.Sample, done: sampling.Draw, typed: Typed = NOTHING, status: int = 200
    ) -> Response:
        with self._shell.database.reading() as connection:
            people, results = People(connection), sampling.results(connection, sample.id)
            notes = {number: people.of_number(number).mask(one.note) for number, one in results.items()}
        return self._shell.show(
            "sample.html", f"抽查 {sample.id}", "/samples", status=status, typed=typed,
            sample=sample, head=done.head, chosen=done.chosen, results=results, notes=notes, same=self._unchanged(sample),
        )  # fmt: skip

    def sample_json(self, request: Request) -> Response:
        found = self._drawn(request.path_params["number"])
        if found is None:
            return self._shell.missing("没有这次抽查")
        sample, done = found
        self._shell.note("sample.view", f"sample {sample.id}")
        return JSONResponse({
            "id": sample.id, "at": utc_text(sample.at), "by": sample.name, "kind": sample.kind, "scope": sample.scope,
            "reason": sample.reason, "seed": sample.seed, "wanted": sample.wanted, "up_to": sample.up_to,
            "population": sample.population, "population_digest": sample.population_digest,
            "population_unchanged": self._unchanged(sample), "trail_number": sample.trail_number,
            "trail_head": done.head, "chosen": done.chosen,
        })  # fmt: skip

    def population(self, request: Request) -> Response:
        """The list that was drawn from, as its digest has it."""
        found = self._drawn(request.path_params["number"])
        if found is None:
            return self._shell.missing("没有这次抽查")
        self._shell.note("sample.view", f"sample {found[0].id}")
        return PlainTextResponse(sampling.listed(found[1].numbers))

    async def judge(self, request: Request) -> Response:
        number = request.path_params["number"]
        given = await words_of(request, "number", "verdict", "note")
        found = await run_in_threadpool(self._drawn, number)
        if found is None or given["number"] not in found[1].chosen or given["verdict"] not in ("good", "bad"):
            return self._shell.missing("这次抽查里没有这一件")
        if given["verdict"] == "bad" and len(given["note"]) < 4:
            typed = Typed(given["number"], "发现问题时请写明情况（至少4字）", given)
            return await run_in_threadpool(self._sample, *found, typed, 422)
        sample = found[0]

        def judged() -> None:
            at, who = self._shell.clock.now(), asking()
            with self._shell.database.reading() as connection:
                row = connection.execute(sampling.record_of(sample.kind), (given["number"],)).fetchone()
            with self._shell.database.writing() as connection:
                fresh = sampling.judge(
                    connection, number, given["number"], who, at,
                    good=given["verdict"] == "good", note=given["note"][:300],
                )  # fmt: skip
                if fresh and given["verdict"] == "bad":
                    matters.take_up(connection, matters.Subject(
                        "finding", f"sample {number} {given['number']}", f"抽查发现问题（{sample.says}）",
                        given["note"][:300], row["visit_no"], row["id"], utc_text(at),
                    ), who, at)  # fmt: skip

        await run_in_threadpool(judged)
        return RedirectResponse(f"/samples/{number}", status_code=303)


def _scope_in(text: str) -> Scope:
    """From the end of an address."""
    return scope_of(dict(parse_qsl(text.removeprefix("?"))))
