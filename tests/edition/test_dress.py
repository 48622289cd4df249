"""Pictures and buttons."""

import struct
import zlib
from email.message import EmailMessage
from pathlib import Path

import pytest
from press import FIRST_LINE, Letter, opened, person, print_edition

from briefmail.errors import InputError, Problem

REMOTE = "https://example.org/a.png"


def png(width: int, height: int, shade: int = 0) -> bytes:
    """A grey picture."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + check

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress((b"\0" + bytes([shade]) * width) * height)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def letter_of(root: Path, body: str, toml: str = "") -> Letter:
    """Return one person's letter."""
    return opened(print_edition(root, body, toml=toml).message_for(person(v="V")))


def pictures(letter: Letter) -> list[EmailMessage]:
    """The parts that hold pictures."""
    return [p for p in letter.message.walk() if p.get_content_maintype() == "image"]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder with two pictures."""
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "wide.png").write_bytes(png(1072, 600))
    (tmp_path / "images" / "small.png").write_bytes(png(100, 50, 7))
    return tmp_path


def test_a_picture_in_the_folder_travels_with_the_mail(root: Path) -> None:
    """In a part beside the page, which names it by its Content-ID (RFC 2392)."""
    letter = letter_of(root, "![A wall](../images/wide.png)\n")
    (part,) = pictures(letter)
    image = letter.page.find(".//img")
    assert image.get("src") == f"cid:{part['Content-ID'].strip('<>')}"
    assert image.get("alt") == "A wall"
    assert part.get_content_type() == "image/png"
    assert part.get_content_disposition() == "inline"
    assert part.get_filename() == "wide.png"
    assert part.get_payload(decode=True) == png(1072, 600)
    assert [p.get_content_type() for p in letter.message.walk()] == [
        "multipart/alternative", "text/plain", "multipart/related", "text/html", "image/png",
    ]  # fmt: skip
    assert "[Image: A wall]" in letter.text


@pytest.mark.parametrize(
    ("image", "size"),
    [
        ("![x](../images/wide.png)", ("536", "300")),
        ("![x](../images/small.png)", ("100", "50")),
        ("![x](../images/wide.png){width=268}", ("268", "150")),
        ("![x](../images/wide.png){width=9999}", ("536", "300")),
        ("![x](../images/small.png){width=300}", ("300", "150")),
        ("![x](../images/wide.png){width=268 height=999}", ("268", "150")),
        ("![x](../images/wide.png){width=0}", ("536", "300")),
        ('x <img src="../images/wide.png" width="50%">', ("536", "300")),
        ('x <img src="../images/wide.png" width="auto">', ("536", "300")),
        ('x <img src="../images/small.png" width="-3">', ("100", "50")),
        ('x <img src="../images/small.png" width="²">', ("100", "50")),
        ('x <img src="../images/small.png" width="300px">', ("100", "50")),
    ],
)
def test_a_picture_has_its_width_and_height(root: Path, image: str, size: tuple[str, str]) -> None:
    """In pixels, in proportion, and never wider than the column: Outlook goes by them."""
    element = letter_of(root, f"{image}\n").page.find(".//img")
    assert (element.get("width"), element.get("height")) == size


def test_a_line_keeps_a_height(root: Path) -> None:
    """A picture of 4000 by 2 is not made invisible."""
    (root / "images" / "line.png").write_bytes(png(4000, 2))
    element = letter_of(root, "![x](../images/line.png)\n").page.find(".//img")
    assert (element.get("width"), element.get("height")) == ("536", "1")


@pytest.mark.parametrize("data", [b"", b"not a picture", png(10, 10)[:20], png(10, 10)[:8]])
def test_a_picture_that_cannot_be_measured_goes_without_a_size(root: Path, data: bytes) -> None:
    """It is sent as it is."""
    (root / "images" / "broken.png").write_bytes(data)
    letter = letter_of(root, "![x](../images/broken.png)\n")
    element = letter.page.find(".//img")
    assert (element.get("width"), element.get("height")) == (None, None)
    assert [part.get_payload(decode=True) for part in pictures(letter)] == [data]


@pytest.mark.parametrize(
    ("name", "mime_type"),
    [("a.svg", "image/svg+xml"), ("a.gif", "image/gif"), ("a.JPG", "image/jpeg"),
     ("a.webp", "image/webp")],
)  # fmt: skip
def test_every_kind_of_picture_is_named_for_what_it_is(
    root: Path, name: str, mime_type: str
) -> None:
    """By its suffix, on every system."""
    data = b'<svg xmlns="http://www.w3.org/2000/svg" width="80" height="40"/>'
    (root / "images" / name).write_bytes(data)
    letter = letter_of(root, f"![x](../images/{name})\n")
    assert [part.get_content_type() for part in pictures(letter)] == [mime_type]


def test_a_drawing_has_the_size_that_it_says(root: Path) -> None:
    """SVG."""
    data = b'<svg xmlns="http://www.w3.org/2000/svg" width="80" height="40"></svg>'
    (root / "images" / "a.svg").write_bytes(data)
    element = letter_of(root, "![x](../images/a.svg)\n").page.find(".//img")
    assert (element.get("width"), element.get("height")) == ("80", "40")


def test_a_picture_is_embedded_once_however_often_it_is_used(root: Path) -> None:
    """By one name, by two names, and as a copy with the same bytes."""
    (root / "images" / "copy.png").write_bytes(png(100, 50, 7))
    body = "![a](../images/small.png) ![b](images/small.png) ![c](../images/copy.png)\n"
    letter = letter_of(root, body)
    assert len(pictures(letter)) == 1
    assert len(set(letter.page.xpath("//img/@src"))) == 1


def test_a_picture_on_the_web_stays_there(root: Path) -> None:
    """As it was written, size included."""
    raw = f'<img src="{REMOTE}" width="50%">'
    body = f"![a]({REMOTE}){{width=900}} {raw} ![c]({REMOTE}?v={{{{ v }}}})\n"
    letter = letter_of(root, body)
    assert letter.page.xpath("//img/@src") == [REMOTE, REMOTE, f"{REMOTE}?v=V"]
    assert letter.page.xpath("//img/@width") == ["900", "50%"]
    assert pictures(letter) == []
    assert letter.message.get_content_type() == "multipart/alternative"


@pytest.mark.parametrize("name", ["a b.png", "Dùn Èideann.png", "50%.png", "a%20b.png"])
def test_a_picture_can_have_any_name(root: Path, name: str) -> None:
    """Blanks, accents and percent signs."""
    (root / "images" / name).write_bytes(png(10, 10))
    letter = letter_of(root, f"![x](<../images/{name}>)\n")
    (part,) = pictures(letter)
    assert part.get_filename() == name


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("../images/nothing.png", "../images/nothing.png"),
        ("../images/n%C3%AC.png", "../images/nì.png"),
        ("../images", "../images"),
        ("//example.org/a.png", "//example.org/a.png"),
        ("../images/{{ v }}.png", "../images/{{ v }}.png"),
        ("a" * 300 + ".png", "a" * 300 + ".png"),
        ("../../outside.png", "../../outside.png"),
        ("../images/link.png", "../images/link.png"),
    ],
)
def test_a_picture_that_is_not_in_the_folder_is_named_with_its_line(
    tmp_path: Path, source: str, shown: str
) -> None:
    """Missing, or outside: a path or a link can lead out of the folder, a mail does not."""
    root = tmp_path / "newsletter"
    (root / "images").mkdir(parents=True)
    (tmp_path / "outside.png").write_bytes(png(10, 10))
    if source.endswith("link.png"):
        try:
            (root / "images" / "link.png").symlink_to(tmp_path / "outside.png")
        except OSError:
            pytest.skip("this system makes no symbolic links")
    with pytest.raises(InputError) as caught:
        print_edition(root, f"One\n\ntwo ![x]({source})\n")
    path = root / "issues" / "2016-09-07.md"
    text = f"the picture {shown} is not in the folder"
    assert caught.value.problems == (Problem(path, FIRST_LINE + 2, text),)


def test_an_absolute_path_leads_out_of_the_folder(tmp_path: Path) -> None:
    """Even if it is there."""
    outside = tmp_path / "outside.png"
    outside.write_bytes(png(10, 10))
    root = tmp_path / "newsletter"
    root.mkdir()
    with pytest.raises(InputError, match="is not in the folder"):
        print_edition(root, f"![x]({outside.as_posix()})\n")


def test_all_pictures_that_are_wrong_are_named_at_once(root: Path) -> None:
    """Each at its line."""
    (root / "images" / "a.txt").write_text("x", "utf-8")
    with pytest.raises(InputError) as caught:
        print_edition(root, "![x](b.png)\n\n![x](../images/a.txt)\n\n![x](../images/small.png)\n")
    assert [(p.line, p.text) for p in caught.value.problems] == [
        (FIRST_LINE, "the picture b.png is not in the folder"),
        (FIRST_LINE + 2, "../images/a.txt is not a picture that a mail can show"),
    ]


@pytest.mark.parametrize("logo", ["images/small.png", "../newsletter/images/small.png"])
def test_the_logo_is_embedded_like_any_picture(tmp_path: Path, logo: str) -> None:
    """With the width that the settings give it."""
    root = tmp_path / "newsletter"
    (root / "images").mkdir(parents=True)
    (root / "images" / "small.png").write_bytes(png(100, 50, 7))
    toml = f'[theme]\nlogo = "{logo}"\nlogo_alt = "A sun"\nlogo_width = 64\n'
    letter = letter_of(root, "Text\n", toml)
    (part,) = pictures(letter)
    image = letter.page.find(".//img")
    assert image.get("src") == f"cid:{part['Content-ID'].strip('<>')}"
    assert (image.get("alt"), image.get("width"), image.get("height")) == ("A sun", "64", "32")


def test_a_missing_logo_is_named(root: Path) -> None:
    """And one on the web stays there."""
    with pytest.raises(
        InputError, match=r"briefmail\.toml: the theme's picture images/none\.png is not in"
    ):
        letter_of(root, "Text\n", '[theme]\nlogo = "images/none.png"\n')
    letter = letter_of(root, "Text\n", f'[theme]\nlogo = "{REMOTE}"\n')
    assert letter.page.xpath("//img/@src") == [REMOTE]


# --- buttons --------------------------------------------------------------------------------------


def test_a_bold_link_by_itself_is_a_button(root: Path) -> None:
    """A table for Outlook; the address and the words as they were."""
    body = "**[Keep *me* a & b seat](https://example.org/?a=1&b={{ v }})**\n\nAfter\n"
    letter = letter_of(root, body)
    (link,) = letter.page.xpath("//table[contains(@class, 'button')]//a")
    assert link.get("href") == "https://example.org/?a=1&b=V"
    assert link.text_content() == "Keep me a & b seat"
    assert link.find(".//em").text == "me"
    assert letter.page.xpath("//p[contains(@class, 'button')]") == []
    assert "Keep _me_ a & b seat:\nhttps://example.org/?a=1&b=V\n\nAfter\n" in letter.text


@pytest.mark.parametrize(
    "html",
    [
        '<p class="button">hello</p>',
        '<p class="button">hello <a href="https://example.org/">x</a> there</p>',
        '<p class="button"><a>hello</a></p>',
    ],
)
def test_the_class_of_a_button_on_something_else_does_no_harm(root: Path, html: str) -> None:
    """No word of it is lost."""
    letter = letter_of(root, f"{html}\n")
    words = html.replace("</", "<").split(">", 1)[1]
    assert "hello" in words
    assert letter.page.xpath("//p[@class='button']")[0].text_content().startswith("hello")
