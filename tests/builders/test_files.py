"""Networks in files: what comes back is what was saved, and a file that is not whole says so."""

from __future__ import annotations

import json
import os
import pickle
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

import archspec
from archspec.layers import Elementwise, Family, registry
from builders import files
from builders.modules.dispatch import module
from tests.command import environment

SPECS = {
    "plain": "{name: a, input: 8x8x3, layers: [CONV3-4, BN, RELU, GAP, FLATTEN, DROPOUT-0.5, FC-2]}",
    "shared": "{name: a, input: 8x8x3, layers: [CONV3-3 share w, RELU, CONV3-3 d2 share w, BN]}",
    "two inputs": "{name: a, input: {one: 8x8x3, two: 8x8x1}, layers: {concat: [IDENTITY, [from two, CONV3-2]]}}",
    "training outputs": "{name: a, input: 8x8x3, layers: [CONV3-4 as end, from end, BN, GAP as aux, from end, GAP],"
    " training_outputs: aux}",
    "no weights": "{name: a, input: 8x8x3, layers: RELU}",
}


def outputs(model: nn.Module, *inputs: Tensor) -> list[Tensor]:
    result = model(*inputs)
    return [value for value in result.values() if value is not None] if isinstance(result, dict) else [result]


def inputs(spec: archspec.Spec, dtype: torch.dtype) -> list[Tensor]:
    torch.manual_seed(1)
    shapes = [node.shape for node in spec.layers.inputs.values()]
    return [torch.randn(2, shape.sizes[-1], *shape.spatial, dtype=dtype) for shape in shapes]


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "model.safetensors"
    archspec.save(archspec.build(archspec.parse(SPECS["plain"])), path)
    return path


# -- round trips -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
@pytest.mark.parametrize("text", SPECS.values(), ids=SPECS)
def test_what_comes_back_is_what_was_saved(text: str, dtype: torch.dtype, tmp_path: Path) -> None:
    spec = archspec.parse(text, "net.yaml")
    model = archspec.build(spec).to(dtype).eval()
    archspec.save(model, tmp_path / "a")
    loaded = archspec.load_model(tmp_path / "a")
    assert (loaded.source.text, loaded.source.name, loaded.training) == (text, "net.yaml", False)
    assert list(loaded.state_dict()) == list(model.state_dict())
    assert {name: tensor.dtype for name, tensor in loaded.state_dict().items()} == {
        name: tensor.dtype for name, tensor in model.state_dict().items()
    }
    for mode in (False, True):
        for dropout in (part for each in (model, loaded) for part in each.modules() if isinstance(part, nn.Dropout)):
            dropout.p = 0
        got = outputs(loaded.train(mode), *inputs(spec, dtype))
        want = outputs(model.train(mode), *inputs(spec, dtype))
        assert len(got) == len(want)
        assert all(map(torch.equal, got, want))
    assert all(parameter.requires_grad for parameter in loaded.parameters())


@pytest.mark.parametrize("name", ["resnet18", "unet"])
def test_a_bundled_network_comes_back(name: str, tmp_path: Path) -> None:
    model = archspec.build(name)
    archspec.save(model, tmp_path / "a")
    loaded = archspec.load_model(tmp_path / "a")
    assert loaded.choices.to_dict() == model.choices.to_dict()
    assert (loaded.code, loaded.training) == (model.code, True)
    assert all(map(torch.equal, loaded.state_dict().values(), model.state_dict().values()))
    archspec.save(loaded, tmp_path / "b")
    assert contents(tmp_path / "b")[1] == contents(tmp_path / "a")[1]  # the hash is one of them


def test_what_was_chosen_is_chosen_again(tmp_path: Path) -> None:
    text = "{name: a, vars: {F: 4, act: RELU}, variants: {b: {F: 5}}, input: 8x8x3, layers: [CONV3-F, act]}"
    model = archspec.build(archspec.parse(text, variant="b", input="9x9x2", act="TANH"))
    archspec.save(model, tmp_path / "a")
    loaded = archspec.load_model(tmp_path / "a")
    x = torch.randn(1, 2, 9, 9)
    assert torch.equal(loaded(x), model(x))
    assert loaded.choices.variant == "b"


def test_a_shared_tensor_is_stored_once_and_shared_again(tmp_path: Path) -> None:
    model = archspec.build(archspec.parse(SPECS["shared"]))
    archspec.save(model, tmp_path / "a")
    stored = load_file(tmp_path / "a")
    assert len(stored) == 2 + 5
    assert len(model.state_dict()) == 4 + 5
    loaded = archspec.load_model(tmp_path / "a")
    assert len(list(loaded.parameters())) == 2 + 2
    assert loaded.get_parameter("conv1.weight") is loaded.get_parameter("conv2.weight")


def test_weights_that_a_user_shares_are_shared_again(tmp_path: Path) -> None:
    model = archspec.build(archspec.parse("{name: a, input: 8x8x3, layers: [CONV3-3, RELU, CONV3-3]}"))
    model.get_submodule("conv2").weight = model.get_parameter("conv1.weight")
    archspec.save(model, tmp_path / "a")
    loaded = archspec.load_model(tmp_path / "a")
    assert loaded.get_parameter("conv2.weight") is loaded.get_parameter("conv1.weight")


@pytest.mark.parametrize(
    "change", [lambda m: m.to(memory_format=torch.channels_last), lambda m: m.requires_grad_(False)]
)
def test_however_tensors_lie_in_memory_their_numbers_come_back(change: Callable[[Any], Any], tmp_path: Path) -> None:
    model = archspec.build(archspec.parse(SPECS["plain"]))
    archspec.save(change(model), tmp_path / "a")
    loaded = archspec.load_model(tmp_path / "a")
    assert all(torch.equal(tensor, model.state_dict()[name]) for name, tensor in loaded.state_dict().items())


def test_views_of_one_buffer_are_stored_apart(tmp_path: Path) -> None:
    model = archspec.build(archspec.parse(SPECS["plain"]))
    flat = torch.cat([parameter.detach().flatten() for parameter in model.parameters()])
    place = 0
    for parameter in model.parameters():
        parameter.data = flat[place : place + parameter.numel()].view(parameter.shape)
        place += parameter.numel()
    archspec.save(model, tmp_path / "a")
    loaded = archspec.load_model(tmp_path / "a")
    assert all(map(torch.equal, loaded.parameters(), model.parameters()))


def test_the_file_may_change_after_loading(saved: Path) -> None:
    loaded = archspec.load_model(saved)
    before = {name: tensor.clone() for name, tensor in loaded.state_dict().items()}
    size = saved.stat().st_size
    with saved.open("r+b") as file:
        file.write(b"\0" * size)
    assert all(torch.equal(tensor, before[name]) for name, tensor in loaded.state_dict().items())


def test_on_meta_it_gives_shapes_alone(saved: Path) -> None:
    loaded = archspec.load_model(saved, device="meta")
    assert {parameter.device.type for parameter in loaded.parameters()} == {"meta"}
    with pytest.raises(archspec.ArchspecError) as caught:
        archspec.load_model(saved, device="nowhere")
    assert caught.value.code == "device"


class Ramp(Elementwise):
    """Multiplies by numbers of its own, which no file holds."""

    template = "RAMP"
    family = Family.ACTIVATION


class RampModule(nn.Module):
    """The numbers as a buffer that is not saved, and as a plain attribute."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("steps", torch.arange(8.0), persistent=False)
        self.offset = torch.ones(8)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, 8) to the same."""
        return x * self.get_buffer("steps") + self.offset


@pytest.fixture
def ramp() -> Iterator[None]:
    registry["RAMP"] = Ramp
    module.register(Ramp, lambda layer, shape: RampModule())  # noqa: ARG005
    yield
    del registry["RAMP"]


@pytest.mark.usefixtures("ramp")
def test_tensors_that_no_file_holds_are_made_anew(tmp_path: Path) -> None:
    model = archspec.build(archspec.parse("{name: a, input: 8x8x3, layers: [CONV3-3, RAMP]}"))
    archspec.save(model, tmp_path / "a")
    assert all("ramp" not in name for name in load_file(tmp_path / "a"))
    x = torch.randn(2, 3, 8, 8)
    assert torch.equal(archspec.load_model(tmp_path / "a")(x), model(x))


# -- what cannot be saved ----------------------------------------------------------------------------------------------


def failure(call: Callable[..., object], *arguments: Any) -> archspec.ArchspecError:
    with pytest.raises(archspec.ArchspecError) as caught:
        call(*arguments)
    return caught.value


def test_what_is_no_network_is_not_saved(tmp_path: Path) -> None:
    error = failure(archspec.save, nn.Linear(2, 3), tmp_path / "a")
    assert error.code == "not-a-network"
    assert str(error).startswith(
        "error[not-a-network]: this takes a network that archspec.build made, and here is Linear"
    )
    part = archspec.build(archspec.parse(SPECS["training outputs"])).get_submodule("training_only.network")
    assert failure(archspec.save, part, tmp_path / "a").code == "not-a-network"
    assert os.listdir(tmp_path) == []


def test_a_network_on_meta_has_nothing_to_save(tmp_path: Path) -> None:
    model = archspec.build("tutorial/cnn", device="meta")
    assert failure(archspec.save, model, tmp_path / "a").code == "on-meta"


def test_a_network_that_left_its_spec_is_not_saved(tmp_path: Path) -> None:
    model = archspec.build(archspec.parse(SPECS["plain"]))
    model.fc1, model.more = nn.Linear(4, 7), nn.Linear(1, 1)
    model.get_submodule("bn1").running_mean = torch.zeros(4, dtype=torch.int64)
    error = failure(archspec.save, model, tmp_path / "a")
    assert {found.code for found in error.diagnostics} == {"model-misfit"}
    assert [found.message.removeprefix("the network has left its spec: ") for found in error.diagnostics] == [
        "bn1.running_mean is torch.int64, in the spec torch.float32",
        "fc1.weight is 7 x 4, in the spec 2 x 4",
        "fc1.bias is 7, in the spec 2",
        "no layer has more.weight",
        "no layer has more.bias",
    ]
    model.get_submodule("conv1").register_parameter("bias", None)
    assert "conv1.bias is missing" in str(failure(archspec.save, model, tmp_path / "a"))


@pytest.mark.parametrize("where", ["missing/out", "file/out", ".", "\0", "pipe"])
def test_an_unwritable_place_is_named(where: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    os.mkfifo(tmp_path / "pipe")
    error = failure(archspec.save, archspec.build("tutorial/cnn"), tmp_path / where)
    assert error.code == "unwritable"
    assert str(error).startswith(f"error[unwritable]: cannot write {tmp_path}")
    assert sorted(os.listdir(tmp_path)) == ["file", "pipe"]


# -- an old file survives ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("target", ["builders.files.save_file", "os.replace"])
def test_on_a_full_disk_the_old_file_stays(target: str, saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    old = saved.read_bytes()
    monkeypatch.setattr(target, full)
    error = failure(archspec.save, archspec.build("tutorial/cnn"), saved)
    assert (error.code, str(error).split("\n")[0].rsplit(": ", 1)[1]) == ("unwritable", "No space left on device")
    assert saved.read_bytes() == old
    assert os.listdir(saved.parent) == [saved.name]


def test_a_limit_that_the_writer_meets_is_reported(saved: Path) -> None:
    code = (
        "import resource, signal, archspec\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "model = archspec.build('tutorial/cnn')\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4000, 4000))\n"
        f"try: archspec.save(model, {str(saved)!r})\n"
        "except archspec.ArchspecError as error: print(error.code)"
    )
    old = saved.read_bytes()
    run = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True, text=True, check=False)
    assert (run.stdout, saved.read_bytes() == old) == ("unwritable\n", True)
    assert os.listdir(saved.parent) == [saved.name]


@pytest.mark.parametrize("when", ["half of it is written", "all of it is written"])
def test_a_kill_in_the_middle_leaves_the_old_file(when: str, saved: Path) -> None:
    """The process kills itself, so that it dies in the same place every time."""
    write = "write(tensors, draft, metadata); path = pathlib.Path(draft)"
    half = "path.write_bytes(path.read_bytes()[:path.stat().st_size // 2])" if when.startswith("half") else "pass"
    code = (
        "import os, pathlib, signal, archspec\n"
        "from builders import files\n"
        "write = files.save_file\n"
        f"def fatal(tensors, draft, metadata): {write}; {half}; os.kill(os.getpid(), signal.SIGKILL)\n"
        "files.save_file = fatal\n"
        f"archspec.save(archspec.build('tutorial/cnn'), {str(saved)!r})"
    )
    old = saved.read_bytes()
    run = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True, check=False)
    assert run.returncode == -signal.SIGKILL
    assert len(os.listdir(saved.parent)) == 2  # the draft is left
    assert saved.read_bytes() == old
    assert archspec.load_model(saved).source.text == SPECS["plain"]


def test_a_file_that_is_replaced_keeps_its_permissions_and_its_links(saved: Path) -> None:
    link = saved.parent / "link"
    link.symlink_to(saved)
    saved.chmod(0o640)
    archspec.save(archspec.build("tutorial/cnn"), link)
    assert link.is_symlink()
    assert stat.S_IMODE(saved.stat().st_mode) == 0o640
    assert archspec.load_model(saved).source.name.endswith("cnn.yaml")


# -- files that are not whole ------------------------------------------------------------------------------------------


def contents(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    with safe_open(path, "pt") as file:
        return load_file(path), dict(file.metadata())


def rewritten(path: Path, tensors: dict[str, Tensor], metadata: dict[str, str], honest: bool = True) -> None:
    """Write the parts of a file anew, with the hash that belongs to them, or the old one."""
    if honest:
        metadata["sha256"] = files._digest(tensors, metadata)
    save_file(tensors, path, metadata)


def test_every_part_of_a_cut_file_is_refused(saved: Path) -> None:
    whole = saved.read_bytes()
    for length in [*range(0, 16), *range(16, len(whole), 97), len(whole) - 1]:
        saved.write_bytes(whole[:length])
        assert failure(archspec.load_model, saved).code == "not-a-model", length


def test_every_byte_counts(saved: Path) -> None:
    """A flipped bit anywhere is noticed, in the header, the spec or the weights."""
    whole = saved.read_bytes()
    codes = set()
    for place in range(0, len(whole), 41):
        saved.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        codes.add(failure(archspec.load_model, saved).code)
    assert codes - {"model-format"} == {"not-a-model", "model-damaged"}


@pytest.mark.parametrize("key", ["spec", "name", "choices", "dtype", "training", "shared", "archspec", "sha256"])
def test_changed_metadata_are_noticed(key: str, saved: Path) -> None:
    tensors, metadata = contents(saved)
    rewritten(saved, tensors, metadata | {key: metadata[key] + " "}, honest=False)
    error = failure(archspec.load_model, saved)
    assert error.code == "model-damaged"
    assert str(error).startswith(f"error[model-damaged]: {saved} is damaged: its weights or its metadata are not those")


@pytest.mark.parametrize("change", ["number", "name", "dtype", "shape"])
def test_changed_weights_are_noticed(change: str, saved: Path) -> None:
    tensors, metadata = contents(saved)
    weight = tensors.pop("fc1.weight")
    changed = {"dtype": weight.view(torch.int32), "shape": weight.reshape(4, 2), "number": weight + 1}
    tensors["fc2.weight" if change == "name" else "fc1.weight"] = changed.get(change, weight)
    rewritten(saved, tensors, metadata, honest=False)
    assert failure(archspec.load_model, saved).code == "model-damaged"


@pytest.mark.parametrize("text", [b"", b"{}", b"not a model, but a text of some length" * 9, pickle.dumps({"a": 1})])
def test_other_files_are_refused(text: bytes, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(text)
    assert failure(archspec.load_model, tmp_path / "a").code == "not-a-model"


def test_a_pickle_is_not_opened(tmp_path: Path) -> None:
    torch.save(archspec.build("tutorial/cnn").state_dict(), tmp_path / "a")
    assert failure(archspec.load_model, tmp_path / "a").code == "not-a-model"


def test_bare_tensors_are_pointed_to_load_weights(tmp_path: Path) -> None:
    save_file({"a": torch.zeros(3)}, tmp_path / "a")
    error = failure(archspec.load_model, tmp_path / "a")
    assert (error.code, "load_weights" in str(error.hint)) == ("not-a-model", True)


def test_a_format_to_come_is_named(saved: Path) -> None:
    tensors, metadata = contents(saved)
    rewritten(saved, tensors, metadata | {"archspec_format": "2", "archspec": "9.0"})
    error = failure(archspec.load_model, saved)
    assert error.code == "model-format"
    assert str(error).split("\n")[1] == "  help: it was written by archspec 9.0: install that or a later one"


JUNK = {
    "no choices": {"choices": "}"},
    "other choices": {"choices": "[1]"},
    "endless limit": {"choices": json.dumps({"variant": None, "variables": [], "inputs": [], "limit": 1e999})},
    "deep choices": {"choices": "[" * 100_000},
    "shared with nothing": {"shared": '{"a": "b"}'},
    "shared with a list": {"shared": '{"a": []}'},
    "shared as a list": {"shared": "[]"},
    "training as text": {"training": "maybe"},
}


@pytest.mark.parametrize("junk", JUNK.values(), ids=JUNK)
def test_metadata_that_mean_nothing_are_refused_also_where_the_hash_is_right(junk: dict[str, str], saved: Path) -> None:
    tensors, metadata = contents(saved)
    rewritten(saved, tensors, metadata | junk)
    error = failure(archspec.load_model, saved)
    assert error.code == "model-damaged"
    assert str(error).startswith(f"error[model-damaged]: the metadata of {saved} is not what archspec.save writes: ")


def test_metadata_that_are_missing_are_refused(saved: Path) -> None:
    tensors, metadata = contents(saved)
    for key in ("spec", "name", "choices", "dtype", "training", "shared"):
        rewritten(saved, tensors, {name: value for name, value in metadata.items() if name != key})
        assert failure(archspec.load_model, saved).code == "model-damaged"


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"spec": "{name: a, input: 8x8x3, layers: CONVV3-4}"}, "unknown-layer"),
        ({"spec": "- RELU"}, "not-a-spec"),
        ({"dtype": "float7"}, "unknown-dtype"),
        ({"choices": json.dumps({"variant": ["b"], "variables": [], "inputs": [], "limit": 9})}, "unknown-variant"),
        ({"spec": SPECS["plain"].replace("FC-2", "FC-3")}, "model-misfit"),
        ({"spec": SPECS["no weights"]}, "model-misfit"),
    ],
)
def test_a_spec_that_cannot_be_built_says_why(changed: dict[str, str], code: str, saved: Path) -> None:
    tensors, metadata = contents(saved)
    rewritten(saved, tensors, metadata | changed)
    assert failure(archspec.load_model, saved).code == code


def test_an_unreadable_file_is_named(tmp_path: Path) -> None:
    for path in (tmp_path / "missing", tmp_path, tmp_path / "\0", 3):
        error = failure(archspec.load_model, path)
        assert (error.code, str(error).startswith(f"error[unreadable]: cannot read {path}"[:30])) == (
            "unreadable",
            True,
        )
