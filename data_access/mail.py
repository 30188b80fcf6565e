"""Hands one message over to the bank's mail server: over TLS, within time limits, again where the failure will pass."""

from __future__ import annotations

import hashlib
import smtplib
import ssl
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate

from data_access.settings import Mail, Tls
from measures.texts import printable

SECONDS = 30
"""How long one answer of the server is waited for."""

WAITS = (5, 30, 120)
"""Seconds before each further try: a server that starts anew, or keeps unknown senders waiting, is back within minutes."""

ALTOGETHER = 600
"""Seconds after which no further try begins: nobody else sends what is being sent for as long (`meetings.CLAIMED_FOR`)."""

_POLICY = SMTP.clone(cte_type="7bit")
_LONGEST = 200
"""Characters of what a server says that are repeated."""


class MailError(Exception):
    """The message was not taken over. A sentence for the operator, without what signs in at the server."""


class ServerError(MailError):
    """The server takes no message from here, whoever it is for: none is tried any more."""


class _Passing(Exception):
    """A failure after which another try is worth while: what was wrong, and whether the message may have arrived all the same."""

    def __init__(self, what: str, *, may_have_arrived: bool = False, reached: bool = True) -> None:
        super().__init__(what)
        self.may_have_arrived = may_have_arrived
        self.reached = reached


@dataclass(frozen=True)
class Attachment:
    """A file that goes along. Its name is in ASCII."""

    name: str
    kind: str
    """The MIME type, such as text/csv."""
    content: bytes


def message(
    mail: Mail, address: str, subject: str, text: str, attachments: Iterable[Attachment], key: str
) -> EmailMessage:
    """A message to one address. What is sent again under the same `key` bears the same number: mailboxes that have it know it."""
    found = EmailMessage(policy=_POLICY)
    local, _at, domain = mail.sender.partition("@")
    found["From"] = Address(mail.sender_name, local, domain)
    local, _at, domain_of_recipient = address.partition("@")
    found["To"] = Address("", local, domain_of_recipient)
    found["Subject"] = printable(subject)
    found["Date"] = formatdate()
    found["Message-ID"] = f"<{hashlib.sha256(key.encode()).hexdigest()[:40]}@{domain}>"
    # Whoever is away does not answer a program (RFC 3834).
    found["Auto-Submitted"] = "auto-generated"
    found.set_content(text)
    for each in attachments:
        kind, _slash, subkind = each.kind.partition("/")
        found.add_attachment(each.content, maintype=kind, subtype=subkind, filename=each.name)
    return found


class Post:
    """The way to the mail server for one run: what is learnt of the server with one message holds for the next.

    `say` is told, in a sentence, why there is a wait.
    """

    def __init__(self, mail: Mail, say: Callable[[str], None], waits: Sequence[float] | None = None) -> None:
        self._mail = mail
        self._say = say
        self._waits = WAITS if waits is None else waits
        self._closed: ServerError | None = None
        self._unreachable = False

    def send(self, address: str, letter: EmailMessage) -> None:
        """Returns when the server has taken the message over. Raises MailError for what will not pass, and for what has not passed
        after the last try; ServerError where it will not pass for any other recipient either."""
        if self._closed:
            raise self._closed
        # Whoever waited for the server once does not wait again for each of a hundred recipients.
        waits = () if self._unreachable else self._waits
        content = letter.as_bytes()
        may_have_arrived = False
        until = time.monotonic() + ALTOGETHER
        for tries, wait in enumerate((*waits, None), 1):
            try:
                self._try(address, content)
                self._unreachable = False  # for a while it was
                return
            except ServerError as error:
                self._closed = error
                raise
            except _Passing as failure:
                may_have_arrived |= failure.may_have_arrived
                if wait is None or time.monotonic() + wait > until:
                    self._unreachable = not failure.reached
                    aside = " Whether the message arrived all the same is not known." if may_have_arrived else ""
                    often = f", after {tries} tries" if tries > 1 else ""
                    raise MailError(f"{failure}{often}.{aside}") from failure
                self._say(f"{failure}; another try in {wait:g} seconds.")
            time.sleep(wait)

    def _try(self, address: str, content: bytes) -> None:
        server = self._opened()
        try:
            self._hand_over(server, address, content)
        finally:
            # What was taken over stays so, however the farewell ends.
            with suppress(OSError, smtplib.SMTPException):
                server.quit()
            server.close()

    def _opened(self) -> smtplib.SMTP:
        """A connection that is protected, and signed in. Raises ServerError or _Passing."""
        mail, where = self._mail, f"{self._mail.host}:{self._mail.port}"
        server = None
        try:
            trusted = ssl.create_default_context()
            if mail.tls is Tls.IMPLICIT:
                server = smtplib.SMTP_SSL(mail.host, mail.port, timeout=SECONDS, context=trusted)
            else:
                server = smtplib.SMTP(mail.host, mail.port, timeout=SECONDS)
            if mail.tls is Tls.STARTTLS:
                server.starttls(context=trusted)
            server.ehlo_or_helo_if_needed()
            if mail.user:
                server.login(mail.user, mail.password)
            return server
        except ssl.SSLCertVerificationError as error:
            failure = ServerError(
                f"The certificate of {where} is not one that this computer trusts ({error.verify_message}). Nothing is sent. "
                "Where the bank has an authority of its own, SSL_CERT_FILE names the file with its certificate."
            )
        except smtplib.SMTPNotSupportedError:
            failure = ServerError(
                f"{where} offers no protected connection, or no way to sign in that is known here. Nothing is sent. [mail] tls in "
                'config.toml may have to be "implicit" (mostly port 465) instead of "starttls" (587).'
            )
        except smtplib.SMTPAuthenticationError as error:
            # Not what it says: some repeat what was given to them.
            if error.smtp_code < 500:
                failure = _Passing(f"{where} cannot check now who signs in ({error.smtp_code})")
            else:
                failure = ServerError(
                    f"{where} does not let in who signs in by MAIL_USER or [mail] user ({error.smtp_code}). Nothing is sent."
                )
        except smtplib.SMTPServerDisconnected as error:
            failure = _Passing(f"{where} has broken off ({_why(error)})", reached=False)
        except smtplib.SMTPResponseException as error:
            said = f"{where} says: {_said(error.smtp_code, error.smtp_error)}"
            failure = _Passing(said) if error.smtp_code < 500 else ServerError(f"{said}. Nothing is sent.")
        except (ssl.SSLEOFError, ssl.SSLZeroReturnError):
            failure = _Passing(f"{where} has broken off (it ended the connection)", reached=False)
        except ssl.SSLError as error:
            failure = ServerError(
                f"{where} does not speak TLS as expected ({error.reason}). Nothing is sent. [mail] tls in config.toml may have to "
                f'be "{Tls.STARTTLS if mail.tls is Tls.IMPLICIT else Tls.IMPLICIT}".'
            )
        except smtplib.SMTPException as error:
            failure = ServerError(
                f"{where} and this program do not understand each other ({_why(error)}). Nothing is sent."
            )
        except OSError as error:
            failure = _Passing(f"{where} cannot be reached ({_why(error)})", reached=False)
        if server is not None:
            server.close()
        raise failure from None

    def _hand_over(self, server: smtplib.SMTP, address: str, content: bytes) -> None:
        size = [f"size={len(content)}"] if server.has_extn("size") else []
        handed = False
        try:
            code, said = server.mail(self._mail.sender, size)
            # The sender is the same for all; only that a message is too long (552) is not said of all.
            self._settle("the sender", code, said, of_all=code != 552)
            self._settle("the recipient", *server.rcpt(address))
            handed = True
            self._settle("the message", *server.data(content))
        except smtplib.SMTPDataError as error:  # it does not want to hear the message
            self._settle("the message", error.smtp_code, error.smtp_error)
        except (OSError, smtplib.SMTPException) as error:
            raise _Passing(
                f"The connection to {self._mail.host} was lost ({_why(error)})", may_have_arrived=handed
            ) from None

    def _settle(self, what: str, code: int, said: bytes | str, *, of_all: bool = False) -> None:
        if 200 <= code < 300:
            return
        sentence = f"{self._mail.host} refuses {what}: {_said(code, said)}"
        if code < 500:
            raise _Passing(sentence)
        raise (ServerError if of_all else MailError)(f"{sentence}.")


def _said(code: int, said: bytes | str) -> str:
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
    text = printable(" ".join(text.split())).rstrip(".")
    return f"{code} {text if len(text) <= _LONGEST else text[:_LONGEST] + ' …'}"


def _why(error: Exception) -> str:
    if isinstance(error, TimeoutError) or isinstance(error.__context__, TimeoutError):
        return f"no answer within {SECONDS} seconds"
    if isinstance(error, smtplib.SMTPServerDisconnected):
        return "it ended the connection"
    return printable(getattr(error, "strerror", None) or str(error) or type(error).__name__)
