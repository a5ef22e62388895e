"""Typed results as tables: terminal, Markdown, CSV, JSON, HTML."""

from archspec.report.data import as_dict
from archspec.report.fields import as_value, extent, triple
from archspec.report.markup import csv_text, html_table, markdown
from archspec.report.table import COLUMNS, Detail, Style, Table, number, table
from archspec.report.text import draw, plain_text

__all__ = [
    "COLUMNS",
    "Detail",
    "Style",
    "Table",
    "as_dict",
    "as_value",
    "csv_text",
    "draw",
    "extent",
    "html_table",
    "markdown",
    "number",
    "plain_text",
    "table",
    "triple",
]
