"""How a recipient leaves: the visible link and the header fields behind a mail client's button.

``List-Unsubscribe`` is RFC 2369; with an ``https:`` address set, ``List-Unsubscribe-Post`` makes
it one click (RFC 8058). Test mails and previews carry links of the same form that do nothing.
"""

from dataclasses import dataclass
from urllib.parse import quote

from briefmail.audience import Recipient, unsubscribe_token
from briefmail.edition import headers

ONE_CLICK = b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"


@dataclass(frozen=True, slots=True)
class Leaving:
    """The newsletter's ways to leave. ``word`` is the subject of the mail in its language."""

    address: str
    word: str
    list_id: str
    url: str = ""
    secret: str = ""

    def link(self, recipient: Recipient, *, inert: bool = False) -> str:
        """The link for the reader: the web address if there is one, else a filled-in mail."""
        return self._url(recipient, inert) if self.url else self._mailto(recipient, inert)

    def header(self, recipient: Recipient, *, inert: bool = False) -> bytes:
        """The header fields for the mail client."""
        mailto = self._mailto(recipient, inert)
        if not self.url:
            return headers.addresses("List-Unsubscribe", [mailto])
        links = [self._url(recipient, inert), mailto]
        return headers.addresses("List-Unsubscribe", links) + ONE_CLICK

    def _mailto(self, recipient: Recipient, inert: bool) -> str:
        who = "(test)" if inert else recipient.address
        subject = quote(f"{self.word} {who}", safe="@")
        return f"mailto:{quote(self.address, safe='@+')}?subject={subject}"

    def _url(self, recipient: Recipient, inert: bool) -> str:
        token = "test" if inert else unsubscribe_token(self.secret, self.list_id, recipient.key)
        return f"{self.url}{'&' if '?' in self.url else '?'}t={token}"
