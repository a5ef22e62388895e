"""Augmentation: every change exact, drawn from the generator alone."""

from __future__ import annotations

import pytest
import torch

from archspec import ArchspecError, parse
from builders.data import parse_augment, prepare
from builders.data.augment import moved_by, turned


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


IMAGES = torch.rand(64, 2, 5, 4, generator=generator(1))
ZEROS = torch.zeros(2, 5, 4)


def slid(image: torch.Tensor, down: int, right: int) -> torch.Tensor:
    found = ZEROS.clone()
    for row in range(5):
        for column in range(4):
            if 0 <= row - down < 5 and 0 <= column - right < 4:
                found[:, row, column] = image[:, row - down, column - right]
    return found


@pytest.mark.parametrize("text", ["shift=2", "flip", "rotate=30", "noise=0.2", "shift=1,flip,rotate=5,noise=0.1"])
def test_the_generator_is_all_the_randomness(text: str) -> None:
    before, change = IMAGES.clone(), parse_augment(text)
    assert torch.equal(change(IMAGES, generator()), change(IMAGES, generator()))
    assert not torch.equal(change(IMAGES, generator()), change(IMAGES, generator(1)))
    assert torch.equal(IMAGES, before)
    assert change(IMAGES, generator()).shape == IMAGES.shape
    assert str(parse_augment(str(change))) == text


def test_shifts_are_whole_pixels_and_zeros_move_in() -> None:
    moves = [(down, right) for down in range(-2, 3) for right in range(-2, 3)]
    exact = moved_by(IMAGES[:25], *torch.tensor(moves).T)
    assert all(torch.equal(exact[i], slid(IMAGES[i], *move)) for i, move in enumerate(moves))
    drawn = parse_augment("shift=2")(IMAGES, generator())
    used = {next(m for m in moves if torch.equal(drawn[i], slid(IMAGES[i], *m))) for i in range(64)}
    assert len(used) > 15
    assert parse_augment("shift=9")(IMAGES, generator()).isfinite().all()


def test_flips_mirror_about_half_of_the_images() -> None:
    drawn = parse_augment("flip")(IMAGES, generator())
    mirrored = [torch.equal(drawn[i], IMAGES[i].flip(-1)) for i in range(64)]
    assert all(torch.equal(drawn[i], IMAGES[i]) for i in range(64) if not mirrored[i])
    assert 20 < sum(mirrored) < 44


def test_quarter_turns_are_those_of_the_grid() -> None:
    square = IMAGES[..., :4, :]
    for quarters in range(4):
        angle = torch.full((64,), 90.0 * quarters)
        assert torch.allclose(turned(square, angle), square.rot90(quarters, (-2, -1)), atol=1e-5)
    assert torch.allclose(turned(IMAGES, torch.full((64,), 180.0)), IMAGES.flip(-1, -2), atol=1e-5)


def test_an_oblong_image_is_turned_without_being_stretched() -> None:
    line = torch.zeros(1, 1, 9, 15)
    line[0, 0, 4, 5:10] = 1  # five pixels across, about the centre
    upright = turned(line, torch.tensor([90.0]))[0, 0]
    assert torch.allclose(upright[2:7, 7], torch.ones(5), atol=1e-5)
    assert float(upright.sum()) == pytest.approx(5, abs=1e-4)


def test_noise_has_the_deviation_that_is_asked_for() -> None:
    many = torch.zeros(1000, 1, 8, 8)
    assert float(parse_augment("noise=0.3")(many, generator()).std()) == pytest.approx(0.3, rel=0.01)


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("shfit=1", "there is no 'shfit' in 'shfit=1'", "did you mean shift?"),
        ("shift", "shift without a number is not possible", "write shift= and a whole number from 1 to 1024"),
        ("shift=0.5", "shift=0.5 is not possible", "write shift= and a whole number from 1 to 1024"),
        ("flip=2", "flip=2 is not possible", "write flip"),
        ("rotate=200", "rotate=200 is not possible", "write rotate= and a number from 0 to 180"),
        ("noise=-1", "noise=-1 is not possible", "write noise= and a number from 0"),
        ("flip,flip", "flip stands twice in 'flip,flip'", "write it once"),
        ("", "there is no '' in ''", "the names are shift, flip, rotate, noise"),
    ],
)
def test_texts_that_are_no_augmentation(text: str, message: str, hint: str) -> None:
    with pytest.raises(ArchspecError) as caught:
        parse_augment(text)
    found = caught.value.diagnostics[0]
    assert (found.code, found.message, found.hint) == ("augment", message, hint)


def test_vectors_can_only_be_noisy() -> None:
    network = parse("{name: v, input: 64, layers: [FC-10]}")
    assert prepare("digits", network, augment="noise=0.1").augment is not None
    with pytest.raises(ArchspecError, match="shift changes images"):
        prepare("digits", network, augment="noise=0.1,shift=1")
