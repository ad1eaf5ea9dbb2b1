"""E-mail by SMTP: plain text and simple HTML, one thread for each incident, one Message-ID for all repeats."""

import smtplib
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime
from functools import lru_cache
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, select_autoescape

from db.commands.deliveries import Message
from db.settings import settings
from db.workbook import as_xlsx
from rules.exports import as_csv
from rules.mail_server import MailServer, parse
from rules.page_links import ACTIONS
from worker.senders.outgoing import cut_off
from worker.senders.undelivered import Undelivered

STEP_SECONDS, SECONDS = 8.0, 20.0
"""for one answer of the server, and for all of it: less than the lease of the message"""
_OURS_TO_MEND = frozenset({530, 534, 535, 538})
"""Refusals of our sign-in, not of the message: an administrator can put them right."""
_XLSX = "vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_WHOLE = "List-Unsubscribe"
"""A header whose address is never broken or encoded: mail programs look for it as it stands (RFC 8058)."""
TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=select_autoescape(default=True),
    trim_blocks=True,
    lstrip_blocks=True,
)


class _Policy(EmailPolicy):
    """As usual, but for the header that must stay whole: the library would encode a long address word by word."""

    def fold(self, name: str, value: Any) -> str:
        return f"{name}: {value}{self.linesep}" if _whole(name, value) else super().fold(name, value)

    def fold_binary(self, name: str, value: Any) -> bytes:
        return self.fold(name, value).encode("ascii") if _whole(name, value) else super().fold_binary(name, value)


def _whole(name: str, value: Any) -> bool:
    return name == _WHOLE and str(value).isascii()


def send(message: Message, now: datetime) -> None:
    """Hand it to the server of SMTP_URL."""
    if not settings().smtp_url:
        raise Undelivered("No mail server is set up. An administrator sets SMTP_URL.")
    server = parse(settings().smtp_url)
    written = compose(message, server)
    try:
        with _connected(server) as smtp:
            smtp.send_message(written, from_addr=server.sender, to_addrs=[message.address])
    except smtplib.SMTPRecipientsRefused as refused:
        code, said = next(iter(refused.recipients.values()))
        raise _refused(server, code, said) from refused
    except smtplib.SMTPResponseException as refused:
        raise _refused(server, refused.smtp_code, refused.smtp_error) from refused
    except smtplib.SMTPNotSupportedError as error:
        raise Undelivered(f"{server.host} cannot do what is needed: {error}") from error
    except (OSError, smtplib.SMTPException) as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise Undelivered(f"The mail server {server.host} could not be reached: {reason}.") from error


def _refused(server: MailServer, code: int, said: bytes | str) -> Undelivered:
    words = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    sentence = f"{server.host} answered {code} {' '.join(words.split())[:200]}"
    return Undelivered(sentence, permanent=500 <= code < 600 and code not in _OURS_TO_MEND)


@contextmanager
def _connected(server: MailServer) -> Iterator[smtplib.SMTP]:
    """A session that is signed in where a user is given, and cut off when it takes too long."""
    context = _context(server.verify)
    smtp: smtplib.SMTP
    if server.encrypted:
        smtp = smtplib.SMTP_SSL(server.host, server.port, timeout=STEP_SECONDS, context=context)
    else:
        smtp = smtplib.SMTP(server.host, server.port, timeout=STEP_SECONDS)
    timer = threading.Timer(SECONDS, lambda: cut_off(smtp.sock))
    timer.daemon = True
    timer.start()
    try:
        _protect(smtp, server, context)
        if server.user is not None:
            smtp.login(server.user, server.password)
        yield smtp
        try:
            smtp.quit()
        except (OSError, smtplib.SMTPException):
            return  # it has taken the message; how it says goodbye does not matter
    finally:
        timer.cancel()
        smtp.close()


def _protect(smtp: smtplib.SMTP, server: MailServer, context: ssl.SSLContext) -> None:
    """STARTTLS when it is offered. A password never travels in the clear, unless tls=off or within this machine."""
    smtp.ehlo_or_helo_if_needed()
    if server.encrypted or server.tls == "off":
        return
    if smtp.has_extn("starttls"):
        smtp.starttls(context=context)
        smtp.ehlo()
    elif server.tls == "required" or (server.user is not None and not _here(server.host)):
        raise Undelivered(f"{server.host} offers no encryption (STARTTLS). Use smtps://, or add tls=off to SMTP_URL.")


def _here(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


@lru_cache
def _context(verify: bool) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if not verify:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def compose(message: Message, server: MailServer) -> EmailMessage:
    """The message as it goes out. Line breaks in what people wrote cannot become headers."""
    written = EmailMessage(_Policy())
    try:
        written["To"] = Address(_one_line(message.name), addr_spec=message.address)
        written["From"] = Address(server.sender_name, addr_spec=server.sender)
    except (ValueError, IndexError, MessageError) as error:
        raise Undelivered("This e-mail address cannot be written to.", permanent=True) from error
    number = f"[{message.number}] " if message.number and message.number not in message.subject else ""
    written["Subject"] = _one_line(number + message.subject)
    written["Date"] = format_datetime(message.created_at)
    written["Message-ID"] = f"<{message.key}@{server.domain}>"
    written["Auto-Submitted"] = "auto-generated"
    if message.incident_id is not None:
        thread = f"<incident-{message.incident_id}@{server.domain}>"
        written["In-Reply-To"], written["References"] = thread, thread
    if message.urgent:
        written["Importance"], written["X-Priority"] = "high", "1"
    if message.leave_url:
        written[_WHOLE] = f"<{message.leave_url}>"
        written["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    buttons = [(ACTIONS[action], url) for action, url in message.links]
    buttons += [message.button] if message.button else []
    written.set_content(_plain(message, buttons))
    html = TEMPLATES.get_template("mail.html").render(message=message, buttons=buttons)
    written.add_alternative(html, subtype="html")
    if message.book is not None:
        stem = message.book.stem
        written.add_attachment(as_xlsx(message.book), maintype="application", subtype=_XLSX, filename=f"{stem}.xlsx")
        written.add_attachment(as_csv(message.book), subtype="csv", filename=f"{stem}.csv")
    return written


def _one_line(words: str) -> str:
    return " ".join("".join(character if character.isprintable() else " " for character in words).split())


def _plain(message: Message, buttons: list[tuple[str, str]]) -> str:
    parts = [message.subject]
    if message.number:
        parts.append(f"{message.number} {message.title}")
    if message.body:
        parts.append(message.body)
    parts += [f"{word}: {url}" for word, url in buttons]
    if message.url:
        parts.append(f"Open: {message.url}")
    if message.leave_url:
        parts.append(f"{message.leave_words}: {message.leave_url}")
    return "\n\n".join(parts) + "\n"
