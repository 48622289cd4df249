"""The finished page: what mail programs cut, drop or cannot show, and what readers cannot read.

Most of what is found here comes from a folder's own templates (docs/theme.md); the packaged theme
passes. What cannot be inlined safely (``@import``, a linked style sheet, elements nested more than
200 deep) stops an edition before there is a page.
"""

from briefmail.checks.html import page, pictures, reading, styles
from briefmail.checks.rule import rules_of

RULES = rules_of(page, pictures, styles, reading)
