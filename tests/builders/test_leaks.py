"""The leak audit: copies that are planted, sources that are followed, the law of distances, what is shown."""

from __future__ import annotations

import json
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils.data import ConcatDataset, Subset

from archspec import ArchspecError
from builders.data import audit
from builders.data.augment import moved_by
from builders.data.calibrate import at_least, calibrate
from builders.data.orbit import Orbit, nearest, parse_orbit
from builders.data.provenance import provenance
from tests.builders.pipelines import COPIES, COUNT, IMAGES, LABELS, Declared, Shifted, cut, how, plain, rng, shifted


@pytest.mark.parametrize("name", COPIES)
def test_one_copy_of_every_item_before_the_split(name: str) -> None:
    """Both parts are full of copies, and nothing declares them."""
    images = torch.cat([IMAGES, COPIES[name](IMAGES)])
    order = torch.randperm(2 * COUNT, generator=rng(6))[:1800]
    train, validation = plain(images[order[:1440]], LABELS[order[:1440] % COUNT]), order[1440:]
    found = audit(train, plain(images[validation], LABELS[validation % COUNT]))
    assert "near copy" in how(found)
    partners = {int(i) % COUNT for i in order[:1440]}
    copied = {i for i, index in enumerate(validation.tolist()) if index % COUNT in partners}
    items = frozenset[int]().union(*(one.items for one in found.findings))
    assert len(items) > len(copied) // (10 if name == "noisier" else 5)
    assert len(items - copied) <= 3


@pytest.mark.parametrize("name", ["shifted", "mirrored", "noisy", "normalised", "double"])
@pytest.mark.parametrize("part", ["validation", "test"])
def test_three_copies_among_hundreds(name: str, part: str) -> None:
    order = torch.randperm(COUNT, generator=rng(7))
    train, rest = order[:1200], {"validation": order[1200:1500], "test": order[1500:]}
    sides = {key: (IMAGES[value], LABELS[value]) for key, value in rest.items()}
    planted = COPIES[name](IMAGES[train[:3]])
    kept = sides[part][0].to(planted.dtype)
    sides[part] = torch.cat([kept, planted]), torch.cat([sides[part][1], LABELS[train[:3]]])
    if name == "normalised":
        sides[part] = torch.cat([(kept - 0.3081) / 0.1307, planted]), sides[part][1]
    found = audit(plain(IMAGES[train], LABELS[train]), plain(*sides["validation"]), plain(*sides["test"]))
    leaks = {(one.first, one.second, one.how) for one in found.findings}
    assert ("train", part, "near copy") in leaks
    assert {first for first, _, _ in leaks} == {"train"}
    assert {second for _, second, _ in leaks} == {part}
    pairs = next(one for one in found.findings if one.how == "near copy").examples
    assert {one.first for one in pairs} >= {0, 1, 2}


@pytest.mark.parametrize("name", COPIES)
def test_training_items_may_be_copied_as_often_as_one_likes(name: str) -> None:
    order = torch.randperm(COUNT, generator=rng(8))
    held = IMAGES[order[:1000]]
    train = torch.cat([held, COPIES[name](held).float()] if name != "normalised" else [held, shifted(held)])
    assert (
        audit(plain(train, LABELS[order[:1000]].repeat(2)), plain(IMAGES[order[1400:]], LABELS[order[1400:]])).total
        == 0
    )


# -- parts -------------------------------------------------------------------------------------------------------------


def test_provenance_follows_subsets_and_sums() -> None:
    one, other = plain(), plain()
    nested = Subset(Subset(one, range(10, 20)), [3, 1])
    ((name, indices),) = provenance(nested)
    assert indices.tolist() == [13, 11]
    joined: ConcatDataset[Any] = ConcatDataset([nested, other])
    pieces = provenance(Subset(joined, [0, 4, 1]))
    assert [(piece[0] == name, piece[1].tolist()) for piece in pieces] == [(True, [13]), (False, [2]), (True, [11])]


def test_declared_sources_are_followed_to_what_they_were_cut_from() -> None:
    base = plain()
    ((_, indices),) = provenance(Declared(Subset(base, [5, 9]), copies=1))
    assert indices.tolist() == [5, 5, 9, 9]


@pytest.mark.parametrize("sources", [[0, 1], [0.5] * 4, [-1, 0, 1, 2], "abcd", [0, 1, 2, 99]])
def test_sources_that_are_none(sources: Any) -> None:
    data = Declared(Subset(plain(), [5, 9]), copies=1)
    data.sources = sources
    with pytest.raises(ArchspecError) as caught:
        provenance(data)
    assert caught.value.code == "sources"


def test_nearest_agrees_with_the_definition() -> None:
    queries, references = IMAGES[:3], IMAGES[100:106]
    distances, indices = nearest(queries, references, Orbit(1, True), 6)
    for row, query in enumerate(queries):
        wanted = [min(brute(query[0], image) for image in (one[0], one[0].flip(-1))) for one in references]
        assert distances[row].tolist() == pytest.approx(sorted(wanted), abs=1e-4)
        assert indices[row].tolist() == sorted(range(6), key=wanted.__getitem__)


def brute(one: Tensor, other: Tensor) -> float:
    """The least distance of two images over shifts by up to a pixel, where they overlap."""
    found = []
    for down in (-1, 0, 1):
        for right in (-1, 0, 1):
            cells = [(i, j) for i in range(8) for j in range(8) if 0 <= i - down < 8 and 0 <= j - right < 8]
            a = torch.stack([one[i, j] for i, j in cells])
            b = torch.stack([other[i - down, j - right] for i, j in cells])
            a, b = a - a.mean(), b - b.mean()
            found.append(float((a / a.norm() - b / b.norm()).norm()))
    return min(found)


def test_the_law_of_nearest_distances_of_a_known_dimension() -> None:
    points = torch.rand(3000, 4, generator=rng(1))  # a cube of four dimensions
    apart = torch.cdist(points[:1000], points)
    apart[torch.arange(1000), torch.arange(1000)] = 9
    null = calibrate(apart.topk(25, largest=False).values)
    assert null is not None
    assert null.dimension == pytest.approx(4, rel=0.15)
    assert null.copies == 0
    others = torch.cdist(torch.rand(20000, 4, generator=rng(2)), points).min(1).values
    assert float((others < null.threshold(0.01)).float().mean()) == pytest.approx(0.01, rel=0.3)


def test_tails_of_the_binomial() -> None:
    assert at_least(0, 10, 0.1) == 1
    assert at_least(1, 10, 0.1) == pytest.approx(1 - 0.9**10)
    assert at_least(1, 1000, 1e-20) == pytest.approx(1e-17)


def test_too_few_items_or_none_alike_are_said_not_to_be_told_apart() -> None:
    few = plain(IMAGES[:20], LABELS[:20])
    found = audit(few, plain(IMAGES[20:40], LABELS[20:40]))
    assert found.notes == ("train and validation: near copies cannot be told apart from chance here",)
    assert how(audit(few, plain(IMAGES[15:30], LABELS[15:30]))) == {"duplicate"}


def test_other_channels_and_larger_images() -> None:
    large = torch.nn.functional.interpolate(IMAGES[:900], (40, 40), mode="bilinear").repeat(1, 3, 1, 1)
    train, validation = plain(large[:600], LABELS[:600]), large[600:].clone()
    assert audit(train, plain(validation, LABELS[600:900])).total == 0
    validation[:9] = moved_by(large[:9], torch.tensor([3] * 9), torch.tensor([-2] * 9))
    assert audit(train, plain(validation, LABELS[600:900]), orbit="shift=4").total == 9


def test_what_an_audit_shows() -> None:
    train, validation = cut(Declared(plain(IMAGES[:500], LABELS[:500]), copies=1), 0.8, 0.2)
    found = audit(train, validation, orbit="shift=1")
    text = str(found).splitlines()
    assert text[0] == "leak audit (orbit of 9: shift=1, rate 0.001 an item, level 0.001)"
    assert text[2].startswith("train, validation    200")
    assert text[2].endswith("LEAK")
    plain_values = json.loads(json.dumps(found.to_dict()))
    assert plain_values["total"] == found.total
    assert plain_values["compared"][0]["near"][1]["expected"] == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"orbit": "shfit=1"}, "orbit"),
        ({"orbit": "rotate=90"}, "orbit"),
        ({"rate": 0.0}, "orbit"),
        ({"level": 2}, "orbit"),
    ],
)
def test_orbits_that_are_none(options: dict[str, Any], code: str) -> None:
    with pytest.raises(ArchspecError) as caught:
        audit(plain(), plain(), **options)
    assert caught.value.code == code


def test_sides_that_cannot_be_read() -> None:
    with pytest.raises(ArchspecError, match="train cannot be of type list"):
        audit([1, 2], plain())

    class Uneven(Shifted):
        def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
            return torch.zeros(1, 8, 8 + index % 2), torch.tensor(0)

    with pytest.raises(ArchspecError, match="has items of"):
        audit(Uneven(plain(), 0), plain())


def test_no_orbit_is_an_orbit() -> None:
    assert (parse_orbit("none").size, str(parse_orbit("none")), str(parse_orbit("flip,rotate=5"))) == (
        1,
        "none",
        "flip,rotate=5",
    )
