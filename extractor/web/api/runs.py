"""Documents handed in together: taking them, saying how far they are, handing out what came of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, File, Form, Request, UploadFile
from fastapi.sse import EventSourceResponse, ServerSentEvent
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.responses import FileResponse, Response

from extractor.store.shapes import Run
from extractor.web.api.events import EventId, follow_run, read_run
from extractor.web.exports import ExportFile, remove_export, write_export
from extractor.web.keyed import IdempotencyKey, Keep
from extractor.web.problems import describe
from extractor.web.service import Service, get_service
from extractor.web.shapes import Listing, RunDocumentView, RunView
from extractor.web.submissions import file_submission, read_submission
from extractor.web.text import After, Limit, RunId
from extractor.web.visitors import Reviewer

router = APIRouter(prefix="/runs", tags=["runs"])
Given = Annotated[Service, Depends(get_service)]
Files = Annotated[list[UploadFile], File(description="The documents: PDF, HTML, Word, text, pictures.")]
Urls = Annotated[
    list[str] | None,
    Form(
        description="Where each file was found, in the order of the files; an empty one where that is unknown. Kept "
        "with the document, never fetched."
    ),
]


@router.post("", status_code=202, response_model=RunView, responses=describe(409), summary="Hand in documents")
def submit_documents(
    service: Given, visitor: Reviewer, files: Files, urls: Urls = None, idempotency_key: IdempotencyKey = None
) -> Response:
    """Keep documents and have them read in the background.

    Files with the same bytes are one document. The answer comes as soon as all are kept; follow the run's events, or
    look at it again.
    """
    submission = read_submission(files, urls or [], service.settings, visitor.name)

    def act(keep: Keep) -> RunView:
        view = file_submission(service.store, submission, visitor.name, service.now(), keep)
        service.metrics.count_documents(len(submission.documents))
        return view

    return service.keyed.answer(visitor.name, idempotency_key, submission.digest, act, status=202)


@router.get("", response_model=Listing[RunView], summary="Runs, newest first")
def list_runs(service: Given, visitor: Reviewer, after: After = None, limit: Limit = 50) -> Listing[RunView]:
    """Runs of the command line and of submissions."""
    with service.store.read() as books:
        runs, cursor = books.runs.list(after, limit)
    return Listing[RunView](entries=[RunView.model_validate(run) for run in runs], next=cursor)


@router.get("/{run_id}", response_model=RunView, responses=describe(404), summary="One run")
def read_one_run(service: Given, visitor: Reviewer, run_id: RunId) -> RunView:
    """How far a run is."""
    return RunView.model_validate(read_run(service, run_id))


@router.get(
    "/{run_id}/documents",
    response_model=Listing[RunDocumentView],
    responses=describe(404),
    summary="What a run is made of",
)
def list_run_documents(
    service: Given, visitor: Reviewer, run_id: RunId, after: After = None, limit: Limit = 100
) -> Listing[RunDocumentView]:
    """The run's documents, in the order of the submission."""
    with service.store.read() as books:
        books.runs.get(run_id)
        documents, cursor = books.runs.documents(run_id, after, limit)
    return Listing[RunDocumentView](
        entries=[RunDocumentView.model_validate(document) for document in documents], next=cursor
    )


async def _follow_run(request: Request, visitor: Reviewer, run_id: RunId) -> AsyncIterator[Run]:
    # As a dependency: once the stream began, nobody could be told that there is no such run. It ends with the stream.
    service = get_service(request)
    with service.streams.take(visitor.name):
        yield await run_in_threadpool(read_run, service, run_id)


@router.get(
    "/{run_id}/events",
    response_class=EventSourceResponse,
    responses=describe(404),
    summary="A run's progress, as it goes",
)
async def stream_events(
    service: Given, run: Annotated[Run, Depends(_follow_run)], last_event_id: EventId = None
) -> AsyncIterator[ServerSentEvent]:
    """Server-sent events: `progress` with the counts whenever they change, `end` when the run is over."""
    async for event in follow_run(service, run, last_event_id):
        yield event


@router.get(
    "/{run_id}/export/{file}",
    response_class=FileResponse,
    responses={200: {"content": {"application/octet-stream": {}}}, **describe(404, 507)},
    summary="What came of a run, as a file",
)
def export_run(
    service: Given,
    visitor: Reviewer,
    run_id: RunId,
    file: ExportFile,
    words: Literal["corrected", "extracted"] = "corrected",
) -> FileResponse:
    """One of the output files of `extractor run`, made now: with persons' words in it, or as extracted."""
    with service.exports.take(visitor.name):
        path = write_export(service.store, run_id, file, as_extracted=words == "extracted")
    headers = {"Content-Disposition": f'attachment; filename="{file}"'}
    return FileResponse(
        path, media_type="application/octet-stream", headers=headers, background=BackgroundTask(remove_export, path)
    )
