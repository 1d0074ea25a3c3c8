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
from extractor.web.security.throttle import Seats

Clock = Callable[[], datetime]


def now_utc() -> datetime:
    """The time, in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Service:
    """All parts of one application. Every one of them may be used from any thread.

    Attributes:
        streams: for those who follow the progress of runs; each asks the store twice a second.
        exports: for those who have files made; each takes a thread for as long as that lasts.
        frames: for those who have web pages made harmless.
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
    streams: Seats
    exports: Seats
    frames: Seats
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
            streams=Seats(for_each=10, for_all=60),
            exports=Seats(for_each=2, for_all=4),
            frames=Seats(for_each=4, for_all=8),
            now=now,
            is_working=is_working,
            is_stopping=is_stopping,
        )


def get_service(request: Request) -> Service:
    """The service of the application that a request came to."""
    return cast(Service, request.app.state.service)
