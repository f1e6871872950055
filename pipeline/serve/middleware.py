"""Middleware: token, allowed host names, rate limit, size limit, security headers."""

import hmac
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lexel.pipeline.serve.error_responses import answer

COOKIE = "lexel_token"
# Clients whose rate is remembered, the most recent ones.
_CLIENTS = 10_000
# The cost of a thumbnail or a page's file, in units of a search.
_SMALL = 0.02
# The cost of an explanation: comparing two items can take dozens of searches.
_LARGE = 10.0
_PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
    "manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _PAGE_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


@dataclass(frozen=True)
class Limits:
    """The maximum size of a request's body in bytes, and of each client's requests per second and at once."""

    body: int = 32 << 20
    rate: float = 20.0
    burst: float = 60.0


class GuardMiddleware:
    """Refuses requests with a wrong host or token, too many of them, or too large ones; adds security headers."""

    def __init__(self, app: ASGIApp, *, limits: Limits, token: str | None, hosts: frozenset[str] | None) -> None:
        self._app, self._limits, self._token, self._hosts = app, limits, token, hosts
        self._buckets = Buckets(limits)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        refused = self._refused(scope, headers)
        if refused is not None:
            await refused(scope, receive, _with_headers(send))
            return
        scope.setdefault("state", {})["charge"] = partial(self._buckets.charge, scope)
        await self._app(scope, _counted(receive, self._limits.body), _with_headers(send))

    def _refused(self, scope: Scope, headers: Headers) -> Response | None:
        if self._hosts is not None and _host(headers.get("host", "")) not in self._hosts:
            # DNS rebinding: another site's name that resolves to this machine.
            return answer(403, "This host name is not accepted; use the address that the server printed at startup.")
        wait = self._buckets.wait(scope)
        if wait > 0:
            return answer(429, f"Too many requests; try again in {wait:.0f} s.", headers={"Retry-After": f"{wait:.0f}"})
        if self._token is not None and scope["path"] != "/healthz" and (no := self._stranger(scope, headers)):
            return no
        size = headers.get("content-length", "0")
        if size.isdigit() and int(size) > self._limits.body:
            return _too_large(self._limits.body)
        return None

    def _stranger(self, scope: Scope, headers: Headers) -> Response | None:
        scheme, _, given = headers.get("authorization", "").partition(" ")
        cookie = cookie_parser(headers.get("cookie", "")).get(COOKIE, "")
        if (scheme.lower() == "bearer" and self._right(given.strip())) or self._right(cookie):
            return None
        token = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[0]
        if scope["path"] == "/" and self._right(token):
            response = RedirectResponse("/", 303)
            response.set_cookie(COOKIE, token, httponly=True, samesite="strict", max_age=30 * 24 * 3600)
            return response
        sentence = "A token is required: open the address with ?token= once, or send Authorization: Bearer."
        return answer(401, sentence, headers={"WWW-Authenticate": "Bearer"})

    def _right(self, given: str) -> bool:
        return bool(given) and hmac.compare_digest(given.encode(), (self._token or "").encode())


class Buckets:
    """A token bucket for each client's rate limit."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait(self, scope: Scope) -> float:
        """Take the request's cost from the client's bucket and return 0, or the seconds until it can be afforded."""
        client = _client(scope)
        now, cost = time.monotonic(), min(_cost(scope["path"]), self._limits.burst)
        level = self._level(client, now)
        lacking = cost - level
        self._levels[client] = (level if lacking > 0 else level - cost, now)
        if len(self._levels) > _CLIENTS:
            self._levels.popitem(last=False)
        return max(1.0, lacking / self._limits.rate) if lacking > 0 else 0.0

    def charge(self, scope: Scope, cost: float) -> None:
        """Take `cost` more for a request that is let in, also from an empty bucket: the next ones wait for it."""
        client, now = _client(scope), time.monotonic()
        self._levels[client] = (self._level(client, now) - cost, now)

    def _level(self, client: str, now: float) -> float:
        """What is in the client's bucket, which is taken out for the caller to put back."""
        level, seen = self._levels.pop(client, (self._limits.burst, now))
        return min(self._limits.burst, level + (now - seen) * self._limits.rate)


def _client(scope: Scope) -> str:
    return scope["client"][0] if scope.get("client") else "?"


def _cost(path: str) -> float:
    if path == "/explain":
        return _LARGE
    return _SMALL if path.startswith(("/images/", "/page/")) or path in {"/", "/healthz", "/terms"} else 1.0


def _host(header: str) -> str:
    if header.startswith("["):
        return header[1:].partition("]")[0]
    return header.partition(":")[0].lower()


def _too_large(most: int) -> Response:
    return answer(413, f"The request is larger than {most >> 20} MB; send smaller images.")


class TooLargeError(Exception):
    """A request body without Content-Length exceeds the limit."""


def _counted(receive: Receive, most: int) -> Callable[[], Awaitable[Message]]:
    total = 0

    async def received() -> Message:
        nonlocal total
        message = await receive()
        total += len(message.get("body", b""))
        if total > most:
            raise TooLargeError
        return message

    return received


async def too_large(_: object, __: Exception) -> Response:
    """The response to TooLargeError."""
    return answer(413, "The request is too large; send smaller images.")


def _with_headers(send: Send) -> Send:
    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return sent
