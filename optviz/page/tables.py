"""Parts of the tables beside pictures."""

from __future__ import annotations


def cell(kind: str, text: str) -> str:
    """A cell of a table."""
    return f'<{kind} style="text-align: left; padding: 2px 14px 2px 0">{text}</{kind}>'
