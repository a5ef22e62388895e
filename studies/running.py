"""Running a study by its name, and keeping what it found: claims, figures, raw numbers."""

from __future__ import annotations

import csv
import io
import json
from importlib import import_module
from pathlib import Path

from archspec.errors import ArchspecError
from archspec.output import write
from archspec.report import markdown
from builders.threads import threads
from studies.claims import table
from studies.study import Outcome, Study

FORMS = (".svg", ".png", ".html")  # of every figure


def run(study: Study) -> Outcome:
    """What the study's module finds, `studies.fir_filter` for fir-filter; raises ArchspecError.

    >>> from studies.document import find
    >>> run(Study.of(find("dilation"))).holds
    True
    """
    module = import_module(f"studies.{study.name.replace('-', '_')}")
    with threads(1):  # tensors are small here
        found: Outcome = module.run(study)
    return found


def prepare(folder: Path) -> None:
    """Make the folder, so that one that cannot be written is told before the work; raises ArchspecError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = f"cannot write {folder}: {error.strerror or error}"
        raise ArchspecError("unwritable", message, hint="choose another folder with -o") from None


def keep(outcome: Outcome, title: str, folder: Path) -> None:
    """Write claims as Markdown and JSON, figures as SVG, PNG and a page, numbers as CSV; raises ArchspecError."""
    prepare(folder)
    write(f"# {title}\n\n{markdown(table(outcome.claims))}", folder / "claims.md")
    write(json.dumps([one.to_dict() for one in outcome.claims], indent=2) + "\n", folder / "claims.json")
    for name, figure in outcome.figures.items():
        for form in FORMS:
            figure.save(folder / f"{name}{form}")
    for name, rows in outcome.numbers.items():
        text = io.StringIO()
        writer = csv.DictWriter(text, list(dict.fromkeys(key for row in rows for key in row)), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        write(text.getvalue(), folder / f"{name}.csv")
