"""The roll: every row has its place, every person counts once, and the totals always add up."""

import contextlib
import dataclasses
import random
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from briefmail.audience import Address, Counts, Recipient, Roll
from briefmail.errors import ListError, Problem

NOBODY: frozenset[str] = frozenset()


def listing(folder: Path, *rows: str, header: str = "email,name,region,status") -> Path:
    path = folder / "recipients.csv"
    path.write_text("\n".join([header, *rows, ""]), encoding="utf-8")
    return path


def test_each_row_is_in_one_place_and_the_total_is_their_sum(tmp_path: Path) -> None:
    path = listing(
        tmp_path,
        "jo@example.org,Jo,Fife,",
        "JO@Example.ORG,Joanna,Fife,",
        "al@example.org,Al,Moray,",
        "eve@example.org,Eve,Fife,unsubscribed",
        "ann@example.org,Ann,Fife,",
        "not an address,X,Fife,",
    )
    with Roll.read(
        path, suppressed={"ann@example.org"}, only=lambda fields: fields["region"] == "Fife"
    ) as roll:
        assert roll.counts == Counts(
            rows=6, send=1, duplicate=1, invalid=1, opted_out=1, suppressed=1, filtered=1
        )
        assert list(roll.recipients()) == [
            Recipient(
                address="jo@example.org",
                key="jo@example.org",
                name="Jo",
                fields={"email": "jo@example.org", "name": "Jo", "region": "Fife"},
                line=2,
            )
        ]
        assert roll.problems == (
            Problem(path, 7, "'not an address' is not an address: it has no @"),
        )


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2), (1, 2, 0)])
def test_who_has_opted_out_in_any_row_is_not_written_to(
    order: tuple[int, ...], tmp_path: Path
) -> None:
    rows = ["jo@example.org,Jo,,", "Jo@example.org,Jo,,unsubscribed", "JO@example.org,Jo,,"]
    with Roll.read(listing(tmp_path, *(rows[n] for n in order)), suppressed=NOBODY) as roll:
        assert roll.counts == Counts(
            rows=3, send=0, duplicate=2, invalid=0, opted_out=1, suppressed=0, filtered=0
        )
        assert list(roll.recipients()) == []


@pytest.mark.parametrize(
    "left",
    [
        "jo@example.org,J\0o,,unsubscribed",
        "jo@example.org,Jo,,unsubscribed,one value too many",
        "Jo <jo@example.org>,Jo,,unsubscribed",
        "jo@example.org," + "x" * 300 + ",,unsubscribed",
    ],
)
def test_who_has_opted_out_stays_out_however_broken_that_row_is(left: str, tmp_path: Path) -> None:
    with Roll.read(listing(tmp_path, "jo@example.org,Jo,,", left), suppressed=NOBODY) as roll:
        assert (roll.counts.send, roll.counts.opted_out, roll.problems) == (0, 1, ())


def test_opting_out_wins_over_the_filter_and_the_suppressions(tmp_path: Path) -> None:
    path = listing(tmp_path, "jo@example.org,,,", "jo@example.org,,,unsubscribed")
    with Roll.read(path, suppressed={"jo@example.org"}, only=lambda _: False) as roll:
        assert dataclasses.astuple(roll.counts) == (2, 0, 1, 0, 1, 0, 0)


def test_the_first_row_of_a_person_decides_what_they_are(tmp_path: Path) -> None:
    path = listing(tmp_path, "jo@example.org,Jo,Moray,", "jo@example.org,Jo,Fife,")
    with Roll.read(path, suppressed=NOBODY, only=lambda f: f.get("region") == "Fife") as roll:
        assert dataclasses.astuple(roll.counts) == (2, 0, 1, 0, 0, 0, 1)


def test_anybody_valid_can_be_found_whether_sent_to_or_not(tmp_path: Path) -> None:
    path = listing(tmp_path, "Jo@example.org,Jo,Fife,", "eve@example.org,Eve,,bounced", "x,X,,")
    with Roll.read(path, suppressed={"jo@example.org"}) as roll:
        assert roll.first() is None
        assert roll.find(Address("jo@example.org", "jo@example.org")) == Recipient(
            "Jo@example.org",
            "jo@example.org",
            "Jo",
            {"email": "Jo@example.org", "name": "Jo", "region": "Fife"},
            2,
        )
        assert roll.find(Address("eve@example.org", "eve@example.org")) == Recipient(
            "eve@example.org", "eve@example.org", "", {"email": "eve@example.org"}, 3
        )
        assert roll.find(Address("zoe@example.org", "zoe@example.org")) is None


def test_the_fields_are_those_of_the_list_and_those_of_convention(tmp_path: Path) -> None:
    path = listing(tmp_path, "jo@example.org,1,2,3", header="E-mail,Shoe Size,,Shoe size")
    with Roll.read(path, suppressed=NOBODY) as roll:
        assert roll.columns == {"email", "name", "first_name", "last_name", "shoe_size"}
        assert [person.fields for person in roll.recipients()] == [
            {"email": "jo@example.org", "shoe_size": "1"}
        ]


def test_a_thousand_problems_are_kept_and_all_are_counted(tmp_path: Path) -> None:
    path = listing(tmp_path, *(f"bad {n}," for n in range(1500)), "jo@example.org,")
    with Roll.read(path, suppressed=NOBODY) as roll:
        assert (roll.counts.invalid, roll.counts.send) == (1500, 1)
        assert [problem.line for problem in roll.problems] == list(range(2, 1002))


def test_progress_is_told_and_ends_at_the_last_row(tmp_path: Path) -> None:
    seen: list[int] = []
    path = listing(tmp_path, *(f"jo{n}@example.org," for n in range(12_345)))
    with Roll.read(path, suppressed=NOBODY, progress=seen.append) as roll:
        assert seen == [5000, 10_000, 12_345]
        assert roll.counts.send == 12_345


def test_what_the_filter_raises_is_passed_on(tmp_path: Path) -> None:
    def only(fields: Mapping[str, str]) -> bool:
        return fields["no such field"] == ""

    with pytest.raises(KeyError):
        Roll.read(listing(tmp_path, "jo@example.org,"), suppressed=NOBODY, only=only)


def test_a_list_that_breaks_off_leaves_no_roll(tmp_path: Path) -> None:
    rows = [f"jo{n}@example.org,,," for n in range(6000)]
    with pytest.raises(ListError):
        Roll.read(listing(tmp_path, *rows, 'eve@example.org,"Eve'), suppressed=NOBODY)


PEOPLE = st.sampled_from(["jo", "JO", "Jo", "al", "Al", "eve", "ann"])
ROWS = st.lists(
    st.tuples(
        st.one_of(
            PEOPLE.map("{}@example.org".format),
            PEOPLE.map("Some Body <{}@EXAMPLE.org>".format),
            st.sampled_from(["", "nonsense", "a@b@example.org"]),
        ),
        st.sampled_from(["Jo", "", "O'Neil", "J\0o", "J\u2028o", "x" * 201]),
        st.sampled_from(["Fife", "", "Moray", "a\tb"]),
        st.sampled_from(["", "", "enabled", "unsubscribed", "Bounced"]),
        st.sampled_from(["", "", "", ",", ",extra"]),
    ),
    min_size=1,
    max_size=30,
)


@settings(max_examples=150, deadline=None)
@given(rows=ROWS, suppressed=st.sets(PEOPLE.map(lambda name: f"{name.lower()}@example.org")))
def test_the_totals_add_up_for_any_list(
    rows: list[tuple[str, ...]], suppressed: set[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """And nobody is sent to twice, or although they opted out or are suppressed."""
    folder = tmp_path_factory.mktemp("roll")
    lines = [",".join(row[:4]) + row[4] for row in rows]
    full = [line for line in lines if line.strip(",")]
    try:
        roll = Roll.read(
            listing(folder, *lines),
            suppressed=suppressed,
            only=lambda fields: fields.get("region") != "Moray",
        )
    except ListError:
        assert not full
        return
    with roll:
        total, *parts = dataclasses.astuple(roll.counts)
        assert total == sum(parts) == len(full)
        assert roll.counts.invalid == len(roll.problems)
        keys = [person.key for person in roll.recipients()]
        left = {
            row[0].lower().removeprefix("some body <").removesuffix(">")
            for row in rows
            if row[3].lower() in ("unsubscribed", "bounced")
        }
        assert len(keys) == len(set(keys)) == roll.counts.send
        assert not set(keys) & (left | suppressed)


@settings(max_examples=50, deadline=None)
@given(rows=ROWS, seed=st.integers())
def test_the_order_of_the_rows_does_not_decide_who_has_left(
    rows: list[tuple[str, ...]], seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("roll")
    lines = ["zoe@example.org,,,", *(",".join(row[:4]) + row[4] for row in rows)]
    shuffled = random.Random(seed).sample(lines, len(lines))
    with (
        Roll.read(listing(folder, *lines), suppressed=NOBODY) as one,
        Roll.read(listing(folder, *shuffled), suppressed=NOBODY) as other,
    ):
        assert one.counts == other.counts
        assert {person.key for person in one.recipients()} == {
            person.key for person in other.recipients()
        }


@settings(max_examples=200, deadline=None)
@given(
    content=st.one_of(
        st.binary(max_size=300),
        st.text(max_size=200).map(str.encode),
        st.text('jo@x.org,;|"<> \t\r\n\0\v\ufeffé', max_size=200).map(str.encode),
        st.text('jo@x.org,"<>\r\né', max_size=100).map(lambda text: text.encode("utf-16")),
    )
)
@pytest.mark.parametrize("header", [b"", b"email,name\n", b"email\n", b"name;E-mail;note\r\n"])
def test_no_file_whatever_ends_in_anything_but_a_roll_or_a_list_error(
    header: bytes, content: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("any") / "recipients.csv"
    path.write_bytes(header + content)
    with contextlib.suppress(ListError), Roll.read(path, suppressed=NOBODY) as roll:
        total, *parts = dataclasses.astuple(roll.counts)
        assert total == sum(parts)
        for person in roll.recipients():
            assert person.address.isascii()
            assert not any(
                ord(c) < 32 or 127 <= ord(c) < 160 or c in "\u2028\u2029"
                for value in person.fields.values()
                for c in value
            )
