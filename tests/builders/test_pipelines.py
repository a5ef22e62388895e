"""The leak audit on whole pipelines: what a user does wrong is found, and nothing where it is done right."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils.data import ConcatDataset, DataLoader, Dataset, Subset, SubsetRandomSampler
from torchvision import transforms  # type: ignore[import-untyped]
from torchvision.datasets import ImageFolder  # type: ignore[import-untyped]
from torchvision.transforms.functional import to_pil_image  # type: ignore[import-untyped]

from archspec import ArchspecError, parse
from builders.data import audit, prepare
from builders.data.calibrate import at_least
from tests.builders.pipelines import COUNT, IMAGES, LABELS, SPEC, Declared, Shifted, cut, how, plain, rng, shifted


def test_augmenting_before_splitting_is_found() -> None:
    whole = Shifted(plain(), copies=3)
    train, validation, _ = cut(whole, 0.25, 0.05, 0.7)
    found = audit(train, validation)
    assert "same source" not in how(found)  # nothing tells the audit what was made of what
    assert found.total > len(validation) // 5
    with pytest.raises(ArchspecError) as caught:
        found.raise_any()
    first = caught.value.diagnostics[0]
    assert first.code == "leak"
    assert first.message.startswith(f"{found.total} of 359 validation items")
    assert "split first, then augment the training part alone" in str(first.hint)
    pair = next(one for one in found.findings if one.how == "near copy").examples[0]
    assert train.indices[pair.first] // 4 == validation.indices[pair.second] // 4  # truly one digit


def test_declared_sources_are_found_without_a_look_at_the_images() -> None:
    train, validation, _ = cut(Declared(plain(), copies=3), 0.1, 0.02, 0.88)
    found = audit(train, validation)
    sources = {index // 4 for index in train.indices}
    (by_source,) = (one for one in found.findings if one.how == "same source")
    assert by_source.items == {i for i, index in enumerate(validation.indices) if index // 4 in sources}


def test_splitting_before_augmenting_is_clean() -> None:
    train, validation, test = cut(plain(), 0.6, 0.2, 0.2)
    for made in (Shifted(train, copies=1), Declared(train, copies=1)):
        found = audit(made, validation, test)
        assert found.findings == ()
        found.raise_any()


@pytest.mark.prove
def test_a_split_of_the_right_pipeline_is_clean_whatever_the_seed() -> None:
    observed = expected = 0.0
    for seed in range(20):
        found = audit(*cut(plain(), 0.8, 0.2, seed=seed))
        assert found.findings == ()
        for near in found.compared[0].near:
            observed, expected = observed + near.observed, expected + near.expected
    print(f"\n20 clean splits: {observed:.0f} items below the thresholds, {expected:.2f} expected, no finding")
    assert expected == pytest.approx(2 * 20 * 359 * 1e-3)
    assert at_least(int(observed), 2 * 20 * 359, 1e-3) > 1e-3  # as many below the threshold as the rate says, or fewer


def test_what_prepare_splits_is_clean_and_known_to_the_whole_it_came_from() -> None:
    found = prepare("digits", SPEC, seed=5, augment="shift=1")
    assert audit(found.train, found.validation, found.test).findings == ()
    assert how(audit(found.train, found.train.take(torch.arange(5)))) == {"same source", "duplicate", "near copy"}


# -- as users write them -----------------------------------------------------------------------------------------------


class Copies(Dataset[Any]):
    """Every item twice: as it is, and through a transform whose random numbers the index decides."""

    def __init__(self, transform: Callable[[Tensor], Tensor]) -> None:
        self.transform = transform

    def __len__(self) -> int:
        return 2 * COUNT

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        image, label = IMAGES[index % COUNT], int(LABELS[index % COUNT])
        if index < COUNT:
            return image, label
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(index)
            return self.transform(image), label


@pytest.mark.parametrize(
    "transform",
    [
        transforms.RandomAffine(10, translate=(0.13, 0.13), interpolation=transforms.InterpolationMode.BILINEAR),
        transforms.RandomCrop(8, padding=1),
        transforms.RandomHorizontalFlip(),
        transforms.ColorJitter(brightness=0.3, contrast=0.3),
        transforms.GaussianBlur(3, (0.3, 0.8)),
        transforms.RandomErasing(p=1, scale=(0.02, 0.1)),
    ],
    ids=lambda one: type(one).__name__,
)
def test_transforms_of_torchvision_before_the_split(transform: Any) -> None:
    train, validation, _ = cut(Copies(transform), 0.4, 0.1, 0.5)
    found = audit(train, validation)
    copied = {i % COUNT for i in train.indices}
    (near,) = (one for one in found.findings if one.how == "near copy")
    assert len(near.items) > 20
    assert sum(validation.indices[i] % COUNT not in copied for i in near.items) <= 3


def test_a_split_that_is_given_keeps_its_sources() -> None:
    base = plain()
    whole = Declared(base, copies=1)
    found = prepare([Subset(whole, range(0, 200)), Subset(whole, range(199, 400))], SPEC)
    assert "same source" in how(audit(found.train, found.validation))
    assert found.train.sources[:4].tolist() == [0, 0, 1, 1]
    both = prepare([base, base], SPEC)
    assert len(audit(both.train, both.validation).findings[0].items) == COUNT
    joined: ConcatDataset[Any] = ConcatDataset([plain(), plain(-IMAGES)])
    assert prepare(joined, SPEC, validation=0, test=0).train.sources.tolist() == list(range(2 * COUNT))


def test_a_loader_is_the_data_set_behind_it() -> None:
    base = plain()
    train = DataLoader(Subset(base, range(300)), batch_size=32, shuffle=True)
    assert len(audit(train, train).findings[0].items) == 300
    chosen = [
        DataLoader(base, sampler=SubsetRandomSampler(range(*ends))) for ends in ((0, 500), (490, 700), (700, 900))
    ]
    found = audit(*chosen)
    assert {(one.second, len(one.items)) for one in found.findings} == {("validation", 10)}
    batches = DataLoader(base, batch_sampler=[[0, 1], [2]])
    assert len(audit(batches, base).findings[0].items) == 3
    assert len(prepare([train, chosen[2]], SPEC).validation) == 200


def test_one_folder_opened_twice_is_one_data_set(tmp_path: Path) -> None:
    for number, image in enumerate(IMAGES[:20]):
        file = tmp_path / str(number % 2) / f"{number}.png"
        file.parent.mkdir(exist_ok=True)
        to_pil_image(image).save(file)
    plainly, changed = (
        ImageFolder(str(tmp_path), transforms.Compose([transforms.ToTensor(), *more]))
        for more in ([], [transforms.RandomRotation(30)])
    )
    assert "same source" in how(audit(Subset(changed, range(12)), Subset(plainly, range(10, 20))))
    assert audit(Subset(changed, range(12)), Subset(plainly, range(12, 20))).findings == ()


def test_items_of_few_values_are_alike_by_chance() -> None:
    bits = torch.randint(0, 2, (400, 10), generator=rng()).float()
    found = audit(*cut(plain(bits, LABELS[:400]), 0.7, 0.3))
    assert found.findings == ()
    assert "train and validation: equal items are no copies here" in found.notes[-1]
    words = torch.randint(0, 4, (400, 3), generator=rng())
    assert audit(*cut(plain(words, LABELS[:400]), 0.7, 0.3)).findings == ()
    longer = torch.randint(0, 100, (400, 16), generator=rng())
    longer[300:305] = longer[:5]
    assert audit(plain(longer[:300], LABELS[:300]), plain(longer[300:], LABELS[300:400])).total == 5


def test_blank_images_are_no_copies_of_each_other() -> None:
    images = IMAGES[:600].clone()
    images[::5] = 0
    images[1::9] = 1
    assert audit(*cut(plain(images, LABELS[:600]), 0.7, 0.3)).findings == ()


def test_copies_in_images_made_larger_for_a_spec() -> None:
    whole = plain(torch.cat([IMAGES, shifted(IMAGES)]), LABELS.repeat(2))
    found = prepare(whole, parse("{name: d, input: 28x28x1, layers: [FLATTEN, FC-10]}"))
    (near,) = (one for one in audit(found.train, found.validation).findings if one.how == "near copy")
    assert len(near.items) > len(found.validation) // 4
