"""What messages reach in tests: a real SMTP server and a real HTTP server, both on loopback in this process."""

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from tests.browser.running import free_port


@dataclass
class Mailbox:
    """A mail server. `answers` holds what RCPT is answered with, by address; what is not there is taken."""

    port: int = field(default_factory=free_port)
    answers: dict[str, str] = field(default_factory=dict)
    received: list[EmailMessage] = field(default_factory=list)
    envelopes: list[tuple[str, list[str]]] = field(default_factory=list)
    encrypted: list[bool] = field(default_factory=list)
    signed_in: list[tuple[bytes, bytes]] = field(default_factory=list)
    """(user, password) of everybody who signed in, which only works once the connection is encrypted"""
    on_data: Callable[[], None] = lambda: None

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:
        refused = self.answers.get(address)
        if refused:
            return refused
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, session: Any, envelope: Any) -> str:
        self.on_data()
        self.encrypted.append(session.ssl is not None)
        parsed = message_from_bytes(envelope.content, policy=policy.default)
        self.received.append(cast(EmailMessage, parsed))
        self.envelopes.append((envelope.mail_from, list(envelope.rcpt_tos)))
        return "250 taken"

    def sign_in(self, _server: Any, _session: Any, _envelope: Any, _mechanism: str, given: Any) -> AuthResult:
        self.signed_in.append((given.login, given.password))
        return AuthResult(success=True)

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}?from=Incident%20Desk%20<desk@example.org>"


@contextmanager
def mail_server(protected: ssl.SSLContext | None = None) -> Iterator[Mailbox]:
    """`protected`: takes nothing before STARTTLS with this."""
    box = Mailbox()
    more = {"tls_context": protected, "require_starttls": True, "authenticator": box.sign_in} if protected else {}
    controller = Controller(box, hostname="127.0.0.1", port=box.port, ready_timeout=60, **more)
    controller.start()
    try:
        yield box
    finally:
        controller.stop()


@dataclass
class Hook:
    """An HTTP server. `answers` holds (status, headers) of the next requests; then everything is taken."""

    port: int = 0
    answers: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    received: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    hold: threading.Event | None = None
    """given: nothing is answered before it is set"""
    arrived: threading.Event = field(default_factory=threading.Event)

    def url(self, path: str = "/hook") -> str:
        return f"http://127.0.0.1:{self.port}{path}"


@contextmanager
def hook_server() -> Iterator[Hook]:
    hook = Hook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            hook.received.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
            hook.arrived.set()
            if hook.hold is not None:
                hook.hold.wait(120)
            status, headers = hook.answers.pop(0) if hook.answers else (200, {})
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *_given: Any) -> None:
            return

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_given: Any) -> None:
            return  # whoever cut the connection did so on purpose

    server = Server(("127.0.0.1", 0), Handler)
    hook.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield hook
    finally:
        if hook.hold is not None:
            hook.hold.set()
        server.shutdown()
        thread.join()
        server.server_close()
