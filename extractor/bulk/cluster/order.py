"""What travels between driver and workers: a chunk to make, and what became of it.

Lives here: the nouns, and which settings travel. Does not live here: what is done with them (engine, worker).
"""

from __future__ import annotations

import hashlib
import hmac
import platform
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any, NamedTuple

from sqlalchemy.engine import URL, make_url

from extractor.bulk.keeping import Receipt, Ticket
from extractor.bulk.recipe import Recipe
from extractor.confidence.standing import collect_versions
from extractor.errors import SettingsError
from extractor.llm.budget import Limits
from extractor.pipeline import VERSIONS
from extractor.settings import Settings
from extractor.store.rows import Spent
from extractor.telemetry.events import Event

#: Settings that every worker has of its own: secrets, places on its disk, how strong it is, where it logs.
OWN_SETTINGS = frozenset(
    {
        "api_key",
        "audit_salt",
        "store",
        "journal",
        "soffice",
        "page_workers",
        "forms_dir",  # compared by their version
        "prompts_dir",
        "certificate",  # its content travels
        "telemetry",
        "log",
        "log_format",
    }
)

# Packages that read files; where one of an extra is missing, documents would be read otherwise.
_READERS = ("pymupdf", "selectolax", "lxml", "opencv-python-headless", "rapidocr", "onnxruntime")


class Parcel(NamedTuple):
    """A document that travels.

    Attributes:
        raw: its bytes; None where they could not be read.
        pictures: those beside a web page, by their path in its folder.
        problem: why the bytes could not be read.
    """

    ticket: Ticket
    raw: bytes | None
    pictures: Mapping[str, bytes]
    problem: Exception | None


class Spending(NamedTuple):
    """Who pays for the calls of a chunk. `run_id`: whom they are booked on; `has_purse`: the run has a limit."""

    run_id: str
    has_purse: bool
    document: Limits


@dataclass(frozen=True, slots=True)
class Order:
    """A chunk of a run.

    Attributes:
        number: of the chunk.
        recipe: without settings, ledger and addresses, which are each worker's own or stand below.
        settings: those that travel, by name.
        store: the store's address without a password.
        journal: the same of the journal; None where no model is asked.
        fingerprint: what the worker must have, too (take_fingerprint).
        nonce: of the fingerprint.
        model: the model's name; None for the rules alone.
    """

    number: int
    recipe: Recipe
    settings: Mapping[str, Any]
    store: str
    journal: str | None
    fingerprint: Mapping[str, str]
    nonce: str
    model: str | None
    spending: Spending
    parcels: Sequence[Parcel]


@dataclass(frozen=True, slots=True)
class Report:
    """What became of a chunk.

    Attributes:
        receipts: of all documents that are kept, those that an earlier worker kept among them.
        stopped: kind and message of what ended it early: a limit, or a server that refuses every call.
        replied: replies by origin and whether they came from the journal.
        missing: calls without a reply on record.
        spent: on calls that were sent from there.
        reply_mode: how the server keeps to the schema, where that was found out.
        notices: what the operator should know.
        events: what was told on the way; the driver tells it where it is heard.
    """

    receipts: Sequence[Receipt]
    stopped: tuple[str, str] | None
    replied: Mapping[tuple[str, bool], int]
    missing: int
    spent: Spent | None
    reply_mode: str | None
    notices: Sequence[str]
    events: Sequence[Event]


def pick_settings(settings: Settings) -> dict[str, Any]:
    """The settings that travel. No secret is among them."""
    return {name: getattr(settings, name) for name in Settings.model_fields if name not in OWN_SETTINGS}


def strip_password(address: str, word: str) -> str:
    """An address of PostgreSQL without its password.

    Raises:
        SettingsError: it is a file: workers on other machines cannot reach it.
    """
    if not address.startswith(("postgresql://", "postgres://", "postgresql+psycopg://")):
        problem = f"{word}: {address} is a file, which no other machine can reach"
        raise SettingsError(f"{problem}. A run on a cluster needs a postgresql:// {word}.")
    url = make_url(address)
    # URL.set() takes None for "as it is".
    bare = URL.create(url.drivername, url.username, None, url.host, url.port, url.database, url.query)
    return bare.difference_update_query(["password"]).render_as_string(hide_password=False)


def take_versions() -> dict[str, str]:
    """What must be the same before anything else is understood, and what decides how files are read."""
    found = {"python": ".".join(platform.python_version_tuple()[:2])}
    for name in _READERS:
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found | {name: str(number) for name, number in VERSIONS.items()}


def take_fingerprint(settings: Settings, policy: str, model: str | None, nonce: str) -> dict[str, str]:
    """What a machine has of its own that decides what comes out: prompts, and the salt of the audit sample, hidden."""
    salt = settings.audit_salt.get_secret_value().encode()
    found = {"audit_salt": hmac.new(nonce.encode(), salt, hashlib.sha256).hexdigest()}
    if model is not None:
        prompts = collect_versions(policy, model, settings.prompts_dir).prompts
        found |= {f"prompt {name}": str(version) for name, version in prompts.items()}
    return found


def refuse_difference(wanted: Mapping[str, str], found: Mapping[str, str], machine: str) -> None:
    """Compare what the driver has with what a worker has.

    Raises:
        SettingsError: naming what differs.
    """
    differing = sorted(name for name in {*wanted, *found} if wanted.get(name) != found.get(name))
    if not differing:
        return
    if differing == ["audit_salt"]:
        raise SettingsError(f"worker {machine}: EXTRACTOR_AUDIT_SALT is not that of the driver. Set the same on both.")
    told = "; ".join(f"{name}: {wanted.get(name, 'none')} here, {found.get(name, 'none')} there" for name in differing)
    raise SettingsError(f"worker {machine} is not as this program ({told}). Install the same version on every machine.")
