"""`archspec.save` and `archspec.load_model`: a network as one safetensors file, its weights beside its spec."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from archspec import __version__
from archspec.choices import Choices
from archspec.document import parse_document
from archspec.errors import ArchspecError, Diagnostic
from archspec.files import replacing
from archspec.spec import Spec
from archspec.spec import build as elaborated
from builders.build import build, spec_of, torch_device
from builders.network import Network

FORMAT = "1"
VERSION, HASH = "archspec_format", "sha256"
State = Mapping[str, Tensor]


def save(model: Network, path: str | Path) -> None:
    """Write a network to one safetensors file: its weights, and in the metadata its spec and the choices made for it.

    A tensor that stands under several names is stored once. A file that is there already is replaced at once when the
    new one is whole, so that it survives a failure. Raises ArchspecError where the model was not built by archspec or
    its weights no longer fit its spec, and where the file cannot be written.

    >>> import tempfile
    >>> from builders.build import build
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(build("tutorial/cnn"), f"{folder}/cnn.safetensors")
    ...     loaded = load_model(f"{folder}/cnn.safetensors")
    >>> tuple(loaded(torch.zeros(2, 1, 28, 28)).shape)
    (2, 3)
    """
    state = numbers(model)
    kinds = (tensor.dtype for tensor in state.values() if tensor.is_floating_point())
    dtype = str(next(kinds, torch.float32)).removeprefix("torch.")
    _check_fit(build(spec_of(model), dtype=dtype, device="meta"), state, "the network has left its spec")
    tensors, shared = _distinct(state)
    metadata = {
        "format": "pt",  # what other readers of safetensors files ask for
        VERSION: FORMAT,
        "archspec": __version__,
        "name": model.source.name.encode("utf-8", "backslashreplace").decode(),
        "spec": model.source.text,
        "choices": json.dumps(model.choices.to_dict()),
        "dtype": dtype,
        "training": json.dumps(model.training),
        "shared": json.dumps(shared),
    }
    metadata[HASH] = _digest(tensors, metadata)
    try:
        with replacing(Path(path)) as draft:
            save_file(tensors, draft, metadata)
    except (OSError, ValueError, TypeError, SafetensorError) as error:
        raise _failed("unwritable", "write", path, error, "choose another path") from None


def load_model(path: str | Path, /, *, device: str | torch.device = "cpu") -> Network:
    """The network of a file that `save` wrote: the weights, dtype and mode (training or evaluation) that it had.

    Its spec is in the file. The weights are held in memory once. Raises ArchspecError where the file cannot be read,
    was not written by `save`, or is not as it was written.
    """
    place = torch_device(device)
    tensors, metadata = _read(path)
    try:
        choices = Choices.from_dict(json.loads(metadata["choices"]))
        shared = {str(alias): tensors[name] for alias, name in json.loads(metadata["shared"]).items()}
        text, name, dtype = metadata["spec"], metadata["name"], metadata["dtype"]
        training = bool(json.loads(metadata["training"]))
    except (LookupError, TypeError, ValueError, ArithmeticError, AttributeError, RecursionError) as error:
        message = f"the metadata of {path} is not what archspec.save writes: {type(error).__name__} {error}"
        raise ArchspecError("model-damaged", message) from None
    spec = elaborated(parse_document(text, name), choices)
    moved = {id(tensor): tensor.to(place) for tensor in tensors.values()}
    state = {name: moved[id(tensor)] for name, tensor in (tensors | shared).items()}
    return _assigned(spec, state, dtype, place).train(training)


def numbers(model: nn.Module) -> dict[str, Tensor]:
    """The tensors of a network by name; raises ArchspecError where it is none of ours, or has no numbers."""
    if not isinstance(model, Network) or not hasattr(model, "source"):
        message = f"this takes a network that archspec.build made, and here is {type(model).__name__}"
        raise ArchspecError("not-a-network", message, hint="of a compiled network, give the one that was compiled")
    found: dict[str, Tensor] = model.state_dict()
    if any(tensor.is_meta for tensor in found.values()):
        message = "the network is on the device meta, where weights have no numbers"
        raise ArchspecError("on-meta", message, hint="build it on cpu")
    return found


def sizes(shape: tuple[int, ...]) -> str:
    """A tensor's shape in words: 64 x 3 x 7 x 7."""
    return " x ".join(map(str, shape)) or "a single number"


def identity(name: str, tensor: Tensor) -> object:
    """What is the same for all names of one tensor."""
    return (tensor.data_ptr(), tensor.shape, tensor.stride(), tensor.dtype) if tensor.numel() else name


def _assigned(spec: Spec, state: State, dtype: str, place: torch.device) -> Network:
    """The network of a spec with these tensors for its own; tensors that no file holds are made on the device."""
    network = build(spec, dtype=dtype, device="meta")
    _check_fit(network, state, "the file does not fit its own spec")
    if place.type != "meta" and any(tensor.is_meta for tensor in _unsaved(network, state)):
        network = build(spec, dtype=dtype, device=place)
    needs = {name: parameter.requires_grad for name, parameter in network.named_parameters(remove_duplicate=False)}
    held: dict[int, Tensor] = {}
    for name, tensor in state.items():
        held.setdefault(id(tensor), nn.Parameter(tensor, needs[name]) if name in needs else tensor)
    network.load_state_dict({name: held[id(tensor)] for name, tensor in state.items()}, assign=True)
    return network


def _unsaved(network: Network, state: State) -> Iterator[Tensor]:
    """The tensors that modules hold beside their state: buffers that are not saved, plain attributes."""
    for prefix, part in network.named_modules():
        for name, value in (part._buffers | vars(part)).items():
            if isinstance(value, Tensor) and f"{prefix}.{name}".lstrip(".") not in state:
                yield value


def _distinct(state: State) -> tuple[dict[str, Tensor], dict[str, str]]:
    """The tensors to store, each once, and for the other names of a tensor the name that it is stored under."""
    known: dict[object, str] = {}
    tensors, shared = dict[str, Tensor](), dict[str, str]()
    for name, tensor in state.items():
        first = known.setdefault(identity(name, tensor), name)
        if first != name:
            shared[name] = first
            continue
        plain = tensor.cpu().contiguous()
        tensors[name] = plain if plain.untyped_storage().nbytes() == plain.nbytes else plain.clone()
    return tensors, shared


def _read(path: str | Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """The tensors and the metadata of a file, held against its hash.

    Tensors are copied out of the file before they are hashed: what was checked is what is used, whatever becomes of it.
    """
    try:
        with Path(path).open("rb"), safe_open(path, "pt") as file:
            metadata: dict[str, str] = file.metadata() or {}
            _check_format(path, metadata)
            tensors = {name: file.get_tensor(name).clone() for name in file.offset_keys()}
    except (OSError, ValueError, TypeError) as error:
        raise _failed("unreadable", "read", path, error, "give the path of a file that archspec.save wrote") from None
    except SafetensorError as error:
        message = f"{path} is no safetensors file, or not the whole of one: {error}"
        raise ArchspecError("not-a-model", message, hint="give a file that archspec.save wrote") from None
    if _digest(tensors, metadata) != metadata.get(HASH):
        message = f"{path} is damaged: its weights or its metadata are not those that were written"
        raise ArchspecError("model-damaged", message, hint="take a copy of the file that is whole")
    return tensors, metadata


def _check_format(path: str | Path, metadata: Mapping[str, str]) -> None:
    """Raise ArchspecError unless archspec wrote the file, in the format that is read here."""
    if VERSION not in metadata:
        message = f"{path} has no spec in it: it holds tensors, and was not written by archspec.save"
        hint = "archspec.load_weights puts bare tensors, read by safetensors.torch.load_file, into a network"
        raise ArchspecError("not-a-model", message, hint=hint)
    if metadata[VERSION] != FORMAT:
        message = f"{path} is of format {metadata[VERSION]!r}, and this is archspec {__version__}, which reads {FORMAT}"
        hint = f"it was written by archspec {metadata.get('archspec', '(unknown)')}: install that or a later one"
        raise ArchspecError("model-format", message, hint=hint)


def _digest(tensors: State, metadata: Mapping[str, str]) -> str:
    """SHA-256 over the metadata, and over names, dtypes, shapes and bytes of tensors on the CPU."""
    named = sorted(tensors.items())
    described = [[name, str(tensor.dtype), list(tensor.shape)] for name, tensor in named]
    texts = sorted((key, value) for key, value in metadata.items() if key != HASH)
    found = hashlib.sha256(json.dumps([texts, described]).encode())
    for _, tensor in named:
        found.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return found.hexdigest()


def _check_fit(network: Network, state: State, what: str) -> None:
    """Raise ArchspecError with every tensor that the network of a spec lacks, or has otherwise."""
    wanted: dict[str, Tensor] = network.state_dict()
    found = []
    for name in dict.fromkeys((*wanted, *state)):
        if name not in state or name not in wanted:
            found.append(f"{name} is missing" if name in wanted else f"no layer has {name}")
        elif state[name].shape != wanted[name].shape:
            found.append(f"{name} is {sizes(state[name].shape)}, in the spec {sizes(wanted[name].shape)}")
        elif state[name].is_floating_point() != wanted[name].is_floating_point():
            found.append(f"{name} is {state[name].dtype}, in the spec {wanted[name].dtype}")
    if found:
        hint = "archspec.load_weights takes tensors of other names"
        raise ArchspecError.of(Diagnostic("model-misfit", f"{what}: {each}", hint=hint) for each in found)


def _failed(code: str, verb: str, path: object, error: Exception, hint: str) -> ArchspecError:
    reason = getattr(error, "strerror", None) or error
    return ArchspecError(code, f"cannot {verb} {path}: {reason}", hint=hint)
