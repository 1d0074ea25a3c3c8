"""Who may come in: accounts and API keys, for admins; and everybody's own password."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints
from starlette.responses import Response

from extractor.store.shapes import Account, ApiKey, Role
from extractor.web.problems import describe
from extractor.web.security.people import NAME_PATTERN, add_account, add_key, change_account, revoke_key
from extractor.web.service import Service, get_service
from extractor.web.shapes import AccountView, KeyView, NewKeyView
from extractor.web.text import Number
from extractor.web.visitors import Admin, Reviewer

router = APIRouter(tags=["accounts"])
Given = Annotated[Service, Depends(get_service)]
Name = Annotated[str, StringConstraints(pattern=NAME_PATTERN)]
Password = Annotated[SecretStr, Field(max_length=200, description="10 to 200 characters")]


class NewAccount(BaseModel):
    """Somebody new."""

    model_config = ConfigDict(extra="forbid")

    name: Name
    role: Role
    password: Password | None = Field(default=None, description="left out for a program that has API keys only")


class AccountChange(BaseModel):
    """What is to be different; what is left out stays."""

    model_config = ConfigDict(extra="forbid")

    role: Role | None = None
    is_active: bool | None = None
    password: Password | None = None


class PasswordChange(BaseModel):
    """One's own password, now and from now on."""

    model_config = ConfigDict(extra="forbid")

    old: Password
    new: Password


@router.post("/password", status_code=204, summary="Change one's own password")
def change_password(request: Request, service: Given, visitor: Reviewer, change: PasswordChange) -> Response:
    """Take another password. All logins of the account end; its API keys stay."""
    address = request.client.host if request.client else ""
    old, new = change.old.get_secret_value(), change.new.get_secret_value()
    service.logins.change_password(visitor.name, old, new, address)
    return Response(status_code=204)


@router.get("/accounts", response_model=list[AccountView], summary="All accounts")
def list_accounts(service: Given, visitor: Admin) -> list[AccountView]:
    """Accounts with their keys, without anything that could be used to come in."""
    with service.store.read() as books:
        return [_show(account, books.people.keys(account.name)) for account in books.people.accounts()]


@router.post(
    "/accounts", status_code=201, response_model=AccountView, responses=describe(409), summary="Let somebody in"
)
def create_account(service: Given, visitor: Admin, wanted: NewAccount) -> AccountView:
    """Make an account. The name stays for good: reviews carry it."""
    password = wanted.password.get_secret_value() if wanted.password else None
    return _show(add_account(service.store, wanted.name, wanted.role, password, service.now()), [])


@router.patch("/accounts/{name}", response_model=AccountView, responses=describe(404, 409), summary="Change an account")
def patch_account(service: Given, visitor: Admin, name: Name, change: AccountChange) -> AccountView:
    """Change role or password, or disable it. A new password and disabling end all of its logins."""
    password = change.password.get_secret_value() if change.password else None
    account = change_account(service.store, name, role=change.role, is_active=change.is_active, password=password)
    with service.store.read() as books:
        return _show(account, books.people.keys(name))


@router.post(
    "/accounts/{name}/keys",
    status_code=201,
    response_model=NewKeyView,
    responses=describe(404),
    summary="Make an API key",
)
def create_key(service: Given, visitor: Admin, name: Name) -> NewKeyView:
    """A key for a program that acts as this account. It is shown this once and kept nowhere."""
    key, kept = add_key(service.store, name, service.now())
    return NewKeyView(**KeyView.model_validate(kept).model_dump(), key=key)


@router.delete("/keys/{key_id}", status_code=204, responses=describe(404), summary="Revoke an API key")
def delete_key(service: Given, visitor: Admin, key_id: Number) -> Response:
    """From now on nobody comes in with it."""
    revoke_key(service.store, key_id)
    return Response(status_code=204)


def _show(account: Account, keys: list[ApiKey]) -> AccountView:
    return AccountView(
        name=account.name,
        role=account.role,
        is_active=account.is_active,
        has_password=account.password_hash is not None,
        created_at=account.created_at,
        keys=[KeyView.model_validate(key) for key in keys],
    )
