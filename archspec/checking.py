"""What `archspec check` says of a spec: its errors, warnings and expectations, variant by variant."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from archspec.choices import Choices
from archspec.document import Document, parse_document
from archspec.errors import ArchspecError, Diagnostic, drawn
from archspec.expectations import hold
from archspec.spec import build


@dataclass(frozen=True)
class Verdict:
    """The findings on one variant of a spec, and how many of its expectations hold."""

    title: str
    errors: tuple[Diagnostic, ...]
    warnings: tuple[Diagnostic, ...]
    holding: int = 0

    def __str__(self) -> str:
        found = [drawn(findings) for findings in (self.errors, self.warnings) if findings]
        counts = [
            f"{count} {what}{'s' if count != 1 else ''}"
            for count, what in ((len(self.errors), "error"), (len(self.warnings), "warning"))
            if count
        ]
        figures = f"{self.holding} expectation{'s' if self.holding != 1 else ''} hold{'s' if self.holding == 1 else ''}"
        verdict = f"{self.title}: {', '.join(counts or ['ok'])}, {figures}"
        return "\n\n".join([*found, verdict])


def check_spec(text: bytes, name: str, variant: str | None = None) -> Iterator[Verdict]:
    """One verdict per variant, or the one of the variant that is asked for; raises ArchspecError if that is unknown."""
    try:
        document = parse_document(text, name)
    except ArchspecError as error:
        return iter([Verdict(name, error.diagnostics, ())])
    if variant is not None and variant not in document.variants:
        build(document, Choices(variant))  # says which variants there are
    chosen = [variant] if variant or not document.variants else list(document.variants)
    return (_verdict(document, name, one) for one in chosen)


def _verdict(document: Document, name: str, variant: str | None) -> Verdict:
    title = f"{name} ({variant})" if variant else name
    try:
        spec = build(document, Choices(variant))
        outcomes = hold(document.expect, document.variants, variant, spec.analyze())
    except ArchspecError as error:
        return Verdict(title, error.diagnostics, ())
    failed = tuple(outcome.diagnostic() for outcome in outcomes if not outcome.holds)
    return Verdict(title, failed, spec.warnings, len(outcomes) - len(failed))
