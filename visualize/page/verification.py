"""What `archspec verify` found of a spec, for its page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from archspec.errors import ArchspecError
from archspec.report.columns import number
from archspec.spec import Spec

MOST_CLAIMS = 4000
HINT = "write it with `archspec verify SPEC --format json -o FILE`, of the same spec and variant"


def verification_data(spec: Spec, found: Mapping[str, object]) -> dict[str, object]:
    """The claims and their verdicts, quantity by quantity; of very many claims those that fail and the first ones.

    Takes one network's result or the whole JSON of the command. Raises ArchspecError where it is none of this spec's.
    """
    network = _network(spec, found)
    claims = [claim for claim in _list(network, "claims") if isinstance(claim, Mapping)]
    _check_figures(spec, claims)
    failed = [claim for claim in claims if claim.get("verdict") == "FAILS"]
    kept = [*failed, *(claim for claim in claims if claim.get("verdict") != "FAILS")][:MOST_CLAIMS]
    return {
        "holds": not failed,
        "held": number(sum(claim.get("verdict") in ("holds", "FAILS") for claim in claims)),
        "seconds": network.get("seconds"),
        "notes": [str(note) for note in _list(network, "notes")],
        "left_out": len(claims) - len(kept),
        "quantities": [_quantity(name, kept) for name in dict.fromkeys(_text(claim, "quantity") for claim in kept)],
    }


def _network(spec: Spec, found: Mapping[str, object]) -> Mapping[str, object]:
    networks = [one for one in _list(found, "networks") if isinstance(one, Mapping)] if "networks" in found else [found]
    for network in networks:
        if network.get("name") == spec.title and isinstance(network.get("claims"), list):
            return network
    names = ", ".join(str(one.get("name"))[:80] for one in networks[:5]) or "no network"
    raise ArchspecError("verification", f"the verification is of {names}, and the spec is {spec.title}", hint=HINT)


def _check_figures(spec: Spec, claims: list[Mapping[str, object]]) -> None:
    """A verification of the same name may still be of another network."""
    totals = spec.analyze().totals
    for quantity, value in (("parameters", totals.parameters), ("MACs", totals.macs)):
        for claim in claims:
            stated = claim.get("predicted")
            if (claim.get("subject"), claim.get("quantity")) == ("network", quantity) and stated != value:
                message = f"the verification states {stated} {quantity}, and {spec.title} has {value}"
                raise ArchspecError("verification", message, hint=HINT)


def _quantity(name: str, claims: list[Mapping[str, object]]) -> dict[str, object]:
    here = [claim for claim in claims if _text(claim, "quantity") == name]
    return {"name": name, "claims": [list(_cells(claim)) for claim in here]}


def _cells(claim: Mapping[str, object]) -> Iterator[str]:
    yield _text(claim, "subject")
    yield _shown(claim.get("predicted"))
    yield _shown(claim.get("measured"))
    yield _text(claim, "verdict")
    yield _text(claim, "note")


def _list(found: Mapping[str, object], key: str) -> list[object]:
    value = found.get(key)
    return value if isinstance(value, list) else []


def _text(claim: Mapping[str, object], key: str) -> str:
    return str(claim.get(key, ""))


def _shown(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, bool) or value is None:
        return "" if value is None else "yes" if value else "no"
    return number(value) if isinstance(value, int) else str(value)
