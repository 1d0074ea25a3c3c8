"""Names in traces and metrics: those of OpenTelemetry's conventions for generative AI, and our own.

Lives here: names and the buckets of histograms. They are spelled out, because the package that has them as constants
keeps those of generative AI private; a test holds both in step. Used by spans and measures.
"""

from __future__ import annotations

# ---------------------------------------------------------------- of the conventions

ERROR_TYPE = "error.type"
SERVER_ADDRESS = "server.address"
SERVER_PORT = "server.port"
OPERATION = "gen_ai.operation.name"
OUTPUT_TYPE = "gen_ai.output.type"
PROVIDER = "gen_ai.provider.name"
REQUEST_MAX_TOKENS = "gen_ai.request.max_tokens"
REQUEST_MODEL = "gen_ai.request.model"
REQUEST_TEMPERATURE = "gen_ai.request.temperature"
FINISH_REASONS = "gen_ai.response.finish_reasons"
RESPONSE_ID = "gen_ai.response.id"
RESPONSE_MODEL = "gen_ai.response.model"
TOKEN_TYPE = "gen_ai.token.type"  # noqa: S105 - no password
CACHED_TOKENS = "gen_ai.usage.cache_read.input_tokens"
INPUT_TOKENS = "gen_ai.usage.input_tokens"
OUTPUT_TOKENS = "gen_ai.usage.output_tokens"

TOKEN_USAGE = "gen_ai.client.token.usage"  # noqa: S105
OPERATION_DURATION = "gen_ai.client.operation.duration"
TOKEN_BUCKETS = tuple(float(4**power) for power in range(14))
SECONDS_BUCKETS = tuple(round(0.01 * 2**power, 2) for power in range(14))

# ---------------------------------------------------------------- our own

#: In USD. Of a request, of a stage, of a document (spans), and the sum of all (metric).
COST = "extractor.cost"
RUN_ID = "extractor.run.id"
DOCUMENT_ID = "extractor.document.id"
POSITION = "extractor.position"
STATUS = "extractor.status"
STAGE = "extractor.stage"
TASK = "extractor.task"
ATTEMPTS = "extractor.attempts"
DOUBTED = "extractor.fields.doubted"
CALLS = "extractor.calls"
REPLIES_FOUND = "extractor.replies.found"
KEY = "extractor.call.key"
TRY = "extractor.call.try"
MODE = "extractor.call.mode"
IS_ESTIMATED = "extractor.usage.estimated"
READERS = "extractor.readers"
KEPT = "extractor.documents.kept"
DONE = "extractor.documents.done"
FLAGGED = "extractor.documents.flagged"
DOCUMENTS = "extractor.documents"
SCOPE = "extractor.scope"

BATCH_DURATION = "extractor.batch.duration"
STAGE_DURATION = "extractor.stage.duration"
JOURNAL_HITS = "extractor.journal.hits"
RETRIES = "extractor.call.retries"
LIMITS_REACHED = "extractor.budget.refusals"
CALLS_IN_FLIGHT = "extractor.calls.in_flight"
IN_FLIGHT = "extractor.documents.in_flight"
WAITING = "extractor.documents.waiting"
CIRCUIT_OPEN = "extractor.circuit.open"
STAGE_BUCKETS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0)

# Whose flavour of the protocol a server speaks, by the end of its host's name; all others speak OpenAI's.
_PROVIDERS = {
    "openai.azure.com": "azure.ai.openai",
    "api.deepseek.com": "deepseek",
    "api.groq.com": "groq",
    "api.mistral.ai": "mistral_ai",
    "api.moonshot.cn": "moonshot_ai",
    "api.moonshot.ai": "moonshot_ai",
    "api.perplexity.ai": "perplexity",
    "api.x.ai": "x_ai",
}


def name_provider(host: str) -> str:
    """The name of the provider behind a host, as the conventions have it."""
    return next((name for end, name in _PROVIDERS.items() if host == end or host.endswith(f".{end}")), "openai")


def name_error(outcome: str) -> str:
    """`error.type` of a request that ended so: the status where there was one."""
    return outcome.removeprefix("http-")
