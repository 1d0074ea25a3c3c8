"""What the routes work with: the store, the desk, the settings, and what lasts as long as the application.

Called by app, which makes it, and by every route through get_service.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast

from fastapi import Request

from extractor.review.desk import Desk
from extractor.settings import Settings
from extractor.store.store import Store
from extractor.web.entrance import Entrance
from extractor.web.keyed import KeyedAnswers
from extractor.web.metrics import Metrics
from extractor.web.page_images import PageImages
from extractor.web.security.logins import Logins

Clock = Callable[[], datetime]


def now_utc() -> datetime:
    """The time, in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Service:
    """All parts of one application. Every one of them may be used from any thread.

    Attributes:
        is_working: tells whether somebody in this process reads what is submitted.
        is_stopping: tells whether the service is about to end, for answers that would go on.
    """

    store: Store
    desk: Desk
    settings: Settings
    entrance: Entrance
    logins: Logins
    metrics: Metrics
    images: PageImages
    keyed: KeyedAnswers
    now: Clock
    is_working: Callable[[], bool] = lambda: False
    is_stopping: Callable[[], bool] = lambda: False

    @classmethod
    def build(
        cls,
        store: Store,
        settings: Settings,
        entrance: Entrance,
        *,
        now: Clock = now_utc,
        is_working: Callable[[], bool] = lambda: False,
        is_stopping: Callable[[], bool] = lambda: False,
    ) -> Service:
        """Put the parts together."""
        return cls(
            store=store,
            desk=Desk(store, settings, now),
            settings=settings,
            entrance=entrance,
            logins=Logins(store, settings, now),
            metrics=Metrics(),
            images=PageImages(store, settings),
            keyed=KeyedAnswers(store, now),
            now=now,
            is_working=is_working,
            is_stopping=is_stopping,
        )


def get_service(request: Request) -> Service:
    """The service of the application that a request came to."""
    return cast(Service, request.app.state.service)
