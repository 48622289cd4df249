"""``python -m briefmail`` is the same as ``briefmail``."""

from briefmail.cli import main

main()
