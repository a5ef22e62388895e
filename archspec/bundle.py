"""The bundled specs: where they lie, and which names they answer to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

from archspec.errors import ArchspecError, Source, did_you_mean
from archspec.source import LARGEST, Mapping, Scalar, read

SUFFIX = ".yaml"
STUDIES = "studies"  # the folder of experiments, which are no specs
VARIANTS = re.compile(r"^variants:", re.MULTILINE)


@cache
def folder() -> Path:
    """specs/: inside the installed package, or beside it in a source tree."""
    package = Path(__file__).parent
    return next((path for path in (package / "specs", package.parent / "specs") if path.is_dir()), package / "specs")


@cache
def files() -> dict[str, Path]:
    """Every bundled spec by its name relative to specs/: zoo/resnet."""
    top = folder()
    found = (path for path in sorted(top.rglob(f"*{SUFFIX}")) if path.parent != top / STUDIES)
    return {path.relative_to(top).with_suffix("").as_posix(): path for path in found}


@cache
def studies() -> dict[str, Path]:
    """Every bundled study by its name."""
    return {path.stem: path for path in sorted((folder() / STUDIES).glob(f"*{SUFFIX}"))}


def variants(path: Path) -> tuple[str, ...]:
    """The names of the variants in a bundled file."""
    text = path.read_text(encoding="utf-8")
    if not VARIANTS.search(text):
        return ()
    document = read(text, str(path))
    found = document.get("variants") if isinstance(document, Mapping) else None
    return tuple(key.text for key, _ in found.items) if isinstance(found, Mapping) else ()


def names() -> Iterator[tuple[str, Path, str | None]]:
    """Every name with its file and variant: files first, each followed by its variants."""
    for name, path in files().items():
        yield name, path, None
        for variant in variants(path):
            yield variant, path, variant


@dataclass(frozen=True)
class Entry:
    """A bundled file: the name it answers to, what it is, and its variants."""

    name: str
    file: str
    title: str
    description: str
    variants: tuple[str, ...]

    def to_dict(self) -> dict[str, object]:
        """Plain values for JSON."""
        return asdict(self)


def entries() -> list[Entry]:
    """Every bundled file, in the order of folders and names."""
    return [_entry(name, path) for name, path in files().items()]


def _entry(name: str, path: Path) -> Entry:
    document = read(path.read_bytes(), str(path))
    keys = document if isinstance(document, Mapping) else Mapping((), Source(str(path), ""), 0, 0)
    texts = [value.text if isinstance(value := keys.get(key), Scalar) else "" for key in ("name", "description")]
    found = keys.get("variants")
    variants = found.keys() if isinstance(found, Mapping) else ()
    return Entry(name.rsplit("/", 1)[-1], name, texts[0], texts[1], variants)


def find(name: str) -> tuple[Path, str | None]:
    """The file and variant of a bundled name: `zoo/resnet`, `resnet` or `resnet50`; raises ArchspecError if unknown."""
    known = files()
    if name in known:
        return known[name], None
    for full, path in known.items():
        if full.endswith(f"/{name}"):
            return path, None
    for path in known.values():
        if name in path.read_text(encoding="utf-8") and name in variants(path):
            return path, name
    every = {candidate for candidate, _, _ in names()} | {full.rsplit("/", 1)[-1] for full in known}
    hint = did_you_mean(name, every) or "`archspec list` names the bundled specs; a file is given by its path"
    raise ArchspecError("unknown-spec", f"there is no file and no bundled spec called `{name}`", hint=hint)


def read_spec(path_or_name: str | Path) -> tuple[bytes, str, str | None]:
    """The text of a spec, the name that its errors show, and the variant that a bundled name stands for."""
    if not isinstance(path_or_name, (str, Path)):
        message = f"a spec is a path or a name, and here is {type(path_or_name).__name__}"
        raise ArchspecError("unreadable", message, hint="parse() takes the text itself")
    path, variant = Path(path_or_name), None
    if not _exists(path) and path.suffix not in (".yaml", ".yml"):
        path, variant = find(str(path_or_name))
    try:
        with path.open("rb") as file:
            return file.read(LARGEST + 1), str(path), variant
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        hint = "give a file; `archspec list` names the bundled specs"
        raise ArchspecError("unreadable", f"cannot read {str(path)[:200]!a}: {reason}", hint=hint) from None


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # too long, or no name that a file can have
        return False
