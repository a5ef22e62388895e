"""The files of a study's results: metrics and tables as CSV, and the tables to read."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict

from archspec import report
from builders.training.folder import Folder
from builders.training.summary import difference_table, differences, rows, summary
from builders.training.trial import Result

COLUMNS = ("step", "loss", "accuracy", "gradient_norm", "validation_loss", "validation_accuracy")


def write_results(folder: Folder, results: Sequence[Result]) -> None:
    """metrics.csv (a row for each step of each trial), summary.csv, differences.csv, and both tables as summary.md."""
    folder.write("metrics.csv", metrics(results))
    folder.write("summary.csv", csv_text(map(asdict, rows(results))))
    folder.write("differences.csv", csv_text(asdict(one) | {"verdict": one.verdict} for one in differences(results)))
    tables = [table for table in (summary(results), difference_table(results)) if table is not None]
    folder.write("summary.md", "\n".join(map(report.markdown, tables)))


def metrics(results: Sequence[Result]) -> str:
    """All curves as CSV."""
    return csv_text(
        {"spec": one.label, "init": one.scheme, "seed": one.seed} | {name: row.get(name) for name in COLUMNS}
        for one in results
        for row in one.curves.rows()
    )


def csv_text(found: Iterable[dict[str, object]]) -> str:
    """Rows of equal keys as CSV; a cell is empty where a number is missing or not finite."""
    text, writer = io.StringIO(), None
    for row in found:
        if writer is None:
            writer = csv.DictWriter(text, list(row), lineterminator="\n")
            writer.writeheader()
        writer.writerow({key: _cell(value) for key, value in row.items()})
    return text.getvalue()


def _cell(value: object) -> object:
    return "" if isinstance(value, float) and not math.isfinite(value) else value
