"""Tables as Markdown, CSV and HTML."""

from __future__ import annotations

import csv
import html
import io

from archspec.report.table import Table


def markdown(table: Table) -> str:
    """A Markdown table with its totals."""
    lines = [
        table.titles,
        tuple("---:" if column.numeric else "---" for column in table.columns),
        *table.rows,
        *table.totals,
    ]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines) + "\n"


def csv_text(table: Table) -> str:
    """Comma-separated plain values, without totals."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow([title.lower() for title in table.titles])
    writer.writerows(table.values)
    return buffer.getvalue()


def html_table(table: Table, title: str) -> str:
    """An HTML table for notebooks."""

    def line(cells: tuple[str, ...], tag: str) -> str:
        sides = ["right" if column.numeric else "left" for column in table.columns]
        return "".join(
            f'<{tag} style="text-align: {side}">{html.escape(cell)}</{tag}>'
            for cell, side in zip(cells, sides, strict=True)
        )

    body = "".join(f"<tr>{line(row, 'td')}</tr>" for row in table.rows)
    foot = "".join(f"<tr>{line(row, 'th')}</tr>" for row in table.totals)
    notes = "".join(f"<p><small>{html.escape(note)}</small></p>" for note in table.notes)
    head = f"<caption>{html.escape(title)}</caption><thead><tr>{line(table.titles, 'th')}</tr></thead>"
    return f"<table>{head}<tbody>{body}</tbody><tfoot>{foot}</tfoot></table>{notes}"
