"""Let a failed assertion in press.py say what it compared."""

import pytest

pytest.register_assert_rewrite("press")
