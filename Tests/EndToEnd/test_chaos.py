"""A short run of scripts/chaos."""
import pytest

import chaos

pytestmark = pytest.mark.both


def test_the_books_balance_whatever_happens(kelvin, tmp_path):
    lines = chaos.run(kelvin, tmp_path / "host", seconds=45, seed=20261125)
    text = "\n".join(lines)
    for what in ("killed runtime", "killed extension", "Runtime.ExitError", "Sandbox.Timedout", "with 429", "with 502"):
        assert what in text, f"a quiet run proves nothing: {text}"
