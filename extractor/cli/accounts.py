"""extractor accounts: who may come in to the service."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from extractor.cli.terminal import open_console, usage_errors

if TYPE_CHECKING:
    from extractor.store.store import Store

app = typer.Typer(
    help="Say who may come in to the service (extractor serve): accounts, passwords, API keys.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)

StoreOption = Annotated[
    str | None,
    typer.Option(metavar="PLACE", help="The store (file or postgresql://…); overrides EXTRACTOR_STORE."),
]
NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="The account.")]


class RoleWord(StrEnum):
    """What an account may do."""

    REVIEWER = "reviewer"
    ADMIN = "admin"


@app.command("add")
def add(
    name: NameArgument,
    role: Annotated[RoleWord, typer.Option(help="An admin also sees accounts and undoes others' decisions.")],
    store: StoreOption = None,
    has_password: Annotated[
        bool, typer.Option("--password/--no-password", help="Without one only API keys open it.")
    ] = True,
) -> None:
    """Make an account. The password is asked for twice, or read from stdin where that is no terminal."""
    with _opened(store) as books_of:
        from extractor.web.security.people import add_account
        from extractor.web.service import now_utc

        password = _ask_password(name) if has_password else None
        add_account(books_of, name, role.value, password, now_utc())
    typer.echo(f"{name} may come in as {role.value}." if has_password else f"{name} is made; 'key {name}' lets it in.")


@app.command("list")
def list_accounts(store: StoreOption = None) -> None:
    """Show all accounts and their API keys."""
    with _opened(store) as opened, opened.read() as books:
        rows = [(account, books.people.keys(account.name)) for account in books.people.accounts()]
    from rich.table import Table

    table = Table("name", "role", "state", "password", "made", "keys (id, beginning, last used)", box=None)
    for account, keys in rows:
        shown = [
            f"{key.id} {key.prefix}… {f'{key.last_used_at:%Y-%m-%d}' if key.last_used_at else 'never'}"
            for key in keys
            if not key.is_revoked
        ]
        state = "active" if account.is_active else "disabled"
        has_password = "yes" if account.password_hash else "no"
        table.add_row(
            account.name, account.role, state, has_password, f"{account.created_at:%Y-%m-%d}", "\n".join(shown)
        )
    open_console().print(table)


@app.command("disable")
def disable(name: NameArgument, store: StoreOption = None) -> None:
    """Let an account in no more; its logins end, its keys open nothing. What it decided stays."""
    with _opened(store) as opened:
        from extractor.web.security.people import change_account

        change_account(opened, name, is_active=False)
    typer.echo(f"{name} is disabled.")


@app.command("enable")
def enable(name: NameArgument, store: StoreOption = None) -> None:
    """Let a disabled account in again."""
    with _opened(store) as opened:
        from extractor.web.security.people import change_account

        change_account(opened, name, is_active=True)
    typer.echo(f"{name} is enabled.")


@app.command("password")
def change_password(name: NameArgument, store: StoreOption = None) -> None:
    """Give an account another password; all of its logins end."""
    with _opened(store) as opened:
        from extractor.web.security.people import change_account

        change_account(opened, name, password=_ask_password(name))
    typer.echo(f"{name} has another password.")


@app.command("key")
def make_key(name: NameArgument, store: StoreOption = None) -> None:
    """Make an API key for an account and print it. It is shown this once."""
    with _opened(store) as opened:
        from extractor.web.security.people import add_key
        from extractor.web.service import now_utc

        key, kept = add_key(opened, name, now_utc())
    typer.echo(f"key {kept.id} of {name}; send it as 'Authorization: Bearer …':", err=True)
    typer.echo(key)


@app.command("revoke")
def revoke(
    key_id: Annotated[int, typer.Argument(metavar="ID", help="Number of the key, as 'list' shows it.")],
    store: StoreOption = None,
) -> None:
    """Let nobody come in with a key any more."""
    with _opened(store) as opened:
        from extractor.web.security.people import revoke_key

        revoke_key(opened, key_id)
    typer.echo(f"key {key_id} is revoked.")


@contextmanager
def _opened(where: str | None) -> Iterator[Store]:
    """The store, and what can be put right as one line on stderr."""
    with usage_errors():
        from extractor.errors import NotInStore, SettingsError, StoreError
        from extractor.settings import load_settings
        from extractor.store.store import Store
        from extractor.web.problems import Problem

        try:
            with Store.open(where or load_settings().store) as store:
                yield store
        except (NotInStore, StoreError) as error:
            raise SettingsError(str(error)) from error
        except Problem as problem:
            raise SettingsError(problem.detail) from problem


def _ask_password(name: str) -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    return str(typer.prompt(f"password of {name}", hide_input=True, confirmation_prompt=True))
