"""What a person is told when a request cannot be done: a page in both languages, or the way to the login.

Called by the application (extractor.web.problems).
"""

from __future__ import annotations

from fastapi import Request
from fastapi.responses import RedirectResponse
from starlette.responses import Response

from extractor.web.pages.rendering import FRAGMENT_HEADER, choose_look, link_to, render_page
from extractor.web.problems import Problem


def show_problem(request: Request, problem: Problem) -> Response:
    """The page of a problem. Somebody without a login is sent to log in and comes back."""
    is_script = FRAGMENT_HEADER in request.headers
    if problem.status_code == 401 and request.url.path != "/login" and not is_script:
        back = request.url.path if request.method == "GET" else "/queue"
        query = request.url.query if request.method == "GET" else ""
        return RedirectResponse(link_to("/login", back=f"{back}?{query}" if query else back), 303)
    key = f"error.{problem.status_code}"
    words = choose_look(request).words
    page = render_page(
        request,
        "error.html",
        status=problem.status_code,
        said=words(key) if key in words else words("error.title"),
        detail=problem.detail,
        number=getattr(request.state, "request_id", ""),
    )
    page.headers.update(problem.headers or {})
    return page
