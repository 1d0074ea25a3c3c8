"""The pages of login, logout and accounts.

Lives here: forms and what they are answered. Does not live here: passwords and sessions (extractor.web.security).
Called by the application.
"""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from extractor.errors import ExtractorError
from extractor.store.shapes import Role
from extractor.web.pages.rendering import choose_look, render_page
from extractor.web.pages.words import Words
from extractor.web.problems import Problem
from extractor.web.security.passwords import SHORTEST
from extractor.web.security.people import add_account, change_account
from extractor.web.service import Service, get_service
from extractor.web.text import AccountName
from extractor.web.visitors import Admin, CheckedForm, Reviewer, find_visitor

router = APIRouter(include_in_schema=False)

_TheService = Annotated[Service, Depends(get_service)]
_Text = Annotated[str, Form(max_length=400)]


@router.get("/login")
def show_login(request: Request, back: str = "") -> Response:
    """The form; whoever is in already goes on."""
    if find_visitor(request):
        return RedirectResponse(read_back(back), 303)
    return render_page(request, "login.html", back=read_back(back), name="", problem="")


@router.post("/login")
def log_in(
    request: Request, _: CheckedForm, service: _TheService, name: _Text = "", password: _Text = "", back: _Text = ""
) -> Response:
    """Begin a session."""
    cookie = service.entrance.session_cookie
    try:
        login = service.logins.log_in(name.strip(), password, _address(request), request.cookies.get(cookie))
    except Problem as problem:
        said = _say(problem, choose_look(request).words)
        return render_page(
            request, "login.html", status=problem.status_code, back=read_back(back), name=name, problem=said
        )
    answer = RedirectResponse(read_back(back), 303)
    answer.set_cookie(
        cookie, login.token, path="/", httponly=True, samesite="lax", secure=service.entrance.is_behind_tls
    )
    return answer


@router.get("/password")
def show_password(request: Request, visitor: Reviewer) -> HTMLResponse:
    """The form for another password of one's own."""
    return render_page(request, "password.html", shortest=SHORTEST, problem="")


class _NewPassword(NamedTuple):
    old: str
    new: str
    again: str


def _read_new_password(old: _Text = "", new: _Text = "", again: _Text = "") -> _NewPassword:
    return _NewPassword(old, new, again)


@router.post("/password")
def change_password(
    request: Request,
    service: _TheService,
    visitor: Reviewer,
    wanted: Annotated[_NewPassword, Depends(_read_new_password)],
) -> Response:
    """Take it. Every login of the account ends, this one, too."""
    try:
        if wanted.new != wanted.again:
            raise Problem(422, "not-the-same", choose_look(request).words("password.differ"))
        service.logins.change_password(visitor.name, wanted.old, wanted.new, _address(request))
    except Problem as problem:
        return render_page(
            request,
            "password.html",
            status=problem.status_code,
            shortest=SHORTEST,
            problem=_say(problem, choose_look(request).words),
        )
    return _forget_login(service, "/login")


@router.post("/logout")
def log_out(request: Request, service: _TheService, visitor: Reviewer) -> Response:
    """End the session."""
    service.logins.log_out(request.cookies.get(service.entrance.session_cookie))
    return _forget_login(service, "/login")


def _address(request: Request) -> str:
    return request.client.host if request.client else ""


def _say(problem: Problem, words: Words) -> str:
    """Why a name or password is not taken."""
    wait = (problem.headers or {}).get("Retry-After", "")
    if problem.status_code == 429:
        return words("login.slow", seconds=wait)
    return words("login.wrong") if problem.status_code == 401 else str(problem.detail)


def _forget_login(service: Service, path: str) -> Response:
    answer = RedirectResponse(path, 303)
    cookie = service.entrance.session_cookie
    answer.delete_cookie(cookie, path="/", httponly=True, samesite="lax", secure=service.entrance.is_behind_tls)
    return answer


def read_back(back: str) -> str:
    """Where to go after the login: an address of ours, and no other."""
    is_ours = back.startswith("/") and not back.startswith("//") and "\\" not in back and back.isprintable()
    return back if is_ours and not back.startswith("/login") else "/queue"


@router.get("/accounts")
def show_accounts(request: Request, service: _TheService, visitor: Admin) -> HTMLResponse:
    """Who may come in."""
    return _show_accounts(request, service)


class _NewAccount(NamedTuple):
    name: str
    password: str
    role: Role


def _read_new_account(
    name: _Text = "", password: _Text = "", role: Annotated[Role, Form()] = "reviewer"
) -> _NewAccount:
    return _NewAccount(name.strip(), password, role)


@router.post("/accounts")
def make_account(
    request: Request, service: _TheService, visitor: Admin, wanted: Annotated[_NewAccount, Depends(_read_new_account)]
) -> Response:
    """Let somebody in."""
    try:
        add_account(service.store, wanted.name, wanted.role, wanted.password, service.now())
    except (Problem, ExtractorError) as problem:
        return _show_accounts(request, service, problem)
    return RedirectResponse("/accounts", 303)


@router.post("/accounts/{name}")
def switch_account(
    request: Request,
    name: AccountName,
    service: _TheService,
    visitor: Admin,
    to: Annotated[Literal["on", "off"], Form()],
) -> Response:
    """Disable an account, or let it in again."""
    try:
        change_account(service.store, name, is_active=to == "on")
    except (Problem, ExtractorError) as problem:
        return _show_accounts(request, service, problem)
    return RedirectResponse("/accounts", 303)


def _show_accounts(request: Request, service: Service, problem: Exception | None = None) -> HTMLResponse:
    with service.store.read() as books:
        accounts = books.people.accounts()
    detail = problem.detail if isinstance(problem, Problem) else str(problem or "")
    return render_page(
        request, "accounts.html", status=422 if problem else 200, accounts=accounts, problem=detail, shortest=SHORTEST
    )
