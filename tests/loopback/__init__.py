"""A server on this machine that speaks the OpenAI protocol for real, and a reader of reports behind it.

    with running_server(answerer) as server:
        client = AsyncOpenAI(base_url=server.base_url, api_key="any")

Tests, benchmarks and the making of replay files use it; the package extractor knows nothing of it.
"""
