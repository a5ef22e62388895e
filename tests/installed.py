"""A distribution of somebody else's that archspec finds by its entry point."""

from __future__ import annotations

from pathlib import Path


def install_kinds(folder: Path, code: str) -> None:
    """Install the distribution `toy` into a folder, whose module registers layer kinds."""
    (folder / "toy_kinds.py").write_text(code, encoding="utf-8")
    info = folder / "toy-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: toy\nVersion: 1.0\n", encoding="utf-8")
    (info / "entry_points.txt").write_text("[archspec.layers]\ntoy = toy_kinds\n", encoding="utf-8")
