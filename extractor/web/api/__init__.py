"""The HTTP API, for programs: one module a subject. Its reference is the OpenAPI document that it serves itself.

Every route names who may use it (extractor.web.visitors); tests/integration/test_authorisation.py holds a line for
each.
"""

from fastapi import APIRouter

from extractor.web.api import accounts, documents, queue, reviews, runs, schema, statistics
from extractor.web.problems import describe

router = APIRouter(responses=describe(400, 401, 403, 413, 421, 422, 429, 500, 503))
for module in (runs, documents, queue, reviews, statistics, accounts, schema):
    router.include_router(module.router)

__all__ = ["router"]
