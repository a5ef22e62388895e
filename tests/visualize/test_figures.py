"""The pictures of the documentation are what the code draws, and the script that writes them says when they are not."""

from __future__ import annotations

import importlib.util
import re
import shutil
from pathlib import Path
from types import ModuleType

import pytest

from tests.visualize.marks import marks, texts

DOCS = Path(__file__).resolve().parents[2] / "docs"


def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("figures", DOCS / "figures.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


SCRIPT = script()


@pytest.mark.parametrize("name", SCRIPT.FIGURES)
def test_a_committed_picture_says_what_a_fresh_one_says(name: str) -> None:
    """The texts and the number of marks: where lines lie may differ between versions of the libraries."""
    committed = (DOCS / "figures" / f"{name}.svg").read_text(encoding="utf-8")
    fresh = SCRIPT.FIGURES[name]()
    assert sorted(texts(committed)) == sorted(texts(fresh))
    assert marks(committed) == marks(fresh)
    assert len(committed.encode()) <= SCRIPT.LARGEST


def test_every_picture_is_drawn_and_every_drawn_one_is_committed() -> None:
    shown = {
        name for path in DOCS.rglob("*.md") for name in re.findall(r"figures/([-\w]+)\.svg\)", path.read_text("utf-8"))
    }
    assert shown <= {*SCRIPT.FIGURES, *SCRIPT.STUDIES} == {path.stem for path in (DOCS / "figures").glob("*.svg")}


def test_check_names_what_is_out_of_date(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(SCRIPT, "FOLDER", tmp_path)
    monkeypatch.setattr(SCRIPT, "STUDIES", {"study": lambda: "<svg>3</svg>"})
    monkeypatch.setattr(SCRIPT, "FIGURES", {"one": lambda: "<svg>1</svg>", "two": lambda: "<svg>2</svg>"})
    assert SCRIPT.main([]) == 0
    assert SCRIPT.main(["--check"]) == 0
    shutil.copy(tmp_path / "one.svg", tmp_path / "two.svg")
    assert SCRIPT.main(["--check"]) == 1
    assert capsys.readouterr().out == "docs/figures/two.svg is out of date: run python docs/figures.py\n"
