"""Domains that look like a common one mistyped: gmial.com, yahoo.con."""

from collections.abc import Iterator, Mapping

from briefmail.checks.audience.listing import Audience, few, people
from briefmail.checks.rule import Found, rule

# Mailbox providers whose names are long enough that another name is hardly ever a letter away.
TARGETS = (
    "gmail.com", "googlemail.com", "hotmail.com", "hotmail.co.uk", "outlook.com", "yahoo.com",
    "yahoo.co.uk", "icloud.com", "protonmail.com", "fastmail.com", "btinternet.com",
    "virginmedia.com", "talktalk.net", "ntlworld.com", "blueyonder.co.uk", "comcast.net",
    "verizon.net", "bellsouth.net", "sbcglobal.net", "wanadoo.fr", "orange.fr", "laposte.net",
    "t-online.de", "bluewin.ch", "libero.it", "bigpond.com", "rocketmail.com", "hotmail.fr",
)  # fmt: skip
# Other providers: what is one of these is never a slip for another.
COMMON = frozenset((
    *TARGETS,
    "mail.com", "email.com", "ymail.com", "gmx.com", "gmx.net", "gmx.de", "gmx.at", "gmx.ch",
    "gmx.co.uk", "gmx.fr", "web.de", "me.com", "mac.com", "msn.com", "aol.com", "aol.co.uk",
    "live.com", "live.co.uk", "live.fr", "live.ie", "hey.com", "pm.me", "proton.me", "zoho.com",
    "fastmail.fm", "tutanota.com", "tuta.com", "mailbox.org", "posteo.de", "hushmail.com",
    "sky.com", "tiscali.co.uk", "o2.co.uk", "plus.com", "plus.net", "zen.co.uk", "btopenworld.com",
    "att.net", "cox.net", "charter.net", "earthlink.net", "rogers.com", "shaw.ca", "sympatico.ca",
    "free.fr", "sfr.fr", "neuf.fr", "freenet.de", "arcor.de", "online.de", "mail.de", "mail.ru",
    "yandex.ru", "yandex.com", "bk.ru", "list.ru", "inbox.ru", "ukr.net", "seznam.cz", "wp.pl",
    "o2.pl", "onet.pl", "interia.pl", "virgilio.it", "tin.it", "alice.it", "tiscali.it", "ziggo.nl",
    "planet.nl", "home.nl", "telenet.be", "skynet.be", "eircom.net", "iol.ie", "sapo.pt",
    "uol.com.br", "bol.com.br", "terra.com.br", "qq.com", "163.com", "126.com", "naver.com",
    "hanmail.net", "rediffmail.com", "optusnet.com.au", "xtra.co.nz", "iinet.net.au",
    "yahoo.ca", "yahoo.fr", "yahoo.de", "yahoo.es", "yahoo.it", "yahoo.ie", "yahoo.in",
    "yahoo.co.in", "yahoo.co.jp", "yahoo.co.kr", "yahoo.co.id", "yahoo.co.nz", "yahoo.co.za",
    "yahoo.co.th", "yahoo.co.il", "yahoo.com.au", "yahoo.com.br", "yahoo.com.ar", "yahoo.com.mx",
    "hotmail.de", "hotmail.it", "hotmail.es", "hotmail.be", "hotmail.nl", "hotmail.ca",
    "outlook.de", "outlook.fr", "outlook.ie", "outlook.es", "outlook.it",
))  # fmt: skip
# How a suffix is mistyped, where no suffix is written like that.
SUFFIXES: Mapping[str, str] = {
    **dict.fromkeys(("con", "comm", "cmo", "ocm", "coom", "ccom", "xom", "vom", "cpm", "cim",
                     "clm", "cok", "coml", "copm", "c0m"), "com"),
    **dict.fromkeys(("nte", "ent", "nett", "nrt", "bet"), "net"),
    **dict.fromkeys(("ogr", "orgg", "rog", "otg", "prg"), "org"),
    **dict.fromkeys(("co.ik", "co.ku", "co.ukk", "co.yk", "c.uk", "couk"), "co.uk"),
    **dict.fromkeys(("og.uk", "orguk", "org.ukk"), "org.uk"),
}  # fmt: skip


def _shorter(domain: str) -> set[str]:
    """The domain with any one character left out."""
    return {domain[:at] + domain[at + 1 :] for at in range(len(domain))}


# What two words have in common once each has lost a letter, they have by one letter dropped, added,
# changed or moved a little: so a slip is found by looking up a dozen words, and not by comparing
# each domain of a long list with each of these.
_NEAR = {form: target for target in TARGETS for form in (*_shorter(target), target)}


def meant(domain: str) -> str | None:
    """The domain that was probably meant; None if this one looks like it is meant itself."""
    if domain in COMMON:
        return None
    for wrong, right in SUFFIXES.items():
        if domain.endswith(f".{wrong}"):
            return domain.removesuffix(wrong) + right
    return next(
        (_NEAR[form] for form in (domain, *sorted(_shorter(domain))) if form in _NEAR), None
    )


@rule(
    "domain-typo",
    "warning",
    cure="ask the person, or correct the row; mail to a mistyped domain may reach a stranger",
    source="a letter dropped, added, changed or swapped in the name of a common provider",
)
def domain_typo(audience: Audience) -> Iterator[Found]:
    """A domain that looks like that of a common provider mistyped: gmial.com, yahoo.con."""
    if audience.roll:
        yield from few(_typos(audience), audience.path)


def _typos(audience: Audience) -> Iterator[Found]:
    assert audience.roll
    for domain in audience.roll.census().domains():
        if right := meant(domain.name):
            text = f"{domain.name} ({people(domain.people)}) is probably {right}"
            yield Found(text, domain.line, audience.path)
