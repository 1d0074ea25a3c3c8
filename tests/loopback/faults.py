"""Faults that a server, a proxy or a model may show, and the plans that say when.

Lives here: what each fault does to a response, and which request it hits. Does not live here: wrong
numbers in well-formed replies (mistakes).
"""

from __future__ import annotations

import hashlib
import random
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple, Protocol, get_args

from tests.loopback.messages import Answer, ApiError, HttpResponse, Outcome, Silence

FaultKind = Literal[
    "rate_limited",  # 429 with Retry-After in seconds
    "rate_limited_ms",  # 429 with retry-after-ms
    "rate_limited_bare",  # 429 that does not say how long
    "quota_spent",  # 429 that no waiting mends
    "server_error",  # 500
    "unavailable",  # 503
    "proxy_page",  # 502, a page in HTML from something in between
    "hang",  # never an answer; the connection stays open
    "cut_before_headers",
    "cut_in_body",
    "slow",  # answers, later
    "invalid_json",
    "wrong_schema",
    "empty",
    "refusal",
    "content_filter",
    "truncated",  # finish_reason length, the text cut
    "no_usage",
]
KINDS: tuple[FaultKind, ...] = get_args(FaultKind)

_PAGE = b"<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body><h1>502 Bad Gateway</h1></body>\r\n</html>"


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. `seconds`: what Retry-After says, or how much later a slow answer comes."""

    kind: FaultKind
    seconds: float = 1.0


class Arrival(NamedTuple):
    """What a plan may look at: the request's number at its path, its bytes, and how many are under way with it."""

    path: str
    number: int
    body: bytes
    in_flight: int


class Hit(NamedTuple):
    """A fault that was shown. `digest` names the request's bytes, `attempt` counts equal bytes from 0."""

    path: str
    number: int
    digest: str
    attempt: int
    fault: Fault


class FaultPlan(Protocol):
    """Says which requests meet which fault, and remembers which did."""

    hits: list[Hit]

    def choose(self, arrival: Arrival) -> Fault | None:
        """The fault for this request, if any."""


class _Plan:
    """Counts equal requests and keeps the list of hits."""

    def __init__(self) -> None:
        self.hits: list[Hit] = []
        self._attempts: Counter[str] = Counter()

    def choose(self, arrival: Arrival) -> Fault | None:
        digest = hashlib.blake2b(arrival.body, digest_size=16).hexdigest()
        attempt = self._attempts[digest]
        self._attempts[digest] += 1
        fault = self._decide(arrival, digest, attempt)
        if fault is not None:
            self.hits.append(Hit(arrival.path, arrival.number, digest, attempt, fault))
        return fault

    def _decide(self, arrival: Arrival, digest: str, attempt: int) -> Fault | None:
        raise NotImplementedError


class NoFaults(_Plan):
    """All goes well."""

    def choose(self, arrival: Arrival) -> Fault | None:
        return None


class ScriptedFaults(_Plan):
    """Faults by the number of the request at its path, counted from 1: {2: Fault("server_error")}."""

    def __init__(self, script: Mapping[int, Fault | FaultKind], path: str = "/v1/chat/completions") -> None:
        super().__init__()
        self._script = {number: Fault(f) if isinstance(f, str) else f for number, f in script.items()}
        self._path = path

    def _decide(self, arrival: Arrival, digest: str, attempt: int) -> Fault | None:
        return self._script.get(arrival.number) if arrival.path == self._path else None


class SeededFaults(_Plan):
    """Faults at given rates, decided by seed, bytes of the request and attempt.

    The order in which concurrent requests arrive changes nothing: the same requests meet the same faults.

    Args:
        seed: another seed, other requests.
        rates: share of requests by kind of fault; together at most 1.
        limit: how often equal requests meet a fault at most; None for no limit.
        seconds: see Fault.
    """

    def __init__(
        self, seed: int, rates: Mapping[FaultKind, float], limit: int | None = None, seconds: float = 0.0
    ) -> None:
        super().__init__()
        unknown = set(rates) - set(KINDS)
        if unknown or sum(rates.values()) > 1:
            raise ValueError(f"fault rates: unknown kinds {sorted(unknown)}, sum {sum(rates.values())} (at most 1)")
        self._seed = seed
        self._rates = dict(sorted(rates.items()))
        self._limit = limit
        self._seconds = seconds
        self._hits_by_digest: Counter[str] = Counter()

    def _decide(self, arrival: Arrival, digest: str, attempt: int) -> Fault | None:
        if self._limit is not None and self._hits_by_digest[digest] >= self._limit:
            return None
        draw = random.Random(f"{self._seed}/{digest}/{attempt}").random()
        for kind, rate in self._rates.items():
            draw -= rate
            if draw < 0:
                self._hits_by_digest[digest] += 1
                return Fault(kind, self._seconds)
        return None


class CrowdedFaults(_Plan):
    """429 for whatever comes while `limit` requests are under way already."""

    def __init__(self, limit: int, seconds: float = 0.05) -> None:
        super().__init__()
        self._limit = limit
        self._fault = Fault("rate_limited", seconds)

    def _decide(self, arrival: Arrival, digest: str, attempt: int) -> Fault | None:
        return self._fault if arrival.in_flight > self._limit else None


# ---------------------------------------------------------------- what a fault does


def respond_with(fault: Fault) -> Outcome | None:
    """What comes instead of any answer; None where the fault lets an answer through."""
    match fault.kind:
        case "rate_limited" | "rate_limited_ms" | "rate_limited_bare" | "quota_spent":
            return _too_many(fault).response
        case "server_error":
            return ApiError(500, "The server had an error while processing your request.", kind="server_error").response
        case "unavailable":
            return ApiError(503, "The engine is currently overloaded.", kind="service_unavailable_error").response
        case "proxy_page":
            return HttpResponse(502, _PAGE, "text/html")
        case "hang" | "cut_before_headers":
            return Silence(is_held=fault.kind == "hang")
        case _:
            return None


def _too_many(fault: Fault) -> ApiError:
    if fault.kind == "quota_spent":
        message = "You exceeded your current quota, please check your plan and billing details."
        return ApiError(429, message, "insufficient_quota", kind="insufficient_quota")
    headers = {
        "rate_limited": {"retry-after": f"{fault.seconds:g}"},
        "rate_limited_ms": {"retry-after-ms": f"{fault.seconds * 1000:g}"},
    }.get(fault.kind, {})
    return ApiError(429, "Rate limit reached for requests.", "rate_limit_exceeded", kind="requests", headers=headers)


_SPOILERS: Mapping[str, Callable[[Answer], Answer]] = {
    "invalid_json": lambda answer: replace(answer, content=(answer.content or "").rstrip("}") + ' "rows": [,'),
    "wrong_schema": lambda answer: replace(answer, content='{"answer": {"value": 1}}'),
    "empty": lambda answer: replace(answer, content=""),
    "refusal": lambda answer: replace(answer, content=None, refusal="I'm sorry, I can't assist with that request."),
    "content_filter": lambda answer: replace(answer, content="", finish_reason="content_filter"),
    "truncated": lambda answer: cut_answer(answer, len(answer.content or "") * 2 // 3),
    "no_usage": lambda answer: replace(answer, has_usage=False),
}


def spoil_answer(fault: Fault | None, answer: Answer) -> Answer:
    """The answer as the fault leaves it."""
    return _SPOILERS[fault.kind](answer) if fault and fault.kind in _SPOILERS else answer


def cut_answer(answer: Answer, characters: int) -> Answer:
    """The answer stopped by the token limit behind so many characters."""
    return replace(answer, content=(answer.content or "")[:characters], finish_reason="length")


def cut_response(fault: Fault | None, response: HttpResponse) -> HttpResponse:
    """The response as the fault leaves it on the wire."""
    if fault is None or fault.kind != "cut_in_body":
        return response
    return replace(response, cut_after=len(response.body) // 2)
