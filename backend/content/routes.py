"""Public documents."""

from backend.content import service
from backend.content.wire import DocumentTitle, DocumentView, HospitalView
from backend.edge import ApiCall, ApiEndpoint, Family
from foundation.web.endpoint import get


async def list_documents(call: ApiCall) -> list[DocumentTitle]:
    """All current documents."""
    found = await service.current_documents(call.session)
    return [DocumentTitle(document.kind, document.version, document.title) for document in found]


async def show_document(call: ApiCall) -> DocumentView:
    """The current version of one document."""
    row = await service.current_document(call.session, call.request.path_params["kind"])
    return DocumentView(row.kind, row.version, row.title, row.body, row.content_hash, row.published_at)


async def show_hospital(call: ApiCall) -> HospitalView:
    """The hospital."""
    row = await service.hospital(call.session)
    return HospitalView(row.name, row.short_name, row.address, row.phone)


ENDPOINTS: list[ApiEndpoint] = [
    get("/hospital", show_hospital, reply=HospitalView, summary="医院信息", family=Family.PERSONAL_VISIT),
    get("/documents", list_documents, reply=list[DocumentTitle], summary="公示文件", family=Family.PERSONAL_VISIT),
    get("/documents/{kind}", show_document, reply=DocumentView, summary="公示文件全文", family=Family.PERSONAL_VISIT),
]  # fmt: skip
