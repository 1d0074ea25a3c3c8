"""The application: middleware, routers, errors, put together.

Lives here: the order of things. Does not live here: any rule. Called by `extractor serve` and by tests.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from importlib import resources
from importlib.metadata import version

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles
from starlette.middleware import Middleware
from starlette.responses import Response
from starlette.types import Scope

from extractor.settings import Settings
from extractor.store.store import Store
from extractor.web.api import router as api_router
from extractor.web.api.health import router as health_router
from extractor.web.api.schema import PREFIX, describe_api
from extractor.web.entrance import Entrance
from extractor.web.headers import SafeHeaders
from extractor.web.limits import BodyLimit
from extractor.web.pages import router as pages_router
from extractor.web.pages import show_problem
from extractor.web.problems import install_problems
from extractor.web.request_log import RequestLog, list_templates
from extractor.web.security.door import Door
from extractor.web.security.throttle import Buckets
from extractor.web.service import Service, now_utc

_UPLOADS = frozenset({f"{PREFIX}/runs", "/runs"})
#: Fields of a form beside the files of a submission and their addresses.
_OTHER_FIELDS = 1000


def create_app(
    store: Store,
    settings: Settings,
    entrance: Entrance,
    *,
    now: Callable[[], datetime] = now_utc,
    is_working: Callable[[], bool] = lambda: False,
    is_stopping: Callable[[], bool] = lambda: False,
) -> FastAPI:
    """Build the service.

    Args:
        store: open; the caller closes it.
        now: the time in UTC.
        is_working, is_stopping: see Service.
    """
    service = Service.build(store, settings, entrance, now=now, is_working=is_working, is_stopping=is_stopping)
    app = FastAPI(
        title="extractor",
        version=version("extractor"),
        docs_url=None,  # its page loads scripts from elsewhere
        redoc_url=None,
        openapi_url=None,  # api.schema serves it, to visitors with a login
        telemetry={"tracing": False, "metrics": False, "logs": False},
        middleware=[
            Middleware(SafeHeaders, is_behind_tls=entrance.is_behind_tls),
            Middleware(RequestLog, metrics=service.metrics, show_page=show_problem),
            Middleware(
                Door,
                entrance=entrance,
                logins=service.logins,
                buckets=Buckets(settings.requests_per_account),
                show_page=show_problem,
            ),
            Middleware(BodyLimit, upload_paths=_UPLOADS, upload_mb=settings.max_upload_mb),
        ],
        form_limits={
            "max_files": settings.max_upload_files,
            "max_fields": settings.max_upload_files + _OTHER_FIELDS,
            "max_part_size": 100_000,
        },
    )
    app.state.service = service
    install_problems(app, show_problem)
    app.include_router(api_router, prefix=PREFIX)
    app.include_router(health_router)
    app.include_router(pages_router, include_in_schema=False)
    app.mount("/static", _Static(directory=str(resources.files("extractor.web").joinpath("static"))), name="static")
    app.state.templates = list_templates(app.routes)
    describe_api(app)
    return app


class _Static(StaticFiles):
    """Files of ours. An address with the hash of its content (`?v=`) never changes: browsers keep it for good."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        # The sandboxed frame of a scraped page has an origin of its own, and its style sheet is here.
        response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
        if response.status_code == 200:
            is_named = scope["query_string"].startswith(b"v=")
            response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if is_named else "no-cache"
        return response
