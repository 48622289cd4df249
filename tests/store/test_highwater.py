"""The file beside the database: whole or the one before, and never taken on trust."""

from pathlib import Path

import pytest

from briefmail.errors import StoreError
from briefmail.store import HighWater


def test_what_was_written_is_read(tmp_path: Path) -> None:
    mark = HighWater(tmp_path / "settled")
    assert mark.read() == {}
    mark.write({"settled": 4096, "generation": 3})
    assert mark.read() == {"settled": 4096, "generation": 3}
    assert [path.name for path in tmp_path.iterdir()] == ["settled"]


@pytest.mark.parametrize("text", ["settled = ", "settled = 'many'", "settled = true", "\x00\xff"])
def test_a_damaged_file_is_refused_with_what_to_do(tmp_path: Path, text: str) -> None:
    (tmp_path / "settled").write_text(text, encoding="latin-1")
    with pytest.raises(StoreError, match="damaged") as caught:
        HighWater(tmp_path / "settled").read()
    assert caught.value.hint
    assert "delete" in caught.value.hint


def test_a_disk_that_will_not_have_it_leaves_the_old_one(tmp_path: Path) -> None:
    mark = HighWater(tmp_path / "settled")
    mark.write({"settled": 1})
    (tmp_path / ".settled.part").mkdir()
    with pytest.raises(StoreError, match="cannot be written"):
        mark.write({"settled": 2})
    assert mark.read() == {"settled": 1}
