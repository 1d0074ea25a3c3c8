"""The options that several commands share: a model's part, limits, journal and store."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from extractor.cli.terminal import print_notice

if TYPE_CHECKING:
    from extractor.bulk.flow import ModelPart
    from extractor.llm.budget import Limits
    from extractor.readers.policy import Policy
    from extractor.settings import Settings
    from extractor.store.store import Store

#: How to have a model asked.
NO_MODEL = (
    "Set EXTRACTOR_MODEL (and EXTRACTOR_BASE_URL for a local server, EXTRACTOR_API_KEY for a hosted one), "
    "or answer from recorded replies with --replay FILE."
)


class Readers(StrEnum):
    """Who reads."""

    AUTO = "auto"
    BOTH = "both"
    TEMPLATE = "template"
    LLM = "llm"


ReadersOption = Annotated[
    Readers | None,
    typer.Option(
        help="template: rules alone. auto: rules, and a model for what they leave open and for the running text. "
        "both: everything by both, differences go to review. llm: the model alone. "
        "[dim]Default: auto with a model or replies, else template.[/dim]",
        show_default=False,
    ),
]
ReplayOption = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Answer from a file of recorded replies; no server is asked, no key is needed."),
]
ModelOption = Annotated[str | None, typer.Option(help="Name of the model; overrides EXTRACTOR_MODEL.")]
BaseUrlOption = Annotated[
    str | None,
    typer.Option(metavar="URL", help="Server that speaks the OpenAI protocol; overrides EXTRACTOR_BASE_URL."),
]
JournalOption = Annotated[
    str | None,
    typer.Option(metavar="PLACE", help="Where replies are kept (file or postgresql://…); overrides EXTRACTOR_JOURNAL."),
]
StoreOption = Annotated[
    str | None,
    typer.Option(
        metavar="PLACE",
        help="Store of documents, records, queue and reviews (file or postgresql://…); overrides EXTRACTOR_STORE.",
    ),
]
CertificateOption = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Certificate of extractor calibrate, which then has a say in what is accepted; overrides "
        "EXTRACTOR_CERTIFICATE.",
    ),
]
AuditShareOption = Annotated[
    float | None,
    typer.Option(
        min=0,
        max=1,
        help="Share of the documents with accepted values that go to queue.csv whole, unmarked, to learn how many "
        "accepted values are wrong; overrides EXTRACTOR_AUDIT_SHARE.",
    ),
]
_LIMITS = "Limits"
MaxUsdOption = Annotated[
    float | None, typer.Option(min=0, help="Spend at most this on a run, in USD.", rich_help_panel=_LIMITS)
]
MaxTokensOption = Annotated[
    int | None, typer.Option(min=0, help="Use at most so many tokens in a run.", rich_help_panel=_LIMITS)
]
MaxCallsOption = Annotated[
    int | None, typer.Option(min=0, help="Send at most so many requests in a run.", rich_help_panel=_LIMITS)
]
DocumentUsdOption = Annotated[
    float | None, typer.Option(min=0, help="The same for each document.", rich_help_panel=_LIMITS)
]
DocumentTokensOption = Annotated[
    int | None, typer.Option(min=0, help="The same for each document.", rich_help_panel=_LIMITS)
]
DocumentCallsOption = Annotated[
    int | None, typer.Option(min=0, help="The same for each document.", rich_help_panel=_LIMITS)
]


def load_overridden(
    model: str | None,
    base_url: str | None,
    journal: str | None,
    *,
    store: str | None = None,
    certificate: Path | None = None,
    audit_share: float | None = None,
) -> Settings:
    """The settings, with what the command line says instead.

    Where a store is named and no journal is, the store is the journal, too: one place to keep and to copy. A journal of
    the usual name that is already there goes first, because its replies are paid for.

    Raises:
        SettingsError: a setting is wrong.
    """
    from extractor.settings import load_settings

    words = {"model": model or None, "base_url": base_url or None, "journal": journal or None, "store": store or None}
    said = {**words, "certificate": certificate, "audit_share": audit_share}
    settings = load_settings().model_copy(update={name: value for name, value in said.items() if value is not None})
    if names_store(settings) and "journal" not in settings.model_fields_set and not Path(settings.journal).exists():
        return settings.model_copy(update={"journal": settings.store})
    return settings


def names_store(settings: Settings) -> bool:
    """Whether somebody named a store, on the command line or in the settings; else there is only its usual name."""
    return "store" in settings.model_fields_set


def open_store(settings: Settings, *, is_there: bool = False) -> Store:
    """Open the store of the settings.

    Args:
        settings: of the command.
        is_there: refuse a file that would only be made now: whoever reads a store has one.

    Raises:
        SettingsError: the address is wrong, or no store is there.
        StoreError: it cannot be reached.
    """
    from extractor.errors import SettingsError
    from extractor.store.store import Store

    file = settings.store.removeprefix("sqlite:///")
    if is_there and "://" not in file and not Path(file).expanduser().exists():
        raise SettingsError(
            f"{file}: there is no store. Name one with --store; extractor run FOLDER --store FILE makes and fills one."
        )
    return Store.open(settings.store)


def choose_policy(readers: Readers | None, settings: Settings, replay: Path | None) -> Policy:
    """Who reads: as asked; without a word, both kinds where a model or replies are at hand.

    Raises:
        SettingsError: a model was asked for and there is none.
    """
    from extractor.errors import SettingsError

    has_model = replay is not None or settings.model is not None
    if has_model or readers is Readers.TEMPLATE:
        return readers.value if readers else "auto"
    if readers in (Readers.BOTH, Readers.LLM):
        raise SettingsError(f"--readers {readers} needs a model. {NO_MODEL}")
    if readers is Readers.AUTO:
        typer.echo(f"No model and no recorded replies: the rules read alone. {NO_MODEL}", err=True)
    return "template"


def choose_evaluation_policy(
    readers: Readers | None, settings: Settings, replay: Path | None, *, is_live: bool
) -> Policy:
    """Who reads. A model that is only configured is not asked: what costs money has to be said outright.

    Raises:
        SettingsError: a model is to read, and nothing says where its replies come from, or two things do.
    """
    from extractor.errors import SettingsError

    if replay and is_live:
        raise SettingsError("--replay and --live exclude each other: replies of a file, or of a server. Leave one out.")
    if is_live and settings.model is None:
        raise SettingsError("--live needs a model. Name it with --model, or set EXTRACTOR_MODEL.")
    if replay or is_live:
        return readers.value if readers else "auto"
    if readers not in (None, Readers.TEMPLATE):
        raise SettingsError(f"--readers {readers} needs replies: --replay FILE, or --live to ask the server.")
    return "template"


def open_model(
    policy: Policy, settings: Settings, replay: Path | None, run: Limits, document: Limits
) -> ModelPart | None:
    """The model's part in a command; None for the rules alone.

    Raises:
        SettingsError: a file, a price or a journal that cannot be used.
    """
    if policy == "template":
        return None
    from extractor.bulk.flow import ModelPart
    from extractor.llm.session import open_live, open_recorded

    if replay is not None:
        return ModelPart.build(policy, open_recorded(settings, replay), settings)
    return ModelPart.build(policy, open_live(settings, run, document, print_notice), settings)


def limits(max_usd: float | None, max_tokens: int | None, max_calls: int | None) -> Limits:
    """What may be spent."""
    from extractor.llm.budget import Limits

    return Limits(max_usd, max_tokens, max_calls)
