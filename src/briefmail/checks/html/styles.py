"""The styles: what Gmail drops, what the inliner mixes up, what a mail program does not know."""

from collections.abc import Iterator

from lxml import html

from briefmail.checks.clients import losses, table
from briefmail.checks.css import declarations, style_blocks, style_sheet
from briefmail.checks.finding import Severity
from briefmail.checks.proof import Proof
from briefmail.checks.rule import Found, rule

DROPPED = 16_384
NEARLY_DROPPED = 12_000
_SHORTHANDS = ("background", "border", "font", "list-style", "margin", "padding")
# They look like parts of a shorthand, and are none.
_OTHERS = ("border-radius", "border-collapse", "border-spacing", "font-display", "font-feature")


@rule(
    "css-size",
    "error",
    cure="move what every mail needs to theme.css, which is inlined, and delete what none uses",
    source="Gmail: hteumeuleu/email-bugs issue 90, hteumeuleu/caniemail issue 144",
)
def css_size(proof: Proof) -> Iterator[Found]:
    """More styles in the head than Gmail reads.

    Beyond 16,384 bytes of ``<style>`` it drops all of them: what is left is the inlined part,
    without phones and dark mode. From 12,000 on it is a warning.
    """
    found = sum(len(css.encode()) for css in style_blocks(proof.page))
    if found > NEARLY_DROPPED:
        text = f"the styles in the head have {found:,} bytes; Gmail drops them from {DROPPED:,} on"
        severity: Severity | None = None if found > DROPPED else "warning"
        yield proof.places.found_in_theme("", text, "head.css", severity=severity)


@rule(
    "css-nested",
    "warning",
    cure="write the inner rule on its own, with both conditions: @media (…) and (…)",
    source="Gmail: caniemail.com css-nesting; hteumeuleu/email-bugs issue 90",
)
def css_nested(proof: Proof) -> Iterator[Found]:
    """An at-rule or a rule inside another.

    Gmail drops the whole ``<style>`` block that it finds one in.
    """
    for css in style_blocks(proof.page):
        for head in style_sheet(css).nested:
            text = f"{head} stands inside another rule, and Gmail drops all styles for it"
            yield proof.places.found_in_theme(head, text)


@rule(
    "css-order",
    "warning",
    cure="write all sides in one declaration: margin: 20px 0 0",
    source="premailer issues 25 and 127: it sorts a shorthand before what it should overrule",
)
def css_order(proof: Proof) -> Iterator[Found]:
    """A shorthand and a longhand of one property on the same element.

    In a browser the later rule wins. When the styles are inlined their order is lost, so which
    of ``margin`` and ``margin-top`` wins is left to chance.
    """
    seen = set()
    for element in proof.page.iter("*"):
        names = {one.name for one in declarations(element.get("style", ""))}
        for short, long in _mixed(names):
            if (short, long) not in seen:
                seen.add((short, long))
                text = f"{_described(element)} has both {short} and {long}"
                yield proof.places.found_in_theme(f"{long}:", text, "theme.css")


def _mixed(names: set[str]) -> Iterator[tuple[str, str]]:
    for short in _SHORTHANDS:
        for name in sorted(names if short in names else ()):
            if name.startswith(f"{short}-") and not name.startswith(_OTHERS):
                yield short, name


def _described(element: html.HtmlElement) -> str:
    names = "".join(f".{name}" for name in element.get("class", "").split())
    return f"{element.tag}{names}"


@rule(
    "client-support",
    "warning",
    cure="use what they know; [checks] clients in briefmail.toml says who reads you with what",
    source="caniemail.com, its table of what mail programs support",
)
def client_support(proof: Proof) -> Iterator[Found]:
    """Something that a mail program of your readers does not know, with nothing to stand in for it.

    Which programs count is set by ``[checks] clients`` in the toml. Only what breaks reading is
    said: columns that fall apart, a size that is lost, a picture that is not shown. Round corners,
    and what a style sheet in the head adds for those who read it, are extras.
    """
    types = {src: part.get_content_type() for src, part in proof.specimen.pictures.items()}
    for loss in losses(proof.page, types, proof.config.checks.clients):
        times = f" ({loss.count} times)" if loss.count > 1 else ""
        clients = ", ".join(loss.clients)
        text = f"{loss.title}{times} is not known to {clients}: {loss.lost}"
        cure = f"{client_support.cure}; tested {loss.tested}, table of {table()['date']}"
        yield proof.places.found(loss.first, text, cure)
