"""Columns from a text as files and spreadsheets hold them: what parts the cells, which row names them, what is bad.

Printed as JavaScript like an experiment's methods, so that a page reads a file as Python does.
"""

from __future__ import annotations

import re
from typing import Any

from .samples import LARGEST, MOST, number_text

LONGEST_TEXT = 5_000_000  # characters
MOST_ROWS = 200_000
MANY_ROWS = f"The text has more than {MOST_ROWS:,} rows; at most as many are read."
MOST_SKIPPED = 20_000  # rows without anything, or with comments, before the first other one
LONGEST_ROW = 20_000
MOST_COLUMNS = 200
LOOKED_AT = 30  # rows by which it is judged what parts cells, and whether there are numbers
LONGEST_LOOK = 20_000  # characters of these rows, but for the first two
MOST_QUOTES = 1000  # in a row
PARTS = {"\t": "tabs", ";": "semicolons", ",": "commas", " ": "spaces"}
CELL = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)  # one way to match: many would take for ever
COMMA = re.compile(r"[+-]?(\d+(,\d*)?|,\d+)([eE][+-]?\d+)?", re.ASCII)
LONGEST_NUMBER = 400  # characters
QUOTE = '"'
ROW = "row number"  # a column that every table has


def read_table(text: str) -> dict[str, Any]:
    """The cells of a text: `names`, `rows`, `numbers` of them in the text; or `problem`, one sentence.

    Of more rows than an experiment takes, as many as it does, evenly spread; `said` tells. What is no table is
    refused by the sizes of the text and its first rows, before the others are looked at.
    """
    if len(text) > LONGEST_TEXT:
        return _problem(f"The text has {len(text):,} characters; at most {LONGEST_TEXT:,} are read.")
    if "\0" in text:
        return _problem("This is no text but binary data; save it as CSV.")
    if len(text.split("\r", MOST_ROWS)) > MOST_ROWS:  # no more are parted than that takes
        return _problem(MANY_ROWS)
    bare = text.removeprefix("\ufeff")
    ended = bare.replace("\r\n", "\n").replace("\r", "\n") if "\r" in bare else bare
    head = ended.split("\n", MOST_SKIPPED)[:MOST_SKIPPED]
    looked = _first_rows(head)
    if len(looked) == 0:
        return _problem("There is nothing to read; rows of numbers are needed.")
    excess = _excess(head, looked)
    if excess:
        return _problem(excess)
    part = parted_by([head[k] for k in looked])
    rows = [cells_of(head[k], part) for k in looked]
    first = rows[0]
    if len(first) > MOST_COLUMNS:
        return _problem(f"There are {len(first):,} columns; at most {MOST_COLUMNS:,} are read.")
    comma = part != "," and _has_commas(rows[1:] or rows, part)
    named = any(cell != "" and not is_number(cell, comma) for cell in first)
    if not any(is_number(cell, comma) for row in (rows[1:] if named else rows) for cell in row):
        return _problem("There are no rows of numbers.")
    whole = ended.split("\n", MOST_ROWS)
    if len(whole) > MOST_ROWS:
        return _problem(MANY_ROWS)
    used = [k for k in range(looked[0], len(whole)) if _is_used(whole[k].strip())]
    body = used[1:] if named else used
    if len(body) < 2:
        return _problem("There is only one row of numbers; at least two are needed.")
    taken = spread(body, MOST)
    excess = _excess(whole, taken)
    if excess:
        return _problem(excess)
    names = _names(first if named else [], len(first))
    return {
        "problem": "", "names": names, "rows": [cells_of(whole[k], part) for k in taken],
        "numbers": [k + 1 for k in taken], "comma": comma,
        "said": _said(len(body), len(taken), len(first), part, comma),
    }  # fmt: skip


def _is_used(row: str) -> bool:
    """Whether a row is neither empty nor a comment."""
    return row != "" and row[0] != "#"


def _first_rows(whole: list[str]) -> list[int]:
    """The rows by which a text is judged: the first that are neither empty nor comments."""
    found: list[int] = []
    size = 0
    for k in range(len(whole)):
        if _is_used(whole[k].strip()):
            found.append(k)
            size += len(whole[k])
            if len(found) == LOOKED_AT or (len(found) > 1 and size > LONGEST_LOOK):
                break
    return found


def _excess(whole: list[str], rows: list[int]) -> str:
    """What one of these rows has too much of, in a sentence; empty if none has."""
    for k in rows:
        if len(whole[k]) > LONGEST_ROW:
            return f"Row {k + 1} has {len(whole[k]):,} characters; at most {LONGEST_ROW:,} are read."
        quotes = len(whole[k].split(QUOTE)) - 1
        if quotes > MOST_QUOTES:
            return f"Row {k + 1} has {quotes:,} quotes; at most {MOST_QUOTES:,} are read."
    return ""


def _problem(sentence: str) -> dict[str, Any]:
    return {"problem": sentence, "names": [], "rows": [], "numbers": [], "comma": False, "said": ""}


def _said(rows: int, taken: int, columns: int, part: str, comma: bool) -> str:
    """What has been read, in a sentence."""
    wide = f"{columns} columns, parted by {PARTS[part]}" if columns > 1 else "one column"
    said = f"{rows:,} rows of {wide}{', with decimal commas' if comma else ''}."
    if taken == rows:
        return said
    return f"{said} The page takes {taken:,} of the rows, evenly spread over all of them."


def spread(items: list[int], most: int) -> list[int]:
    """All of the items, or as many as there may be, evenly spread."""
    return items if len(items) <= most else [items[k * len(items) // most] for k in range(most)]


def cells_of(line: str, part: str) -> list[str]:
    """The cells of a row; what stands in quotes is one cell."""
    if '"' not in line:
        return line.split() if part == " " else [cell.strip() for cell in line.split(part)]
    cells: list[str] = []
    pieces, now = line.split('"'), ""
    for k in range(len(pieces)):
        if k % 2 > 0:
            now += pieces[k]  # what stands in quotes
        elif pieces[k] == "":
            now += '"' if 0 < k < len(pieces) - 1 and now != "" else ""  # two quotes are one
        else:
            beside = pieces[k].split(part)
            for ended in beside[:-1]:
                cells.append((now + ended).strip())
                now = ""
            now += beside[len(beside) - 1]
    cells.append(now.strip())
    return [cell for cell in cells if cell != ""] if part == " " else cells


def parted_by(lines: list[str]) -> str:
    """What parts the cells of these rows: what gives every row as many, and most of them numbers."""
    best, found = -1.0, ","
    for part in PARTS:
        rows = [cells_of(line, part) for line in lines]
        alike = sum(len(row) == len(rows[-1]) for row in rows) / len(rows)
        cells = [cell for row in (rows[1:] or rows) for cell in row]
        comma = part != "," and _has_commas(rows, part)
        numbers = sum(is_number(cell, comma) for cell in cells) / max(len(cells), 1)
        score = (alike + numbers) * (1.0 if len(rows[-1]) > 1 else 0.5)
        if score > best + 1e-9:
            best, found = score, part
    return found


def _has_commas(rows: list[list[str]], part: str) -> bool:
    """Whether numbers are written with a decimal comma."""
    cells = [cell for row in rows for cell in row]
    return any("," in cell and COMMA.fullmatch(cell) is not None for cell in cells) and not any(
        "." in cell and CELL.fullmatch(cell) is not None for cell in cells
    )


def is_number(cell: str, comma: bool) -> bool:
    """Whether a cell is a number."""
    return len(cell) <= LONGEST_NUMBER and (COMMA if comma else CELL).fullmatch(cell) is not None


def number_of(cell: str, comma: bool) -> float:
    """What a cell that is a number says."""
    return float(cell.replace(",", ".") if comma else cell)


def _names(first: list[str], width: int) -> list[str]:
    """The columns' names, each another one."""
    names: list[str] = []
    for k in range(width):
        name = first[k] if k < len(first) and first[k] != "" else f"column {k + 1}"
        names = [*names, name if name not in names else f"{name} ({k + 1})"]
    return [*names, ROW]


def numeric(table: Any) -> list[int]:
    """Which columns hold numbers, in more than half of their cells."""
    width, rows = len(table["names"]) - 1, table["rows"]
    right = [sum(k < len(row) and is_number(row[k], table["comma"]) for row in rows) for k in range(width)]
    return [k for k in range(width) if 2 * right[k] > len(rows)]


def bad_rows(table: Any, columns: Any, label: int) -> list[int]:
    """Which rows have a cell that is no number in one of these columns, or none of the `label` (-1: there is none)."""
    names = table["names"]
    found: list[int] = []
    for at in range(len(table["rows"])):
        row = table["rows"][at]
        wrong = len(row) != len(names) - 1 or any(not _holds(table, at, k) for k in columns)
        if wrong or (label >= 0 and row[label] == ""):
            found = [*found, at]
    return found


def _holds(table: Any, at: int, k: int) -> bool:
    cell = table["rows"][at][k] if k < len(table["rows"][at]) else ""
    whole = k == len(table["names"]) - 1
    return whole or (is_number(cell, table["comma"]) and abs(number_of(cell, table["comma"])) <= LARGEST)


def problem_of(table: Any, columns: Any, label: int) -> str:
    """What is wrong with the first bad row, in a sentence that names the row and the column; empty if none is."""
    bad = bad_rows(table, columns, label)
    if len(bad) == 0:
        return ""
    at = bad[0]
    row, names = table["rows"][at], table["names"]
    if len(row) != len(names) - 1:
        said = f"has {len(row)} cells, not {len(names) - 1}"
    else:
        wrong = [k for k in columns if not _holds(table, at, k)]
        cell = row[wrong[0]] if wrong else ""
        name = names[wrong[0] if wrong else label]
        short = cell if len(cell) <= 40 else f"{cell[:39]}…"
        said = f'has no number in the column {name}: "{short}"' if cell else f"has an empty cell in the column {name}"
    more = f", and {len(bad) - 1:,} more rows are bad" if len(bad) > 2 else ", and another row is bad"
    return f"Row {table['numbers'][at]} {said}{more if len(bad) > 1 else ''}."


def values_of(table: Any, columns: Any, bad: Any) -> list[list[float]]:
    """The numbers of these columns, without the rows that are bad."""
    kept = [at for at in range(len(table["rows"])) if at not in bad]
    last = len(table["names"]) - 1
    return [
        [float(table["numbers"][at]) if k == last else number_of(table["rows"][at][k], table["comma"]) for at in kept]
        for k in columns
    ]


def classes_in(table: Any, column: int) -> list[str]:
    """The different cells of a column, as they come."""
    found: list[str] = []
    for row in table["rows"]:
        if column < len(row) and row[column] != "" and row[column] not in found and len(found) < MOST_COLUMNS:
            found = [*found, row[column]]
    return found


def marks_of(table: Any, column: int, one: str, bad: Any) -> list[float]:
    """1 for each row that has this cell in the column and 0 for the others, without the rows that are bad."""
    rows = table["rows"]
    return [float(rows[at][column] == one) for at in range(len(rows)) if at not in bad]


def delimited(columns: Any, names: Any) -> str:
    """Columns as a text with commas, below their names."""
    heads = [f'"{name.replace(QUOTE, QUOTE + QUOTE)}"' if "," in name or QUOTE in name else name for name in names]
    lines = [",".join(heads), *(",".join([number_text(c[k]) for c in columns]) for k in range(len(columns[0])))]
    return "\n".join([*lines, ""])
