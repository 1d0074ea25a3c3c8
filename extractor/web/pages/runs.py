"""The pages of runs: the list with the form to submit documents, and one run with its progress and its files.

Called by the application.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, File, Request, UploadFile
from fastapi.responses import HTMLResponse, RedirectResponse

from extractor.store.shapes import Run
from extractor.web.exports import ExportFile
from extractor.web.pages.rendering import render_page
from extractor.web.service import Service, get_service
from extractor.web.submissions import file_submission, read_submission
from extractor.web.text import RunId
from extractor.web.visitors import Reviewer

router = APIRouter(include_in_schema=False)

_TheService = Annotated[Service, Depends(get_service)]
_PAGE = 50
_DOCUMENTS = 100


@router.get("/runs")
def show_runs(request: Request, service: _TheService, visitor: Reviewer, after: str | None = None) -> HTMLResponse:
    """All jobs, newest first."""
    with service.store.read() as books:
        runs, cursor = books.runs.list(after, _PAGE)
    return render_page(
        request,
        "runs.html",
        runs=[(run, *count_done(run)) for run in runs],
        cursor=cursor,
        size=service.settings.max_upload_mb,
        most=service.settings.max_upload_files,
    )


@router.post("/runs")
def submit_files(
    service: _TheService, visitor: Reviewer, files: Annotated[list[UploadFile], File()]
) -> RedirectResponse:
    """Take documents in; they are read in the background."""
    submission = read_submission(files, [], service.settings, visitor.name)
    run = file_submission(service.store, submission, visitor.name, service.now(), lambda books, view: None)
    service.metrics.count_documents(len(submission.documents))
    return RedirectResponse(f"/runs/{run.id}", 303)


@router.get("/runs/{run_id}")
def show_run(
    request: Request, run_id: RunId, service: _TheService, visitor: Reviewer, after: str | None = None
) -> HTMLResponse:
    """One job."""
    with service.store.read() as books:
        run = books.runs.get(run_id)
        documents, cursor = books.runs.documents(run_id, after, _DOCUMENTS)
    done, total = count_done(run)
    return render_page(
        request,
        "run.html",
        run=run,
        done=done,
        total=total,
        documents=documents,
        cursor=cursor,
        files=[file.value for file in ExportFile],
    )


def count_done(run: Run) -> tuple[int, int]:
    """Documents of a run that are over, and all of them."""
    total = sum(run.counts.values())
    return total - run.counts.get("queued", 0) - run.counts.get("working", 0), total
