"""Where the service may be entered from, and whether one has to say who one is.

Lives here: plain data, the names that a request may ask for, the names of the cookies. Does not live here: who somebody
is (security.identify), what he may do (visitors). Made by the command line, read by the whole service.
"""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass
from typing import Literal

#: Who everybody is where no accounts are asked for.
LOCAL_USER = "local"
_LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})


@dataclass(frozen=True, slots=True)
class Entrance:
    """How the service is entered.

    Attributes:
        mode: `open`: from this machine only, everybody is the local user and an admin. `accounts`: with a login or an
            API key.
        host_names: what a request may name as its host, without a port. Another name is another site's page that had
            its name lead here (DNS rebinding), or a proxy that is set up wrong.
        is_behind_tls: whether browsers reach the service by https (a proxy in front of it ends TLS).
    """

    mode: Literal["open", "accounts"]
    host_names: frozenset[str] = _LOOPBACK_NAMES
    is_behind_tls: bool = False

    @classmethod
    def open(cls, *host_names: str) -> Entrance:
        """For one person on his own machine."""
        return cls("open", _LOOPBACK_NAMES | _clean(host_names))

    @classmethod
    def accounts(cls, *host_names: str, is_behind_tls: bool = False) -> Entrance:
        """For everybody who has an account."""
        return cls("accounts", _LOOPBACK_NAMES | _clean(host_names), is_behind_tls)

    @property
    def scheme(self) -> str:
        """As a browser sees it."""
        return "https" if self.is_behind_tls else "http"

    @property
    def session_cookie(self) -> str:
        """Name of the cookie of a login. `__Host-`: browsers take it from this host by https only."""
        return "__Host-extractor_session" if self.is_behind_tls else "extractor_session"

    @property
    def form_cookie(self) -> str:
        """Name of the cookie that the CSRF token of somebody without a login is compared with."""
        return "__Host-extractor_form" if self.is_behind_tls else "extractor_form"

    def knows_host(self, host: str) -> bool:
        """Whether a Host header is one of ours, whatever its port."""
        return split_host(host) in self.host_names


def split_host(host: str) -> str:
    """A Host header without its port, in lower case."""
    name, colon, port = host.strip().rpartition(":")
    return (name if colon and port.isdecimal() else host.strip()).lower().rstrip(".")


def is_loopback(host: str) -> bool:
    """Whether nobody but this machine can reach an address to listen on."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def names_of(host: str) -> tuple[str, ...]:
    """Names by which others may call a machine that listens on this address."""
    address = f"[{host}]" if ":" in host and not host.startswith("[") else host
    if host not in ("0.0.0.0", "::", "[::]"):  # noqa: S104  compared, not listened on
        return (address,)
    return (socket.gethostname(), socket.getfqdn())


def _clean(names: tuple[str, ...]) -> frozenset[str]:
    return frozenset(name.lower().rstrip(".") for name in names)
