"""extractor serve: the service and its review page.

Lives here: arguments, the decision who may reach it. Does not live here: the application (extractor.web.app), how its
server and worker run (extractor.web.server).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from extractor.cli.options import (
    BaseUrlOption,
    CertificateOption,
    JournalOption,
    ModelOption,
    Readers,
    ReadersOption,
    choose_policy,
    limits,
    load_overridden,
    open_model,
)
from extractor.cli.terminal import EXIT_FAILED, usage_errors

if TYPE_CHECKING:
    from extractor.bulk.flow import ModelPart
    from extractor.settings import Settings
    from extractor.store.store import Store
    from extractor.web.entrance import Entrance

# An empty line between examples: typer joins the lines of a paragraph.
EXAMPLES = """[bold]Examples[/bold]

[cyan]extractor serve --store store.sqlite --open[/cyan]   review on this machine, in the browser

[cyan]extractor serve --store postgresql://… --accounts --behind-tls --host-name review.example.org[/cyan]   for
everybody with an account, behind a proxy on this machine that ends TLS
"""

StoreOption = Annotated[
    str | None,
    typer.Option(metavar="PLACE", help="The store (file or postgresql://…); overrides EXTRACTOR_STORE."),
]


def serve(
    store: StoreOption = None,
    host: Annotated[
        str, typer.Option(help="Address to listen on. One that other machines reach needs accounts.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")] = 8000,
    is_behind_tls: Annotated[
        bool,
        typer.Option("--behind-tls", help="Browsers come by https, through a proxy on this machine that ends TLS."),
    ] = False,
    has_accounts: Annotated[
        bool, typer.Option("--accounts", help="Ask for a login even where only this machine reaches it.")
    ] = False,
    host_name: Annotated[
        list[str] | None, typer.Option(help="Name by which browsers reach it; may be given again.")
    ] = None,
    is_without_workers: Annotated[
        bool, typer.Option("--workers-off", help="Read no submitted documents here; another process does.")
    ] = False,
    is_opening: Annotated[bool, typer.Option("--open", help="Open the review page in the browser.")] = False,
    readers: ReadersOption = None,
    model: ModelOption = None,
    base_url: BaseUrlOption = None,
    journal: JournalOption = None,
    certificate: CertificateOption = None,
) -> None:
    """Serve the review page and the HTTP API over a store, and read what is submitted to it."""
    with usage_errors():
        from extractor.errors import SettingsError, StoreError
        from extractor.store.store import Store
        from extractor.web.server import Listening, serve_store

        settings = load_overridden(model, base_url, journal, store=store, certificate=certificate)
        try:
            with Store.open(settings.store) as opened:
                is_local = not (has_accounts or is_behind_tls)
                entrance = _choose_entrance(opened, settings, host, host_name or [], is_local, is_behind_tls)
                part = None if is_without_workers else _open_model(readers, settings)
                listening = Listening(host, port, entrance, has_worker=not is_without_workers, is_opening=is_opening)
                has_ended_well = serve_store(opened, settings, listening, part)
        except StoreError as error:
            raise SettingsError(str(error)) from error
    if not has_ended_well:
        raise typer.Exit(EXIT_FAILED)


def _choose_entrance(
    store: Store, settings: Settings, host: str, host_names: list[str], is_local: bool, is_behind_tls: bool
) -> Entrance:
    from extractor.errors import SettingsError
    from extractor.web.entrance import Entrance, is_loopback, names_of
    from extractor.web.security.people import has_a_way_in

    names = (*host_names, *names_of(host))
    if is_local and is_loopback(host):
        return Entrance.open(*names)
    if not has_a_way_in(store):
        raise SettingsError(
            f"{host}: others could reach the service and nobody has an account yet. Make one with "
            f"'extractor accounts add NAME --role admin --store {store.name}', or leave --host, --accounts and "
            "--behind-tls out to serve this machine only."
        )
    return Entrance.accounts(*names, is_behind_tls=is_behind_tls)


def _open_model(readers: Readers | None, settings: Settings) -> ModelPart | None:
    policy = choose_policy(readers, settings, None)
    nothing = limits(None, None, None)
    return open_model(policy, settings, None, nothing, nothing)
