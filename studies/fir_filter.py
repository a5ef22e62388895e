"""Convolution as a finite impulse response filter: y[n] = sum_i x[n - i] h[i] (Goodfellow et al. 2016, section 9.1).

A rectangle of length L goes through h[n] = a^n u[n] on the window n = -6..12. The kernels are given to CONV layers of a
spec: h itself to one that flips it and to one that does not, and h from its end to its start, in float64.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from scipy.signal import lfilter  # type: ignore[import-untyped]

from archspec.choices import Choices
from archspec.declarations import read_tensor
from archspec.errors import ArchspecError
from archspec.spec import build as elaborated
from archspec.variables import from_python
from builders.build import build
from studies.claims import Claim, above, alike, near
from studies.document import network as document_of
from studies.fir_filter_signals import FIRST, LAST, SAMPLES, WINDOW, Problem, Signal, moved, rounding
from studies.study import Outcome, Study
from visualize.curves import Axis, Figure, Series, below, beside, stems

ROUNDING = "float64 rounding"
FITTED = 1e-8
WEAKEST, STRONGEST = 0.01, 0.99  # |a|: nearer to 0 or 1 the filter looks like its own mirror image


def run(study: Study) -> Outcome:
    """The layers against numpy, scipy and the closed form; flipped and not; shifted; and a kernel that is learnt."""
    problem, shift = _problem(study), _shift(study)
    generator = np.random.default_rng([study.seed, 2])
    impulse = np.where(WINDOW == 0, 1.0, 0.0)
    found = respond(study, problem.h, np.stack([problem.x, moved(problem.x, shift), impulse]))
    claims = [
        *_convolving(problem, found["convolution"][0]),
        *_halves(study, problem.length),
        *_kernels(problem, found),
        *_random(study, generator),
        *_shifted(study, problem, found["convolution"], shift, generator),
        _learnt(study, problem, generator),
    ]
    signals = _signals(problem, found, shift)
    rows = [
        dict(zip(("n", *signals), row, strict=True)) for row in zip(WINDOW.tolist(), *signals.values(), strict=True)
    ]
    return Outcome(claims, {"signals": _figure(signals)}, {"signals": rows})


def respond(study: Study, h: Signal, signals: Signal) -> dict[str, Signal]:
    """What every layer of the spec gives for signals (count, samples), with the kernel h; the same shape each."""
    document, _ = document_of("filter", study.text.networks["filter"])
    kernels = {"h": h, "backwards": h[::-1]}
    tensors = {name: read_tensor(from_python(taps.tolist(), name)) for name, taps in kernels.items()}
    sizes = {"samples": signals.shape[1], "taps": len(h)}
    choices = Choices(None, {name: from_python(size, name) for name, size in sizes.items()})
    spec = elaborated(document.model_copy(update={"tensors": tensors}), choices)
    network = build(spec, dtype="float64").eval()
    with torch.no_grad():
        return {name: value[:, 0].numpy() for name, value in network(torch.from_numpy(signals)[:, None]).items()}


def _problem(study: Study) -> Problem:
    decay = study.number("decay")
    if not WEAKEST <= abs(decay) <= STRONGEST:
        message = f"the parameter decay of {study.name} lies from {WEAKEST} to {STRONGEST} in size, found {decay:g}"
        raise ArchspecError("study-parameter", message, hint="--set decay=0.5")
    return Problem(_bounded(study, "length", 2, LAST), decay)


def _shift(study: Study) -> int:
    found = _bounded(study, "shift", FIRST, LAST)
    if not found:
        message = f"the parameter shift of {study.name} is not 0, which shifts nothing"
        raise ArchspecError("study-parameter", message, hint="--set shift=5")
    return found


def _bounded(study: Study, name: str, low: int, high: int) -> int:
    found = study.count(name, low)
    if found > high:
        message = f"the parameter {name} of {study.name} is a whole number from {low} to {high}, found {found}"
        raise ArchspecError("study-parameter", message, hint=f"--set {name}={high}")
    return found


def _near(statement: str, predicted: Signal, measured: Signal, room: Signal) -> Claim:
    first, second, distance = (numbers.ravel().tolist() for numbers in (predicted, measured, room))
    return near(statement, first, second, distance, ROUNDING)


def _convolving(problem: Problem, y: Signal) -> Iterator[Claim]:
    """The layer that flips h, against two libraries, and the closed form case by case."""
    x, h, room = problem.x, problem.h, problem.room
    yield _near("CONV flip with the kernel h gives numpy.convolve(x, h)", np.convolve(x, h)[:SAMPLES], y, room)
    recursion = lfilter([1.0], [1.0, -problem.decay], x)
    yield _near("y[n] = a y[n - 1] + x[n]: cutting h at 19 taps loses nothing here", recursion, y, room)
    before, last = WINDOW < 0, problem.length - 1
    cases = {
        "n < 0: y[n] = 0": before,
        "0 <= n < L - 1: y[n] = (1 - a^(n + 1)) / (1 - a)": ~before & (last > WINDOW),
        "n >= L - 1: y[n] = a^(n - L + 1) (1 - a^L) / (1 - a)": last <= WINDOW,
    }
    for statement, at in cases.items():
        yield _near(statement, problem.y[at], y[at], room[at])


def _halves(study: Study, length: int) -> Iterator[Claim]:
    """The closed form for a = 1/2, whose powers and sums float64 holds exactly."""
    half = Problem(length, 0.5)
    (y,) = respond(study, half.h, half.x[None])["convolution"]
    n = np.maximum(WINDOW, 0)
    predicted = np.where(WINDOW < 0, 0, np.where(length - 1 > WINDOW, 2 - 0.5**n, 0.5**n * (2**length - 1)))
    yield _near("a = 1/2: y[n] = 0, then 2 - (1/2)^n, then (1/2)^n (2^L - 1)", predicted, y, half.room)


def _kernels(problem: Problem, found: dict[str, Signal]) -> Iterator[Claim]:
    """What becomes of h where it is not flipped, and of an impulse in both."""
    x, h, room = problem.x, problem.h, problem.room
    y, ahead = found["convolution"][0], found["correlation"][0]
    yield _near("CONV with h written from its end to its start: the same y", y, found["backwards"][0], room)
    looked = np.correlate(x, h, "full")[SAMPLES - 1 :]
    statement = "CONV with h as it is: sum_i x[n + i] h[i], the correlation"
    yield _near(statement, looked, ahead, np.full(SAMPLES, room.max()))
    least = min(float(np.abs(moved(ahead, delay) - y).max()) for delay in range(1 - SAMPLES, SAMPLES))
    yield above("the correlation differs from y at some n, however it is delayed", float(room.max()), least, ROUNDING)
    flipped, plain = found["convolution"][2], found["correlation"][2]
    causal, ahead = np.where(WINDOW < 0, 0, moved(h, -FIRST)), np.where(WINDOW > 0, 0, h[np.abs(WINDOW)])
    yield alike("the response to an impulse at n = 0 is h[n]", causal.tolist(), flipped.tolist())
    yield alike("the same without the flip: h[-n]", ahead.tolist(), plain.tolist())


def _random(study: Study, generator: np.random.Generator) -> Iterator[Claim]:
    """The reversed kernel against numpy's convolution, for kernels of 1 to 19 taps."""
    predicted, measured, room = list[Signal](), list[Signal](), list[Signal]()
    for _ in range(study.count("kernels")):
        x, h = generator.normal(size=SAMPLES), generator.normal(size=generator.integers(1, SAMPLES + 1))
        predicted.append(np.convolve(x, h)[:SAMPLES])
        measured.append(respond(study, h, x[None])["backwards"][0])
        room.append(rounding(x, h))
    statement = f"{len(room)} random kernels: reversed and correlated is convolved"
    yield _near(statement, *map(np.stack, (predicted, measured, room)))


def _shifted(
    study: Study, problem: Problem, responses: Signal, shift: int, generator: np.random.Generator
) -> Iterator[Claim]:
    """Only samples that the window holds before and after the shift can be compared."""
    seen = moved(np.ones(SAMPLES), shift) > 0 if shift < 0 else np.ones(SAMPLES, bool)
    y, found = moved(responses[0], shift), responses[1]
    statement = f"the response to x[n {-shift:+d}] is y[n {-shift:+d}]".replace("+", "+ ").replace("-", "- ")
    yield _near(statement, y[seen], found[seen], np.full(seen.sum(), problem.room.max()))
    x, h = generator.normal(size=SAMPLES), generator.normal(size=SAMPLES)
    delays = range(SAMPLES)
    y, *rest = respond(study, h, np.stack([moved(x, delay) for delay in (0, *delays)]))["convolution"]
    predicted = np.stack([moved(y, delay) for delay in delays])
    room = np.full_like(predicted, rounding(x, h).max())
    yield _near("the same for noise, a random kernel and delays of 0 to 18", predicted, np.stack(rest), room)


def _learnt(study: Study, problem: Problem, generator: np.random.Generator) -> Claim:
    """A layer that flips nothing, fitted to the convolution of noise by least squares."""
    network = build(study.spec("learner"), dtype="float64")
    (weight,) = network.parameters()
    torch.nn.init.zeros_(weight)
    h = problem.h[: weight.numel()]
    (sizes,) = (node.shape.spatial for node in study.spec("learner").layers.inputs.values())
    x = generator.normal(size=sizes)
    given, wanted = (torch.from_numpy(signal)[None, None] for signal in (x, np.convolve(x, h)[: len(x)]))
    exact = {"tolerance_grad": 1e-12, "tolerance_change": 0.0}
    optimizer = torch.optim.LBFGS([weight], max_iter=100, line_search_fn="strong_wolfe", **exact)  # type: ignore[arg-type]

    def loss() -> float:
        optimizer.zero_grad()
        error = torch.nn.functional.mse_loss(network(given), wanted)
        error.backward()  # type: ignore[no-untyped-call]
        return error.item()

    optimizer.step(loss)  # type: ignore[no-untyped-call]
    statement = "CONV without flip, fitted to noise * h, learns h reversed"
    learnt = weight.detach().ravel().tolist()
    return near(statement, h[::-1].tolist(), learnt, FITTED, "least squares by L-BFGS in float64")


def _signals(problem: Problem, found: dict[str, Signal], shift: int) -> dict[str, list[float]]:
    """What is drawn and kept, by its name."""
    y, shifted, _ = found["convolution"]
    place = f"[n {'-' if shift > 0 else '+'} {abs(shift)}]"
    named = {
        "x[n]": problem.x,
        "y[n]": y,
        f"x{place}": moved(problem.x, shift),
        f"response to x{place}": shifted,
        "h[n]": np.where(WINDOW < 0, 0, moved(problem.h, -FIRST)),
        "correlation": found["correlation"][0],
    }
    return {name: signal.tolist() for name, signal in named.items()}


def _figure(signals: dict[str, list[float]]) -> Figure:
    """Two columns: what goes in beside what comes out, in three rows over the same n."""
    high = 1.05 * max(1.0, *(max(values) for values in signals.values()))
    low = 1.05 * min(0.0, *(min(values) for values in signals.values()))
    titles = {"y[n]": "y[n], the convolution of x and h", "correlation": "h not flipped: the correlation of x and h"}

    def panel(name: str) -> Figure:
        axis = Axis("n", "samples", low=FIRST - 0.5, high=LAST + 0.5)
        series = [Series(name, WINDOW.tolist(), signals[name])]
        value = Axis("value", None, low=low, high=high)
        return stems(series, axis, value, title=titles.get(name, name), width=330, height=130)

    names = list(signals)
    return below(*(beside(panel(one), panel(other)) for one, other in zip(names[::2], names[1::2], strict=True)))
