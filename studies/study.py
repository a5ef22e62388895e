"""A study as its module holds it: parameters with their values, networks, and where long work tells how far it is."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from archspec import expressions
from archspec.choices import Choices
from archspec.errors import ArchspecError
from archspec.scope import Scope
from archspec.source import Scalar, Value
from archspec.spec import Spec
from archspec.spec import build as elaborated
from archspec.variables import evaluate, from_python, overridden
from builders.build import build
from builders.network import Network
from builders.run import seeded
from studies.claims import Claim
from studies.document import Text, network
from visualize.curves import Figure

SMALLEST, LARGEST = 1e-6, 1e6  # sizes of a number, so that its powers and quotients stay in the range of floats


@dataclass(frozen=True)
class Outcome:
    """What a study found: claims, figures by name, and raw numbers by name, a list of rows each."""

    claims: Sequence[Claim]
    figures: Mapping[str, Figure] = field(default_factory=dict)
    numbers: Mapping[str, Sequence[Mapping[str, object]]] = field(default_factory=dict)

    @property
    def holds(self) -> bool:
        """Whether every claim holds."""
        return all(one.holds for one in self.claims)


def _silent(_: str) -> None:
    pass


@dataclass(frozen=True)
class Study:
    """A study with everything chosen: parameters, seed, how many processes may work, where its files go."""

    text: Text
    values: Scope
    seed: int = 0
    jobs: int = 1
    folder: Path | None = None
    say: Callable[[str], None] = _silent
    progress: Callable[[Any], Any] | None = None  # shows the pace of a training

    @classmethod
    def of(
        cls,
        text: Text,
        settings: Mapping[str, object] | None = None,
        *,
        quick: bool = False,
        seed: int = 0,
        **more: Any,
    ) -> Study:
        """The study with some parameters set otherwise, as Python values or as YAML; raises ArchspecError.

        >>> from studies.document import parse
        >>> study = Study.of(parse("{study: a, title: A, parameters: {n: 4, k: =2*n}}"), {"n": 5})
        >>> study.count("k")
        10
        """
        chosen = overridden(text.parameters, ((key, value.span(), value) for key, value in _quick(text, quick)))
        given = {key: _node(value, key) for key, value in (settings or {}).items()}
        chosen = overridden(chosen, ((key, None, value) for key, value in given.items()))
        return cls(text, evaluate(chosen, {}), seeded(seed), **more)

    @property
    def name(self) -> str:
        return self.text.name

    def number(self, name: str, low: float = float("-inf"), *, above: float = float("-inf")) -> float:
        """A parameter that is a number of at least `low`, or more than `above`; raises ArchspecError."""
        return self._number(name, self.values.find(name), low, above)

    def numbers(self, name: str, low: float = float("-inf"), *, above: float = float("-inf")) -> list[float]:
        """A parameter that is a list of numbers, none of them left out; raises ArchspecError."""
        found = self.values.find(name)
        if not isinstance(found, list) or not found:
            raise self._wrong(name, "a list of numbers", found)
        return [self._number(name, one, low, above) for one in found]

    def count(self, name: str, low: int = 1) -> int:
        """A parameter that is a whole number; raises ArchspecError."""
        found = expressions.whole(self.values.find(name))
        if found is None or found < low:
            raise self._wrong(name, f"a whole number from {low}", self.values.find(name))
        return found

    def listing(self, name: str) -> list[object]:
        """A parameter that is a list; raises ArchspecError."""
        found = self.values.find(name)
        if not isinstance(found, list) or not found:
            raise self._wrong(name, "a list", found)
        return list(found)

    def counts(self, name: str, low: int = 1) -> list[int]:
        """A parameter that is a list of whole numbers; raises ArchspecError."""
        found = self.values.find(name)
        known = [expressions.whole(one) for one in found] if isinstance(found, list) else []
        whole = [one for one in known if one is not None and one >= low]
        if not whole or len(whole) < len(known):
            raise self._wrong(name, f"a list of whole numbers from {low}", found)
        return whole

    def spec(self, name: str, /, **variables: object) -> Spec:
        """A network of the study, some variables set; one that stands in the study has its parameters as variables."""
        written = self.text.networks[name]
        document, variant = network(name, written)
        own = () if isinstance(written, Scalar) else document.vars
        known = {key: self.values.find(key) for key in own if key in self.values.values}
        chosen = {key: from_python(value, key) for key, value in {**known, **variables}.items()}
        return elaborated(document, Choices(variant, chosen))

    def build(self, name: str, /, **variables: object) -> Network:
        """A network of the study as a torch module."""
        return build(self.spec(name, **variables))

    @contextmanager
    def place(self) -> Iterator[Path]:
        """A folder for trainings: one for each choice of parameters and seed, so that the same study goes on where it
        was stopped and no other meets its files; or one that does not stay."""
        if self.folder is not None:
            chosen = repr((sorted(self.values.values.items()), self.seed))
            yield self.folder / "runs" / hashlib.sha256(chosen.encode()).hexdigest()[:8]
            return
        with TemporaryDirectory(prefix="archspec-") as folder:
            yield Path(folder)

    def _number(self, name: str, found: object, low: float, above: float) -> float:
        if isinstance(found, bool) or not isinstance(found, (int, float)) or found < low or found <= above:
            bound = f" above {above:g}" if above > low else f" from {low:g}" if low > float("-inf") else ""
            raise self._wrong(name, f"a number{bound}", found)
        if found and not SMALLEST <= abs(found) <= LARGEST:
            raise self._wrong(name, f"0 or from {SMALLEST:g} to {LARGEST:g} in size", found)
        return float(found)

    def _wrong(self, name: str, wanted: str, found: object) -> ArchspecError:
        message = f"the parameter {name} of {self.name} is {wanted}, found {expressions.shown(found)}"
        return ArchspecError("study-parameter", message, hint=f"--set {name}=...")


def _quick(text: Text, quick: bool) -> Iterator[tuple[str, Value]]:
    yield from text.quick.items() if quick else ()


def _node(value: object, name: str) -> Value:
    return value if isinstance(value, Value) else from_python(value, name)
