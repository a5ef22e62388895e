"""Typed results as tables: terminal, Markdown, CSV, JSON, HTML."""

from archspec.report.columns import COLUMNS, Detail, Style
from archspec.report.data import as_dict
from archspec.report.fields import as_value
from archspec.report.markup import csv_text, html_table, markdown
from archspec.report.table import Table, listed, table
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
    "html_table",
    "listed",
    "markdown",
    "plain_text",
    "table",
]
