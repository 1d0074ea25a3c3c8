"""The pages for people: the queue, items, documents, runs, login, accounts, the dashboard.

Rendered on the server; two small scripts of our own (static/app.js, static/review.js) make them quick. Nothing here
holds a rule: what may be answered and what follows is extractor.review's.

    request -> queue, items, documents, runs, people, dashboard     routes
    record  -> item_view -> form (cells, sums), source              what is shown
    words, labels, rendering                                        languages, names, templates (../html)
"""

from fastapi import APIRouter

from extractor.web.pages import dashboard, documents, items, people, queue, runs
from extractor.web.pages.errors import show_problem

__all__ = ["router", "show_problem"]

router = APIRouter(include_in_schema=False)
for _part in (queue, items, documents, runs, people, dashboard):
    router.include_router(_part.router)
