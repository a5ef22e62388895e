"""Images in folders, one folder for each class."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor
from torch.utils.data import Dataset

from archspec.errors import ArchspecError
from builders.data.raw import Raw, picture

ENDINGS = {".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".pgm", ".ppm"}


def folder(path: Path) -> Raw:
    """The images in the subfolders of a folder: each subfolder is a class, in the order of their names."""
    try:
        names = sorted(one.name for one in path.iterdir() if one.is_dir() and not one.name.startswith("."))
    except (OSError, ValueError) as error:
        message = f"cannot read the folder {path}: {getattr(error, 'strerror', None) or error}"
        raise ArchspecError("unreadable", message, hint="a folder with one subfolder for each class") from None
    found = [
        (file, label)
        for label, name in enumerate(names)
        for file in sorted((path / name).rglob("*"))
        if file.suffix.lower() in ENDINGS and not hidden(file.relative_to(path)) and not file.is_dir()
    ]
    empty = sorted(set(names) - {names[label] for _, label in found})
    if not found or empty:
        where = f"in {empty[0]} of {path}" if empty else f"in folders under {path}"
        hint = f"a subfolder for each class, with files that end in {', '.join(sorted(ENDINGS))}"
        raise ArchspecError("data-values", f"there are no images {where}", hint=hint)
    labels = torch.tensor([label for _, label in found])
    said = ("values 0 to 255 divided by 255",)
    return Raw(Pictures([file for file, _ in found]), labels, tuple(names), f"folder:{path}", said)


def hidden(file: Path) -> bool:
    """Whether a file, or a folder on the way to it, is one that a system keeps for itself, such as `._a.png`."""
    return any(part.startswith(".") for part in file.parts)


class Pictures(Dataset[Tensor]):
    """Image files as tensors (C, H, W) from 0 to 1."""

    def __init__(self, files: list[Path]) -> None:
        self.files = files

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> Tensor:
        from PIL import Image

        try:
            with Image.open(self.files[index]) as image:
                return picture(image)
        except ArchspecError as error:
            raise ArchspecError(
                "broken-image", f"{self.files[index]}: {error.diagnostics[0].message}", hint=error.hint
            ) from None
        except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
            reason = str(error).replace(f" '{self.files[index]}'", "")
            message = f"cannot read the image {self.files[index]}: {reason}"
            raise ArchspecError("broken-image", message, hint="replace it or remove it") from None
