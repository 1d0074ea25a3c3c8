"""Answers that need no understanding: out of a replay file, in turn, always the same.

Does not live here: the reader that understands what it is asked (simulated).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from pathlib import Path

from extractor.store.replay import read_replies
from tests.loopback.messages import Answer, ApiError, ChatRequest, answer_json

#: The header by which a client names a call, and how many digits of the call's key it sends.
CALL_HEADER, CALL_DIGITS = "x-client-request-id", 32


class ReplayAnswerer:
    """Gives the replies of a replay file, found by the call that the client names in its header.

    In a batch the line's custom_id stands for the header.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._replies = {stored.key[:CALL_DIGITS]: stored.reply for stored in read_replies(path)}

    def __call__(self, request: ChatRequest) -> Answer:
        name = request.headers.get(CALL_HEADER, "")
        if name[:CALL_DIGITS] not in self._replies:
            raise ApiError(422, f"{self._path.name} has no reply to the call '{name}'.", "no_reply_on_file")
        return Answer(self._replies[name[:CALL_DIGITS]])


class QueuedAnswers:
    """Gives the answers in turn, whatever is asked, and the last one for ever."""

    def __init__(self, answers: Iterable[Answer | Mapping[str, object]]) -> None:
        self._answers = deque(item if isinstance(item, Answer) else answer_json(item) for item in answers)

    def __call__(self, request: ChatRequest) -> Answer:
        return self._answers.popleft() if len(self._answers) > 1 else self._answers[0]
