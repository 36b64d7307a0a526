"""QIDO-RS on three levels, metadata and rendered frames."""

from collections.abc import Awaitable, Callable, Iterable
from fnmatch import fnmatchcase

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simulators.pacs import dicom_json
from simulators.pacs.archive import Archive, Instance, Series, Study
from simulators.pacs.dicom_json import Json
from simulators.pacs.pictures import drawn, png
from simulators.server import BodyLimit, Faults, error, exception_handlers

ROOT = "/dicom-web"
_JSON = "application/dicom+json"
Handler = Callable[[Request], Awaitable[Response]]


class NotThere(Exception):
    """No such study, series, instance or frame."""


def declared_faults() -> Faults:
    """`somebody_elses`: every search also gives the first study of another patient."""
    return Faults(down=bool, slow_seconds=float, garbage=bool, somebody_elses=bool)


def create_app(archive: Archive, faults: Faults) -> BodyLimit:
    web = _Dicomweb(archive, faults)
    series = ROOT + "/studies/{study}/series"
    instances = series + "/{series}/instances"
    paths: dict[str, Handler] = {
        f"{ROOT}/studies": web.studies,
        series: web.series,
        instances: web.instances,
        instances + "/{instance}/metadata": web.metadata,
        instances + "/{instance}/frames/{frame:int}/rendered": web.rendered,
    }
    routes = [Route(path, web.guarded(handler)) for path, handler in paths.items()]
    return BodyLimit(Starlette(routes=routes, exception_handlers=exception_handlers()))


class _Dicomweb:
    def __init__(self, archive: Archive, faults: Faults) -> None:
        self._archive = archive
        self._faults = faults

    def guarded(self, handler: Handler) -> Handler:
        async def guarded(request: Request) -> Response:
            await self._faults.delay()
            if self._faults.on("down"):
                return error(503, "DOWN", "影像系统暂不可用")
            if self._faults.on("garbage"):
                return Response(b"<html>\xff 502", 200, media_type=_JSON)
            try:
                return await handler(request)
            except NotThere:
                return error(404, "NOT_FOUND")
            except ValueError as wrong:
                return error(400, "BAD_REQUEST", str(wrong))

        return guarded

    async def studies(self, request: Request) -> Response:
        found = [one for one in self._archive.studies.values() if _matches(one, request)]
        if self._faults.on("somebody_elses"):
            hers = {one.row.patient for one in found}
            found += [one for one in self._archive.studies.values() if one.row.patient not in hers][:1]
        return _answer(request, (dicom_json.of_study(one) for one in found))

    async def series(self, request: Request) -> Response:
        study = self._study(request)
        return _answer(request, (dicom_json.of_series(study, one) for one in study.series))

    async def instances(self, request: Request) -> Response:
        study, series = self._series(request)
        made = (dicom_json.of_instance(study, series, one) for one in series.instances)
        return _answer(request, made)

    async def metadata(self, request: Request) -> Response:
        return Response(
            msgspec.json.encode([dicom_json.metadata(*self._instance(request))]), media_type=_JSON
        )

    async def rendered(self, request: Request) -> Response:
        study, series, instance = self._instance(request)
        frame: int = request.path_params["frame"]
        if not 1 <= frame <= instance.frames:
            raise NotThere
        if not any(kind in request.headers.get("accept", "*/*") for kind in ("image/png", "image/*", "*/*")):
            return error(406, "NOT_ACCEPTABLE", "image/png only")
        window, viewport = request.query_params.get("window"), request.query_params.get("viewport")
        across = max(len(series.instances), instance.frames) - 1
        place = (instance.number - 1 if len(series.instances) > 1 else frame - 1) / across if across else 0.5
        rows = drawn(study.row.modality, place)
        return Response(png(rows, _window(window), _viewport(viewport)), media_type="image/png")

    def _study(self, request: Request) -> Study:
        study = self._archive.studies.get(request.path_params["study"])
        if study is None:
            raise NotThere
        return study

    def _series(self, request: Request) -> tuple[Study, Series]:
        study = self._study(request)
        for one in study.series:
            if one.uid == request.path_params["series"]:
                return study, one
        raise NotThere

    def _instance(self, request: Request) -> tuple[Study, Series, Instance]:
        study, series = self._series(request)
        for one in series.instances:
            if one.uid == request.path_params["instance"]:
                return study, series, one
        raise NotThere


def _matches(study: Study, request: Request) -> bool:
    """PatientID with wildcards, StudyInstanceUID, AccessionNumber, StudyDate as a day or a range."""
    query = request.query_params
    first, dash, last = query.get("StudyDate", "").partition("-")
    day = study.row.day.replace("-", "")
    return (
        fnmatchcase(study.row.patient, query.get("PatientID", "*"))
        and query.get("StudyInstanceUID", study.uid) == study.uid
        and query.get("AccessionNumber", study.row.accession) == study.row.accession
        and (not first or (day >= first if dash else day == first))
        and (not last or day <= last)
    )


def _answer(request: Request, entries: Iterable[Json]) -> Response:
    query = request.query_params
    include = {name for given in query.getlist("includefield") for name in given.split(",")}
    limit, offset = int(query.get("limit", "1000")), int(query.get("offset", "0"))
    page = list(entries)[offset : offset + limit]
    return Response(msgspec.json.encode([dicom_json.cut(one, include) for one in page]), media_type=_JSON)


def _window(text: str | None) -> tuple[float, float] | None:
    if text is None:
        return None
    centre, width, function = text.split(",")
    if function != "linear":
        raise ValueError("window: linear only")
    return float(centre), float(width)


def _viewport(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    columns, rows = (int(one) for one in text.split(","))
    if not (1 <= columns <= 4_096 and 1 <= rows <= 4_096):
        raise ValueError("viewport out of range")
    return columns, rows
