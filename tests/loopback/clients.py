"""A plain client for tests of the server: the real library without retries of its own.

The connection pool is shared: making one costs more than most tests.
"""

from __future__ import annotations

from functools import cache

import openai


def connect(base_url: str, key: str = "any", timeout: float = 10.0) -> openai.OpenAI:
    """A client of the server at this address."""
    return openai.OpenAI(base_url=base_url, api_key=key, max_retries=0, timeout=timeout, http_client=_pool())


@cache
def _pool() -> openai.DefaultHttpxClient:
    return openai.DefaultHttpxClient()
