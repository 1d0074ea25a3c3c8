"""The exception tree: what the program could not do.

A doubt about data is never an exception; it is a Flag (see extractor.flags).
Every message names the file, what is wrong with it, and the remedy.
"""

from __future__ import annotations


class ExtractorError(Exception):
    """Base of every error that this package raises on purpose.

    Attributes:
        code: stable kebab-case name, used as the flag of a failed record.
    """

    code = "extractor-error"


class SettingsError(ExtractorError):
    """A setting or an input list (manifest, path) is wrong."""

    code = "bad-settings"


class OutputError(ExtractorError):
    """The output folder cannot be written."""

    code = "bad-output"


class StoreError(ExtractorError):
    """The store cannot be reached, read or written, or holds what this program does not know."""

    code = "bad-store"


class NotInStore(ExtractorError):
    """Nothing in the store has this name or number."""

    code = "not-found"


class ItemHeld(ExtractorError):
    """Somebody else holds the item of the queue, or it is not for this person (a blind second look at his own)."""

    code = "item-held"


class StaleItem(ExtractorError):
    """The item changed, was settled, or its lease ran out since it was shown: look at it again."""

    code = "stale-item"


class BadAnswer(ExtractorError):
    """What a reviewer sent does not answer the item: an unknown field, no number where one belongs.

    Attributes:
        zh: the message in Chinese, for the page.
    """

    code = "bad-answer"

    def __init__(self, message: str, zh: str = "") -> None:
        super().__init__(message)
        self.zh = zh or message


class BadCursor(BadAnswer):
    """A list is to go on after a place that it never named."""

    code = "bad-cursor"


class ServerRefused(ExtractorError):
    """The model's server refuses every call alike (key, model name, address): the run cannot go on."""

    code = "server-refused"


class SourceError(ExtractorError):
    """One source file cannot be turned into a Document."""

    code = "source-error"

    def __init__(self, path: str, problem: str, remedy: str) -> None:
        super().__init__(f"{path}: {problem}. {remedy}")
        self.path = path
        self.problem = problem
        self.remedy = remedy

    def __reduce__(self) -> tuple[type[SourceError], tuple[str, str, str]]:  # between processes
        return type(self), (self.path, self.problem, self.remedy)


class EmptySource(SourceError):
    """The file holds no text at all."""

    code = "empty-source"


class SourceTooLarge(SourceError):
    """The file, or what it unpacks to, is over the configured size."""

    code = "source-too-large"


class UnsupportedFormat(SourceError):
    """The bytes are of a kind that no source module reads."""

    code = "unsupported-format"


class DamagedSource(SourceError):
    """The bytes are of a known kind but cannot be parsed to the end."""

    code = "damaged-source"


class PagesNotRead(SourceError):
    """Not one page of a PDF or picture could be read within the limits of time and memory."""

    code = "pages-not-read"


class MissingProgram(SourceError):
    """A program outside Python is needed for this kind and is not installed."""

    code = "missing-program"


class UnreadableSource(SourceError):
    """The file cannot be opened (permissions, vanished, not a file)."""

    code = "unreadable-source"
