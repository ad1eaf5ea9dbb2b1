"""HTTP to addresses that people typed: nothing private is reached, no redirect followed, nobody waits for long.

The check is made of the very socket that carries the request, so a name that resolves to something else the second
time (DNS rebinding) gains nothing. Proxies of the environment are not used.
"""

import http.client
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any

from db.settings import settings
from rules import channels, outgoing
from worker.senders.undelivered import Undelivered

SECONDS = 10.0
"""for everything from the connection to the end of the answer; resolving the name has the system's own limit"""
MOST_BYTES = 65_536
TRANSIENT = frozenset({408, 425, 429})
"""below 500, yet worth another attempt"""
AGENT = "Incident-Desk"
Resolver = Callable[..., list[Any]]


def post(
    url: str, body: bytes, headers: Mapping[str, str], *, now: datetime, resolve: Resolver = socket.getaddrinfo
) -> bytes:
    """POST, and the beginning of the answer when it is 2xx. Undelivered, permanent or not, for everything else."""
    parts = channels.web(url)
    if parts is None or parts.hostname is None:
        raise Undelivered("The address is no web address.", permanent=True)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    connection = _Guarded(parts.scheme == "https", parts.hostname, port, resolve)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    late = Undelivered(f"{parts.hostname} did not answer within {SECONDS:.0f} seconds.")
    try:
        with _deadline(connection):
            connection.request("POST", path, body, {"user-agent": AGENT, "connection": "close", **headers})
            answer = connection.getresponse()
            said = answer.read(MOST_BYTES)
    except ssl.SSLCertVerificationError as error:
        raise Undelivered(f"The certificate of {parts.hostname} is not valid: {error.verify_message}.") from error
    except TimeoutError as error:
        raise late from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        if connection.overdue:
            raise late from error
        raise Undelivered(f"{parts.hostname} could not be reached: {_reason(error)}.") from error
    finally:
        connection.close()
    _judge(parts.hostname, answer.status, answer.getheader("retry-after"), now)
    return said


def _judge(host: str, status: int, retry_after: str | None, now: datetime) -> None:
    if 200 <= status < 300:
        return
    if 300 <= status < 400:
        raise Undelivered(f"{host} answers with a redirect ({status}). Use the address it leads to.", permanent=True)
    if status == 410:
        raise Undelivered(f"{host} says that this address is gone (410).", permanent=True)
    permanent = status < 500 and status not in TRANSIENT
    raise Undelivered(f"{host} answered with {status}.", permanent=permanent, wait=_seconds(retry_after, now))


def _seconds(retry_after: str | None, now: datetime) -> float | None:
    """The seconds of a Retry-After header, which holds a number or a date."""
    if not retry_after:
        return None
    if retry_after.strip().isdecimal():
        return float(retry_after.strip()[:9])
    try:
        return max(0.0, (parsedate_to_datetime(retry_after) - now).total_seconds())
    except (ValueError, TypeError):
        return None


class _Guarded(http.client.HTTPConnection):
    """A connection that only comes about with an allowed peer."""

    def __init__(self, encrypted: bool, host: str, port: int, resolve: Resolver) -> None:
        super().__init__(host, port, timeout=SECONDS)
        self._encrypted, self._resolve = encrypted, resolve
        self.default_port = 443 if encrypted else 80
        self.overdue = False

    def connect(self) -> None:
        plain = self._open()
        try:
            self.sock = _context().wrap_socket(plain, server_hostname=self.host) if self._encrypted else plain
        except BaseException:
            plain.close()
            raise

    def _open(self) -> socket.socket:
        """A socket to the first address that answers; one that is not allowed is never spoken to."""
        allowed = outgoing.parse(settings().outgoing_allow)
        try:
            found = self._resolve(self.host, self.port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise Undelivered(f"There is no host called {self.host}, or its name cannot be looked up now.") from error
        failure: OSError | None = None
        for family, kind, protocol, _, address in found:
            self._check(str(address[0]), allowed)
            made = socket.socket(family, kind, protocol)
            try:
                made.settimeout(SECONDS)
                made.connect(address)
                self._check(str(made.getpeername()[0]), allowed)
            except OSError as error:
                made.close()
                failure = error
                continue
            except BaseException:
                made.close()
                raise
            return made
        raise failure or OSError("it has no address")

    def _check(self, address: str, allowed: outgoing.Allowed) -> None:
        if not outgoing.may_connect(self.host, address, allowed):
            raise Undelivered(
                f"{self.host} leads into a private network ({address}). "
                "Where that is meant, an administrator allows it with OUTGOING_ALLOW.",
                permanent=True,
            )


@contextmanager
def _deadline(connection: _Guarded) -> Iterator[None]:
    """Cut the connection when the time is over, however slowly it drips."""

    def cut() -> None:
        connection.overdue = True
        cut_off(connection.sock)

    timer = threading.Timer(SECONDS, cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def cut_off(held: socket.socket | None) -> None:
    """End what a thread waits for on this socket, encrypted or not."""
    if held is None:
        return
    try:
        socket.socket.shutdown(held, socket.SHUT_RDWR)
    except OSError:
        return  # it has ended by itself


@lru_cache
def _context() -> ssl.SSLContext:
    return ssl.create_default_context()


def _reason(error: Exception) -> str:
    return (getattr(error, "strerror", None) or str(error) or type(error).__name__).rstrip(".")[:200]
