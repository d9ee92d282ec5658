"""Email over SMTP: plain text, the same in the look of the house, and a way to stop it."""

import smtplib
from email.utils import formataddr, parseaddr

from django.conf import settings
from django.core.mail import BadHeaderError, EmailMultiAlternatives, get_connection
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _

from reminders.channels.base import ChannelError, ChannelUnsure
from reminders.compose import page_in
from reminders.models import Message, Purpose, Via

_ASKS_FOR_LOGIN = {530, 535}  # authentication needed or refused (RFC 4954), whoever the recipient is


class EmailChannel:
    """Carries email once ``EMAIL_HOST`` is set."""

    kind = "email"
    is_local = False

    def carries(self, via: str) -> bool:
        return via == Via.EMAIL and bool(settings.EMAIL_HOST)

    def send(self, message: Message) -> str:
        mail = build(message)
        connection = get_connection()
        try:
            connection.open()
        except smtplib.SMTPAuthenticationError as error:
            raise ChannelError(_("The mail server refused our password."), permanent=False) from error
        except (OSError, smtplib.SMTPException) as error:
            raise ChannelError(_("The mail server could not be reached."), permanent=False) from error
        mail.connection = connection
        try:
            mail.send()
        except BadHeaderError as error:
            raise ChannelError(_("The address or the subject holds a line break."), permanent=True) from error
        except smtplib.SMTPRecipientsRefused as error:
            codes = [code for code, _text in error.recipients.values()]
            raise _refused(min(codes, default=550)) from error
        except (smtplib.SMTPSenderRefused, smtplib.SMTPHeloError) as error:
            # Said before the recipient was named: it is about us, and every message would get it.
            raise _refused(error.smtp_code, for_good=False) from error
        except smtplib.SMTPResponseException as error:
            raise _refused(error.smtp_code) from error
        except (OSError, smtplib.SMTPException) as error:
            raise ChannelUnsure(_("The mail server went silent in the middle of the message.")) from error
        finally:
            _close(connection)
        return ""


def build(message: Message) -> EmailMultiAlternatives:
    """The mail of a message: text and html, from the shop's name at the installation's address."""
    with translation.override(message.language):
        sender = formataddr(
            (message.shop.name if message.shop else "Khata", parseaddr(settings.DEFAULT_FROM_EMAIL)[1])
        )
        subject = " ".join((message.subject or _subject(message)).split())
        mail = EmailMultiAlternatives(
            subject=subject,
            body=message.text,
            from_email=sender,
            to=[message.recipient],
            headers=_headers(message),
        )
        if message.purpose != Purpose.CODE:  # a gateway turns a code's mail into an SMS: text alone
            mail.attach_alternative(_html(message, subject), "text/html")
    return mail


def _html(message: Message, subject: str) -> str:
    """The text in the look of the house; the address in it becomes a button."""
    page = page_in(message.text)
    context = {
        "message": message,
        "subject": subject,
        "shop_name": message.shop.name if message.shop else "Khata",
        "body": message.text.replace(page, "").rstrip() if page else message.text,
        "page": page,
        "asks": message.purpose == Purpose.REMINDER,
        "balance_paise": message.balance_paise,
    }
    return render_to_string("reminders/emails/message.html", context)


def _headers(message: Message) -> dict[str, str]:
    headers = {"Auto-Submitted": "auto-generated"}
    if url := page_in(message.text):  # the customer's own page, where messages can be stopped
        headers["List-Unsubscribe"] = f"<{url}>"
    return headers


def _subject(message: Message) -> str:
    shop = message.shop.name if message.shop else "Khata"
    if message.purpose == Purpose.RECEIPT:
        return _("Receipt from %(shop)s") % {"shop": shop}
    if message.purpose == Purpose.CODE:
        return "Khata"
    return _("Your khata at %(shop)s") % {"shop": shop}


def _refused(code: int, for_good: bool = True) -> ChannelError:
    if code >= 500 and for_good and code not in _ASKS_FOR_LOGIN:
        return ChannelError(
            _("The mail server refused this address or message for good (%(code)s).") % {"code": code}, True
        )
    if code >= 500:
        return ChannelError(_("The mail server refuses to work for us (%(code)s).") % {"code": code}, False)
    return ChannelError(_("The mail server asked to try again later (%(code)s).") % {"code": code}, False)


def _close(connection) -> None:  # type: ignore[no-untyped-def]
    try:
        connection.close()
    except (OSError, smtplib.SMTPException):
        connection.connection = None  # the message was taken; a rude goodbye changes nothing
