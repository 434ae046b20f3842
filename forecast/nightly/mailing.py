"""Notices by e-mail: plain text, and the same as a small page, sent by SMTP.

Sources: RFC 5321 (SMTP, 2008), section 4.2.1 (codes that pass, and that do not); RFC 3834
(automatic mail, 2004), section 5.
"""

from __future__ import annotations

import datetime as dt
import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid

from markupsafe import Markup

from forecast.data.downloads import Patience
from forecast.data.refusals import is_distrust
from forecast.errors import name_offenders
from forecast.nightly.channels import Mail
from forecast.nightly.sending import (
    PATIENCE,
    Notice,
    NoticeError,
    PassingError,
    hide,
    persist,
    within,
)

_CHECK = "Check the server, its port and security, then: forecast notify CONFIG --test."


def send_mail(mail: Mail, notice: Notice, patience: Patience = PATIENCE) -> str:
    """Send a notice by e-mail.

    Parameters
    ----------
    mail : Mail
    notice : Notice
    patience : Patience, optional

    Returns
    -------
    str
        What became of it, in a sentence.

    Raises
    ------
    NoticeError
        If the server cannot be reached in time, or does not take it.
    DataError
        If the password is not in the environment.
    """
    password = mail.find_password()
    if password is not None and not password.isascii():
        raise NoticeError(
            f"{mail.name} must have a password of ASCII characters: the one in "
            f"{mail.password_env} has others, which logging in cannot send. Ask for another."
        )
    message = write_message(mail, notice)
    refused = within(
        lambda: persist(
            lambda: _send_once(mail, message, password, patience), patience, mail.name, _CHECK
        ),
        patience,
        mail.name,
        _CHECK,
    )
    if refused:
        return (
            f"{mail.name} was sent, but not to {name_offenders(refused)}: the server does not "
            "take mail for them. Correct to."
        )
    return f"{mail.name} was sent to {name_offenders(mail.to)}."


def write_message(mail: Mail, notice: Notice) -> EmailMessage:
    """Return a notice as a message: text, and a page that shows the same.

    Examples
    --------
    >>> mail = Mail(server="mx", sender="a@example.org", to=("b@example.org",))
    >>> write_message(mail, Notice("A test", "Nothing happened."))["Subject"]
    'A test'
    """
    domain = mail.sender.rpartition("@")[2]
    message = EmailMessage(policy=SMTP)
    message["Subject"] = notice.subject
    message["From"] = mail.sender
    message["To"] = ", ".join(mail.to)
    message["Date"] = format_datetime(dt.datetime.now(dt.UTC))
    message["Message-ID"] = make_msgid(domain=domain)
    message["Auto-Submitted"] = "auto-generated"  # nobody's absence note shall answer it
    message.set_content(_as_text(notice))
    message.add_alternative(_as_page(notice), subtype="html")
    return message


def _as_text(notice: Notice) -> str:
    """A notice as plain text."""
    parts = [notice.lead, *(f"- {line}" for line in notice.lines)]
    if notice.link:
        parts.append(f"\n{notice.link}")
    return "\n".join(parts) + "\n"


def _as_page(notice: Notice) -> str:
    """A notice as a small page; names in it are text and never markup."""
    items = Markup().join(Markup("<li>{}</li>").format(line) for line in notice.lines)
    link = Markup()
    if notice.link and notice.link.startswith(("https://", "http://")):
        link = Markup('<p><a href="{0}">{0}</a></p>').format(notice.link)
    elif notice.link:
        link = Markup("<p>{}</p>").format(notice.link)
    return Markup(
        '<!doctype html><html lang="en-GB"><head><meta charset="utf-8"><title>{}</title></head>'
        "<body><p>{}</p>{}{}</body></html>"
    ).format(notice.subject, notice.lead, Markup("<ul>{}</ul>").format(items) if items else "",
             link)  # fmt: skip


def _send_once(
    mail: Mail, message: EmailMessage, password: str | None, patience: Patience
) -> list[str]:
    """Send the message in one session; return the addresses that the server refused."""
    with _translating(mail, password):
        client = _connect(mail, patience)
        try:
            if client.sock is not None:
                client.sock.settimeout(patience.read)
            if mail.security == "starttls":
                client.starttls(context=_context())
            if mail.user is not None and password is not None:
                client.login(mail.user, password)
            refused = client.send_message(message)
            # it is taken: that saying goodbye fails must not send it again
            with suppress(smtplib.SMTPException, OSError):
                client.quit()
            return sorted(refused)
        finally:
            client.close()


def _connect(mail: Mail, patience: Patience) -> smtplib.SMTP:
    """Reach the server and hear its greeting."""
    # the own name is looked up nowhere, which may take long: the sender's domain does
    domain = mail.sender.rpartition("@")[2]
    if mail.security == "tls":
        return smtplib.SMTP_SSL(
            mail.server, mail.port, domain, timeout=patience.connect, context=_context()
        )
    return smtplib.SMTP(mail.server, mail.port, domain, timeout=patience.connect)


def _context() -> ssl.SSLContext:
    """Certificates as the system trusts them, a force's own among them."""
    import truststore

    return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


@contextmanager
def _translating(mail: Mail, password: str | None) -> Iterator[None]:
    """Turn what goes wrong into "try again", or into what to do about it."""
    secrets = [password, f"\0{mail.user}\0{password}"] if password else []

    def say(error: smtplib.SMTPResponseException) -> str:
        said = error.smtp_error
        text = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
        return hide(f"{error.smtp_code} {text}", secrets)

    try:
        yield
    except smtplib.SMTPAuthenticationError as error:
        if 400 <= error.smtp_code < 500:
            raise PassingError(f"it answered {say(error)}") from None
        raise NoticeError(
            f"{mail.name} must let {mail.user} in: it answered {say(error)}. Check the user, and "
            f"the password in {mail.password_env}."
        ) from None
    except smtplib.SMTPRecipientsRefused as error:
        codes = [code for code, _ in error.recipients.values()]
        if all(400 <= code < 500 for code in codes):
            raise PassingError(f"it takes mail for nobody now ({codes[0]})") from None
        raise NoticeError(
            f"{mail.name} must take mail for somebody: it refused "
            f"{name_offenders(sorted(error.recipients))}. Correct to."
        ) from None
    except smtplib.SMTPNotSupportedError:
        raise NoticeError(
            f"{mail.name} must offer what is asked of it: it knows no "
            f"{'STARTTLS' if mail.security == 'starttls' else 'login'} here. Check port and "
            "security; an open relay needs no user."
        ) from None
    except smtplib.SMTPResponseException as error:
        if 500 <= error.smtp_code < 600:
            raise NoticeError(
                f"{mail.name} must take the notice: it answered {say(error)}. Check sender, and "
                "ask who keeps the mail server."
            ) from None
        raise PassingError(f"it answered {say(error)}") from None
    except (smtplib.SMTPException, OSError) as error:
        _translate_connection(mail, error, secrets)


def _translate_connection(mail: Mail, error: Exception, secrets: list[str]) -> None:
    """What a broken connection means."""
    if is_distrust(error):
        raise NoticeError(
            f"{mail.name} must have a certificate that this machine trusts: "
            f"{hide(str(error), secrets)}. Install the certificate of your network, or name its "
            "file in SSL_CERT_FILE."
        ) from None
    if isinstance(error, ssl.SSLError):
        raise NoticeError(
            f"{mail.name} must speak TLS as the configuration says ({mail.security}, port "
            f"{mail.port}): {hide(str(error), secrets)}. Port 465 usually takes 'tls', port 587 "
            "'starttls'."
        ) from None
    if isinstance(error, TimeoutError) or "timed out" in str(error):  # smtplib wraps some
        raise PassingError("it was silent for too long") from None
    raise PassingError(
        f"the connection failed ({hide(str(error), secrets) or type(error).__name__})"
    ) from None
