"""The files of a study's results: metrics and tables as CSV, and the tables to read."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, fields

from archspec import report
from builders.training.folder import Folder
from builders.training.summary import Difference, Row, difference_table, differences, rows, summary
from builders.training.trial import Result

COLUMNS = ("step", "loss", "accuracy", "gradient_norm", "validation_loss", "validation_accuracy")


def write_results(folder: Folder, results: Sequence[Result]) -> None:
    """metrics.csv (a row for each step of each trial), summary.csv, differences.csv, and both tables as summary.md."""
    folder.write("metrics.csv", metrics(results))
    folder.write("summary.csv", csv_text(columns(Row), map(asdict, rows(results))))
    pairs = (asdict(one) | {"verdict": one.verdict} for one in differences(results))
    folder.write("differences.csv", csv_text((*columns(Difference), "verdict"), pairs))
    tables = [table for table in (summary(results), difference_table(results)) if table is not None]
    folder.write("summary.md", "\n".join(map(report.markdown, tables)))


def metrics(results: Sequence[Result]) -> str:
    """All curves as CSV."""
    return csv_text(
        ("spec", "init", "seed", *COLUMNS),
        (
            {"spec": one.label, "init": one.scheme, "seed": one.seed} | {name: row.get(name) for name in COLUMNS}
            for one in results
            for row in one.curves.rows()
        ),
    )


def columns(kind: type) -> tuple[str, ...]:
    """The columns that rows of this kind have."""
    return tuple(one.name for one in fields(kind))


def csv_text(names: Sequence[str], found: Iterable[Mapping[str, object]]) -> str:
    """Rows as CSV; a cell is empty where a number is missing or not finite."""
    text = io.StringIO()
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    for row in found:
        writer.writerow({key: _cell(value) for key, value in row.items()})
    return text.getvalue()


def _cell(value: object) -> object:
    return "" if isinstance(value, float) and not math.isfinite(value) else value
