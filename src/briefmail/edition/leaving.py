"""How a recipient leaves: the visible link and the header fields behind a mail client's button.

``List-Unsubscribe`` is RFC 2369; with an ``https:`` address set, ``List-Unsubscribe-Post`` makes
it one click (RFC 8058). Test mails and previews carry links of the same form that do nothing.
"""

from dataclasses import dataclass
from functools import cached_property
from urllib.parse import quote

from briefmail.audience import Recipient, unsubscribe_token
from briefmail.edition import headers

ONE_CLICK = b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"


@dataclass(frozen=True)
class Leaving:
    """The newsletter's ways to leave. ``word`` is the subject of the mail in its language."""

    address: str
    word: str
    list_id: str
    url: str = ""
    secret: str = ""

    def ways(self, recipient: Recipient, *, inert: bool = False) -> tuple[str, bytes]:
        """One recipient's ways to leave.

        First the link for the reader: the web address if there is one, else a filled-in mail.
        Then the header fields for the mail client.
        """
        mailto = self._mailto + quote("(test)" if inert else recipient.address, safe="@")
        if not self.url:
            return mailto, headers.addresses("List-Unsubscribe", [mailto])
        token = "test" if inert else unsubscribe_token(self.secret, self.list_id, recipient.key)
        link = self._url + token
        return link, headers.addresses("List-Unsubscribe", [link, mailto]) + ONE_CLICK

    @cached_property
    def _mailto(self) -> str:
        return f"mailto:{quote(self.address, safe='@+')}?subject={quote(f'{self.word} ')}"

    @cached_property
    def _url(self) -> str:
        return f"{self.url}{'&' if '?' in self.url else '?'}t="
