"""What terminals are sent."""

from __future__ import annotations

from linnet.cli import terminal


def test_clean_leaves_nothing_that_a_terminal_obeys() -> None:
    assert terminal.clean("Grüße, 世界 ✓") == "Grüße, 世界 ✓"
    for code in [*range(0x20), 0x7F, *range(0x80, 0xA0), 0x202E, 0x2066, 0x200B, 0x2028, 0xFEFF]:
        assert terminal.clean(f"a{chr(code)}b") == "a\ufffdb"


def test_width_in_a_terminal() -> None:
    assert terminal.cells("e\u0301a世") == 4
    assert terminal.fit("世界", 3) == "世 "
    assert terminal.fit("ab", 4) == "ab  "
    assert terminal.clock(3725.999, 2) == "1:02:05.99"
