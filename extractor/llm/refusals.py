"""What a server means when it answers with an HTTP error.

Lives here: from status and body to an Ending, and the words for the operator. Does not live here:
anything that sends (exchange) or tries again (retries, client). Called by exchange.

What the server said may quote the document or the key. Only its short codes are passed on.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from extractor.llm.calls import CallError, ReplyFiltered, ServerRefused
from extractor.llm.endings import Ending
from extractor.settings import Settings

_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{1,60}|\d{1,6}")
_FILTER_WORDS = ("content_filter", "content_policy_violation", "data_inspection_failed", "datainspectionfailed")
_NO_MONEY = frozenset({"insufficient_quota", "billing_hard_limit_reached", "insufficient_balance"})
# Servers that do not know a way of enforcing the schema say one of these.
_MODE_UNKNOWN = frozenset({400, 404, 415, 422, 500, 501})
_MOST_COMPLAINT = 4000


def end_refused(
    status: int, body: object, settings: Settings, *, about: str, retry_after: float | None = None
) -> Ending:
    """Say how a request ended that the server answered with an error.

    Args:
        status: HTTP status.
        body: the decoded body, or its text.
        settings: for what the remedy names.
        about: the call, in words.
        retry_after: seconds that the server asked to wait.
    """
    codes = _codes(body)
    complaint = str(body)[:_MOST_COMPLAINT]
    outcome = f"http-{status}"
    said = f"HTTP {status}" + (f" ({', '.join(codes)})" if codes else "")
    if any(word in complaint.lower() for word in _FILTER_WORDS):
        return Ending(
            "filtered", status=status, error=ReplyFiltered(f"{about}: the server's filter stopped it, {said}")
        )
    remedy = _find_remedy(status, codes, complaint, settings)
    if remedy:
        address = say_address(settings.base_url)
        return Ending(
            outcome,
            status=status,
            error=ServerRefused(f"the server at {address} refuses every call: {said}. {remedy}"),
            complaint=complaint,
            may_be_mode=status == 404 and not _is_about_model(codes, complaint),
        )
    return Ending(
        outcome,
        status=status,
        error=CallError(f"{about}: the server refuses this call: {said}"),
        retry_after=retry_after,
        complaint=complaint,
        may_be_mode=status in _MODE_UNKNOWN,
    )


def say_address(url: str) -> str:
    """An address without what may be secret in it: user, password, query."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _find_remedy(status: int, codes: tuple[str, ...], complaint: str, settings: Settings) -> str:
    """What the operator must do; empty when only this call is refused."""
    if status == 402 or _NO_MONEY & {code.lower() for code in codes}:
        return "The account has no credit left: add to it, or use another EXTRACTOR_API_KEY."
    if status in (401, 403):
        given = "Correct EXTRACTOR_API_KEY" if settings.api_key else "Set EXTRACTOR_API_KEY"
        return f"{given}, and see that it may use EXTRACTOR_MODEL ({settings.model}) at EXTRACTOR_BASE_URL."
    if status != 404:
        return ""
    if _is_about_model(codes, complaint):
        return f"It does not have the model {settings.model}: correct EXTRACTOR_MODEL."
    return "Nothing answers there: correct EXTRACTOR_BASE_URL (it often ends in /v1) or EXTRACTOR_MODEL."


def _is_about_model(codes: tuple[str, ...], complaint: str) -> bool:
    return "model_not_found" in codes or "model" in complaint.lower()


def _codes(body: object) -> tuple[str, ...]:
    """The short codes in an error body: identifiers, never sentences."""
    if not isinstance(body, Mapping):
        return ()
    found = [body.get(name) for name in ("code", "type", "param")]
    inner = body.get("error")
    if isinstance(inner, Mapping):
        found += [inner.get(name) for name in ("code", "type", "param")]
    texts = [str(code) for code in found if isinstance(code, str | int)]
    return tuple(dict.fromkeys(text for text in texts if _CODE.fullmatch(text)))
