"""Texts in columns: how wide they are on a terminal, and rows of cells fitted to it."""

from collections.abc import Sequence


def width(text: str) -> int:
    """Columns that `text` takes on a terminal (wide and combining characters counted)."""
    if text.isascii():
        return len(text)
    import unicodedata  # noqa: PLC0415  few texts need it

    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def fitted(rows: list[list[str]], spare: list[str], limit: int) -> tuple[list[list[str]], list[int]]:
    """The rows without the spare columns that have no room, and how wide each column is."""
    widths = [max(width(row[i]) for row in rows) for i in range(len(rows[0]))]
    if not spare or sum(widths) + 2 * (len(widths) - 1) <= limit:
        return rows, widths
    kept = [i for i, name in enumerate(rows[0]) if name != spare[0]]
    return fitted([[row[i] for i in kept] for row in rows], spare[1:], limit)


def laid_out(row: Sequence[str], widths: Sequence[int], limit: int, *, flowing: bool) -> list[str]:
    """A row as lines of at most `limit` columns."""
    padded = [cell + " " * (w - width(cell)) for cell, w in zip(row, widths, strict=True)]
    whole = "  ".join(padded).rstrip()
    if not flowing or width(whole) <= limit:
        return [cut(whole, limit)]
    import textwrap  # noqa: PLC0415  only on a narrow terminal

    rest = textwrap.wrap(row[-1], max(limit, 20), initial_indent="    ", subsequent_indent="    ")
    return [cut("  ".join(padded[:-1]).rstrip(), limit), *rest]


def cut(text: str, columns: int) -> str:
    """`text` in at most so many columns; a sign shows that there was more."""
    if width(text) <= columns:
        return text
    while text and width(text) > columns - 1:
        text = text[:-1]
    return text + "…"
