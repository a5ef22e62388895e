"""Data sources, what is done to fit a spec, splits, batches."""

from __future__ import annotations

import gzip
import pickle
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.data import Dataset, Subset, TensorDataset

from archspec import ArchspecError, parse
from archspec.spec import Spec
from builders.data import Items, Prepared, Stored, prepare
from builders.data import prepare as prepare_function
from builders.data.splits import split


def spec(size: str = "8x8x1", outputs: int = 10) -> Spec:
    return parse(f"{{name: a, input: {size}, layers: [FLATTEN, FC-{outputs}]}}")


VECTOR = parse("{name: v, input: 64, layers: [FC-10]}")


def failing(data: Any, network: Spec, **options: Any) -> ArchspecError:
    with pytest.raises(ArchspecError) as caught:
        prepare(data, network, **options)
    return caught.value


def everything(found: Prepared) -> tuple[Tensor, Tensor, Tensor]:
    """All items in the order of their sources."""
    parts = (found.train, found.validation, found.test)
    assert all(isinstance(part, Items) for part in parts)
    sources = torch.cat([part.sources for part in parts])
    inputs = torch.cat([part.inputs for part in parts if isinstance(part, Items) and len(part)])
    return (
        inputs[sources.argsort()],
        torch.cat([part.labels for part in parts])[sources.argsort()],
        sources.sort().values,
    )


# -- splits ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(5))
def test_splits_are_exact_stratified_and_apart(seed: int) -> None:
    labels = torch.randint(0, 7, (1003,), generator=torch.Generator().manual_seed(seed))
    parts = split(labels, 0.2, 0.1, seed)
    assert [len(part) for part in parts] == [702, 201, 100]  # 702.1, 200.6, 100.3
    assert torch.cat(parts).sort().values.equal(torch.arange(1003))
    for part, share in zip(parts, (0.7, 0.2, 0.1), strict=True):
        wanted = labels.bincount() * share
        assert (labels[part].bincount() - wanted).abs().max() < 2


def test_a_seed_gives_the_same_split_and_another_one_another() -> None:
    labels = torch.arange(100) % 5
    first, again, other = (split(labels, 0.2, 0.2, seed) for seed in (3, 3, 4))
    assert all(map(torch.equal, first, again))
    assert not torch.equal(first[1], other[1])


@pytest.mark.parametrize(
    ("validation", "test", "message"),
    [
        (1.5, 0.1, "the share of validation cannot be 1.5"),
        (0.1, -0.1, "the share of test cannot be -0.1"),
        (0.6, 0.4, "validation 0.6 and test 0.4 leave nothing to train on"),
        (0.0001, 0.2, "1797 items make parts of 1438, 0 and 359: train, validation, test"),
        (float("nan"), 0.2, "the share of validation cannot be nan"),
    ],
)
def test_shares_that_make_no_parts(validation: float, test: float, message: str) -> None:
    error = failing("digits", spec(), validation=validation, test=test)
    assert (error.code, error.diagnostics[0].message) == ("split", message)


# -- batches -----------------------------------------------------------------------------------------------------------


def test_batches_are_shuffled_by_the_generator_alone_and_can_be_taken_up_again() -> None:
    items = Items(torch.arange(10.0)[:, None], torch.arange(10), torch.arange(10))
    batches = list(items.batches(4, torch.Generator().manual_seed(1)))
    order = torch.randperm(10, generator=torch.Generator().manual_seed(1))
    assert torch.cat([labels for _, labels in batches]).equal(order)
    assert torch.cat([inputs for inputs, _ in batches]).flatten().equal(order.float())
    later = list(items.batches(4, torch.Generator().manual_seed(1), start=1))
    assert [labels.tolist() for _, labels in later] == [labels.tolist() for _, labels in batches[1:]]
    assert [labels.tolist() for _, labels in items.batches(4, start=2)] == [[8, 9]]


def test_a_batch_costs_two_index_selects() -> None:
    items = Items(torch.zeros(64, 1, 8, 8), torch.zeros(64).long(), torch.arange(64))
    calls: list[str] = []

    class Counting(TorchDispatchMode):  # type: ignore[no-untyped-call]
        def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            calls.append(str(func))
            return func(*args, **(kwargs or {}))

    with Counting():  # type: ignore[no-untyped-call]
        assert sum(1 for _ in items.batches(4, torch.Generator())) == 16
    assert calls.count("aten.index_select.default") == 32
    assert len(calls) <= 32 + 3  # the permutation and its slices, once an epoch


@pytest.mark.parametrize("workers", [0, 2])
def test_stored_items_come_in_the_order_of_items_in_memory(workers: int, monkeypatch: pytest.MonkeyPatch) -> None:
    data = TensorDataset(torch.rand(60, 3, 6, 6), torch.arange(60) % 3)
    held = prepare(data, spec("8x8x1", 3), seed=1)
    monkeypatch.setitem(prepare_function.__globals__, "MOST_BYTES", 0)
    read = prepare(data, spec("8x8x1", 3), seed=1)
    assert isinstance(held.train, Items)
    assert isinstance(read.train, Stored)
    stored = Stored(read.train.dataset, read.train.labels, read.train.sources, read.train.origin, workers)
    for size, start in ((7, 0), (7, 2)):
        pairs = [one.batches(size, torch.Generator().manual_seed(5), start) for one in (held.train, stored)]
        for (inputs, labels), (others, their) in zip(*pairs, strict=True):
            assert torch.equal(inputs, others)
            assert torch.equal(labels, their)
    assert torch.equal(stored.sources, held.train.sources)
    assert "too large for memory" in read.said[0]


# -- fitting -----------------------------------------------------------------------------------------------------------


def test_digits_as_they_are() -> None:
    found = prepare("digits", spec())
    inputs, labels, sources = everything(found)
    assert (float(inputs.min()), float(inputs.max()), inputs.dtype) == (0, 1, torch.float32)
    assert tuple(inputs.shape) == (1797, 1, 8, 8)
    assert sources.equal(torch.arange(1797))
    assert labels[:10].tolist() == list(range(10))
    assert (len(found.train), len(found.validation), len(found.test)) == (1078, 360, 359)
    assert found.classes == tuple("0123456789")


def test_what_is_done_to_fit_is_said() -> None:
    found = prepare("digits", spec("12x10x3", 4))
    inputs, labels, sources = everything(found)
    assert tuple(inputs.shape[1:]) == (3, 12, 10)
    assert set(labels.tolist()) == {0, 1, 2, 3} == set(map(int, found.classes))
    assert torch.equal(inputs[:, 0], inputs[:, 2])
    assert found.said[1:4] == (
        "the spec has 4 outputs: of 10 classes the first are taken, 0, 1, 2, 3: 720 of 1797 items",
        "grey repeated as red, green and blue: 720 items",
        "resized from 8x8 to 12x10 (bilinear, antialiased): 720 items",
    )
    assert int(sources.max()) > 720  # sources count in the whole data set


def test_a_vector_takes_images_of_as_many_numbers() -> None:
    assert "1x8x8 flattened to 64: 1797 items" in prepare("digits", VECTOR).said


def test_outputs_that_no_class_has_are_said() -> None:
    assert (
        "the data has 10 classes: 90 of the spec's 100 outputs stand for none"
        in prepare("digits", spec(outputs=100)).said
    )


def test_colours_are_made_grey_as_television_does() -> None:
    colours = torch.eye(3).reshape(3, 3, 1, 1).repeat(10, 1, 1, 1)
    inputs, _, _ = everything(prepare(TensorDataset(colours, torch.arange(30) % 3), spec("1x1x1", 3)))
    assert inputs[:3].flatten().tolist() == pytest.approx([0.299, 0.587, 0.114])


@pytest.mark.parametrize(
    ("text", "message", "under"),
    [
        (
            "{name: a, input: 8x8x4, layers: [FLATTEN, FC-10]}",
            "items of 1x8x8 cannot be made the input of 4x8x8",
            "8x8x4",
        ),
        ("{name: a, input: 63, layers: [FC-10]}", "items of 1x8x8 cannot be made the input of 63", "63"),
        ("{name: a, input: 8x8x1, layers: [CONV3-10]}", "is no vector with a number for each class", "CONV3-10"),
        ("{name: a, input: 8x8x1, layers: [FLATTEN, FC-1]}", "the spec has 1 outputs, and the data 10 classes", "FC-1"),
    ],
)
def test_what_cannot_fit_points_at_the_spec(text: str, message: str, under: str) -> None:
    error = failing("digits", parse(text))
    assert error.code == "data-misfit"
    assert message in error.diagnostics[0].message
    assert error.span is not None
    assert error.span.text in (under, "input")


# -- sources -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "hint"),
    [
        ("digit", "did you mean digits? write digits, torchvision:NAME"),
        ("digits:3", "write digits"),
        ("npz", "write digits"),
        ("torchvision:MNSIT", "did you mean MNIST?"),
        ("synthetic:gausians", "did you mean gaussians?"),
    ],
)
def test_a_name_that_is_none(data: str, hint: str) -> None:
    error = failing(data, spec())
    assert error.code == "unknown-data"
    assert str(error.hint).startswith(hint)


def test_what_is_no_data_set_at_all() -> None:
    assert failing(iter([]), spec()).code == "unknown-data"
    one = TensorDataset(torch.rand(3, 1, 8, 8), torch.arange(3))
    assert failing([one], spec()).code == "unknown-data"


def test_npz_with_sources(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    images = np.random.default_rng(0).integers(0, 256, (40, 8, 8), dtype=np.uint8)
    np.savez(path, inputs=images, labels=np.arange(40) % 2 * 5 + 1, sources=np.arange(40) // 2)
    found = prepare(f"npz:{path}", spec(outputs=2))
    parts = (found.train, found.validation, found.test)
    assert found.classes == ("1", "6")
    assert torch.cat([part.sources for part in parts]).sort().values.equal(torch.arange(40) // 2)
    assert isinstance(found.train, Items)
    assert 0.9 < float(found.train.inputs.max()) <= 1
    assert found.said[0] == "values 0 to 255 divided by 255"


@pytest.mark.parametrize(
    ("arrays", "code", "message"),
    [
        ({"x": np.zeros(3)}, "data-values", "holds x, not inputs and labels"),
        ({"inputs": np.zeros((3, 4)), "labels": np.zeros(2, int)}, "data-values", "inputs are float64 (3, 4)"),
        (
            {"inputs": np.full((3, 64), np.nan), "labels": np.arange(3)},
            "data-values",
            "3 of 3 items have numbers that are not finite",
        ),
        ({"inputs": np.zeros((3, 64)), "labels": np.zeros(3)}, "data-values", "labels are not one whole number"),
        ({"inputs": np.array(["a", "b"]), "labels": np.arange(2)}, "data-values", "inputs are <U1"),
        ({"inputs": np.array([None, 1]), "labels": np.arange(2)}, "data-values", "no file of named arrays"),
        ({"inputs": np.zeros((3, 64)), "labels": np.arange(3), "sources": np.zeros(2)}, "sources", "`sources` are not"),
    ],
)
def test_arrays_that_are_no_data(arrays: dict[str, Any], code: str, message: str, tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", **arrays)
    error = failing(f"npz:{tmp_path / 'a.npz'}", VECTOR)
    assert error.code == code
    assert message in error.diagnostics[0].message


def test_files_that_are_no_arrays(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    assert failing(f"npz:{path}", VECTOR).code == "unreadable"
    for content in (b"", b"PK\x03\x04 cut off", b"text"):
        path.write_bytes(content)
        assert failing(f"npz:{path}", VECTOR).code == "data-values"


def images(path: Path) -> Path:
    """Three classes of ten images each: grey, coloured with a palette, of 16 bits."""
    for label, mode in enumerate(("L", "P", "I;16")):
        (path / f"class{label}").mkdir()
        for i in range(10):
            pixels = np.full((9, 7), 60 * label + i, np.uint16 if mode == "I;16" else np.uint8)
            image = Image.fromarray(pixels * 256 if mode == "I;16" else pixels)
            (image.convert("P") if mode == "P" else image).save(path / f"class{label}" / f"{i}.png")
    return path


def test_a_folder_of_images(tmp_path: Path) -> None:
    found = prepare(f"folder:{images(tmp_path)}", spec("8x8x1", 3))
    inputs, labels, _ = everything(found)
    assert found.classes == ("class0", "class1", "class2")
    assert labels.tolist() == [0] * 10 + [1] * 10 + [2] * 10
    assert inputs[3].mean() == pytest.approx(3 / 255, abs=1e-5)
    assert inputs[25].mean() == pytest.approx(125 * 256 / 65535, abs=1e-4)
    assert "colours made grey (ITU-R BT.601): 10 items" in found.said
    assert "resized from 9x7 to 8x8 (bilinear, antialiased): 30 items" in found.said


def test_a_broken_image_is_named(tmp_path: Path) -> None:
    broken = images(tmp_path) / "class1" / "4.png"
    broken.write_bytes(broken.read_bytes()[:40])
    error = failing(f"folder:{tmp_path}", spec(outputs=3))
    assert error.code == "broken-image"
    assert str(broken) in error.diagnostics[0].message


def test_folders_without_images(tmp_path: Path) -> None:
    assert failing(f"folder:{tmp_path / 'none'}", spec()).code == "unreadable"
    assert failing(f"folder:{tmp_path}", spec()).code == "data-values"
    (images(tmp_path) / "empty").mkdir()
    assert "there are no images in empty of" in failing(f"folder:{tmp_path}", spec()).diagnostics[0].message


def mnist(path: Path) -> None:
    """The files of MNIST with 50 and 20 images of noise."""
    raw = path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for name, count in (("train", 50), ("t10k", 20)):
        pixels = np.random.default_rng(count).integers(0, 256, (count, 28, 28), dtype=np.uint8)
        labels = (np.arange(count) % 10).astype(np.uint8)
        heads = {
            "images-idx3": struct.pack(">IIII", 2051, count, 28, 28),
            "labels-idx1": struct.pack(">II", 2049, count),
        }
        for part, values in (("images-idx3", pixels), ("labels-idx1", labels)):
            (raw / f"{name}-{part}-ubyte").write_bytes(heads[part] + values.tobytes())
            (raw / f"{name}-{part}-ubyte.gz").write_bytes(gzip.compress(heads[part] + values.tobytes()))


def test_torchvision_keeps_its_own_test_part(tmp_path: Path) -> None:
    mnist(tmp_path)
    found = prepare("torchvision:MNIST", spec("28x28x1"), cache=tmp_path, test=0.3)
    assert (len(found.train), len(found.validation), len(found.test)) == (40, 10, 20)
    assert found.test.sources.tolist() == list(range(50, 70))
    assert found.said[0] == "MNIST: its own 20 test items are the test part"
    assert found.classes[0] == "0 - zero"
    fewer = prepare("torchvision:MNIST", spec("28x28x1", 3), cache=tmp_path)
    assert fewer.test.sources.tolist() == [50, 51, 52, 60, 61, 62]


def test_torchvision_without_a_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    error = failing("torchvision:MNIST", spec("28x28x1"), cache=tmp_path)
    assert error.code == "no-download"
    assert f"put its files into {tmp_path / 'MNIST'}, or use digits" in str(error.hint)


def test_torchvisions_fake_data() -> None:
    from torchvision.datasets import FakeData  # type: ignore[import-untyped]

    data: Dataset[Any] = FakeData(20, (3, 12, 12), 2)
    found = prepare(data, spec("8x8x3", 2))
    assert "resized from 12x12 to 8x8 (bilinear, antialiased): 20 items" in found.said


def test_synthetic_sets_are_drawn_from_their_own_seed() -> None:
    for name in ("gaussians", "noise", "stripes"):
        first, again, other = (
            everything(prepare(f"synthetic:{name},n=50,std=0.5,seed={drawn}", spec(outputs=5), seed=seed))
            for drawn, seed in ((1, 0), (1, 9), (2, 0))
        )
        assert torch.equal(first[0], again[0])
        assert not torch.equal(first[0], other[0])
        assert first[1].bincount().tolist() == [10] * 5


def test_gaussians_can_be_told_apart_and_noise_cannot() -> None:
    def share(name: str) -> float:
        inputs, labels, _ = everything(prepare(f"synthetic:{name},n=400", spec(outputs=4)))
        flat, half = inputs.flatten(1), torch.arange(400) % 8 < 4
        means = torch.stack([flat[half & (labels == k)].mean(0) for k in range(4)])
        return float((torch.cdist(flat[~half], means).argmin(1) == labels[~half]).float().mean())

    assert share("gaussians") > 0.95
    assert share("noise") < 0.4


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("n=5", "n=5 is not possible"),
        ("n", "n without a number is not possible"),
        ("n=10.5", "n=10.5 is not possible"),
        ("m=3", "there is no 'm' in 'm=3'"),
        ("n=20,n=30", "n stands twice in 'n=20,n=30'"),
        ("std=inf", "std=inf is not possible"),
    ],
)
def test_options_that_are_none(options: str, message: str) -> None:
    error = failing(f"synthetic:noise,{options}", spec())
    assert (error.code, error.diagnostics[0].message) == ("data-options", message)
    assert failing("synthetic:stripes", VECTOR).code == "data-options"


class Pairs(Dataset[Any]):
    """Items of any kind."""

    def __init__(self, items: list[Any]) -> None:
        self.items = items

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index: int) -> Any:
        return self.items[index]


def test_a_data_set_of_images_arrays_and_tensors() -> None:
    one = np.full((8, 8), 51, np.uint8)
    items = [
        (Image.fromarray(one), 0),
        (one[None], 1),
        (torch.full((1, 8, 8), 0.2), torch.tensor(0)),
        (one[None], 1),
    ] * 5
    inputs, labels, _ = everything(prepare(Pairs(items), spec(outputs=2)))
    assert torch.unique(inputs).tolist() == pytest.approx([0.2])
    assert labels.tolist() == [0, 1] * 10


@pytest.mark.parametrize("item", [3, (torch.zeros(1, 8, 8),), ("text", 1), (torch.zeros(1, 8, 8), 0.5)])
def test_items_that_are_no_pairs(item: object) -> None:
    assert failing(Pairs([(torch.zeros(1, 8, 8), 0), item] * 10), spec()).code == "data-values"


def test_a_split_that_was_made_already_is_kept() -> None:
    data = TensorDataset(torch.rand(50, 1, 8, 8), torch.arange(50) % 4)
    found = prepare([Subset(data, range(0, 30)), Subset(data, range(30, 50))], spec(outputs=3))
    assert (len(found.train), len(found.validation), len(found.test)) == (23, 15, 0)


@pytest.mark.parametrize("parts", [(0, 20), (20, 0)])
def test_a_part_that_is_given_may_be_empty(parts: tuple[int, int]) -> None:
    data = TensorDataset(torch.rand(20, 1, 8, 8), torch.arange(20) % 2)
    found = prepare([Subset(data, range(size)) for size in parts], spec(outputs=2))
    assert (len(found.train), len(found.validation)) == parts


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e300])
def test_numbers_that_are_not_finite_are_told_of_any_data_set(value: float) -> None:
    inputs = torch.rand(20, 1, 8, 8, dtype=torch.float64)
    inputs[7, 0, 3, 3] = value
    error = failing(TensorDataset(inputs, torch.arange(20) % 2), spec(outputs=2))
    message = "1 of 20 items have numbers that are not finite, the first with source 7"
    assert (error.code, error.diagnostics[0].message) == ("data-values", message)


@pytest.mark.parametrize("share", ["0.2", None])
def test_shares_that_are_no_numbers(share: Any) -> None:
    assert failing("digits", spec(), validation=share).code == "split"


@pytest.mark.parametrize("kind", [">f4", "longdouble", ">i2"])
def test_arrays_of_other_machines(kind: str, tmp_path: Path) -> None:
    values = np.arange(640).reshape(10, 8, 8)
    np.savez(tmp_path / "a.npz", inputs=values.astype(kind), labels=np.arange(10) % 2)
    inputs, _, _ = everything(prepare(f"npz:{tmp_path / 'a.npz'}", spec(outputs=2)))
    assert inputs.flatten().tolist() == list(range(640))


@pytest.mark.parametrize("sources", [np.arange(10) - 3, np.array(list("abcdefghij")), np.arange(10.0)])
def test_sources_of_arrays_that_are_none(sources: Any, tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", inputs=np.zeros((10, 8, 8)), labels=np.arange(10) % 2, sources=sources)
    assert failing(f"npz:{tmp_path / 'a.npz'}", spec(outputs=2)).code == "sources"


def test_arrays_without_a_number(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", inputs=np.zeros((10, 0, 8)), labels=np.arange(10) % 2)
    assert "inputs are float64 (10, 0, 8)" in failing(f"npz:{tmp_path / 'a.npz'}", spec()).diagnostics[0].message


def test_a_file_is_never_unpickled(tmp_path: Path) -> None:
    class Planted:
        def __reduce__(self) -> tuple[Any, ...]:
            return Path.touch, (tmp_path / "ran",)

    np.savez(tmp_path / "a.npz", inputs=np.array([Planted()] * 3, dtype=object), labels=np.arange(3))
    (tmp_path / "b.npz").write_bytes(pickle.dumps(Planted()))
    for name in "ab":
        assert failing(f"npz:{tmp_path / name}.npz", spec()).code == "data-values"
    assert not (tmp_path / "ran").exists()


def test_files_that_a_system_keeps_are_no_images(tmp_path: Path) -> None:
    images(tmp_path)
    before = len(everything(prepare(f"folder:{tmp_path}", spec(outputs=3)))[1])
    folder = next(one for one in sorted(tmp_path.iterdir()) if one.is_dir())
    for name in (".hidden.png", "._0.png", "notes.txt"):
        (folder / name).write_bytes(b"no image")
    (folder / ".cache").mkdir()
    (folder / ".cache" / "a.png").write_bytes(b"no image")
    (folder / "folder.png").mkdir()
    assert len(everything(prepare(f"folder:{tmp_path}", spec(outputs=3)))[1]) == before
    assert failing("folder:" + "a" * 5000, spec()).code == "unreadable"


def test_images_of_unknown_range_are_not_cut_off_in_silence(tmp_path: Path) -> None:
    images(tmp_path)
    folder = next(one for one in sorted(tmp_path.iterdir()) if one.is_dir())
    Image.fromarray(np.full((8, 8), 3000.5, np.float32)).save(folder / "z.tiff")
    error = failing(f"folder:{tmp_path}", spec(outputs=3))
    assert error.code == "broken-image"
    assert "z.tiff: an image of mode F says nothing of the range of its values" in error.diagnostics[0].message
