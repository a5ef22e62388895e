"""The document: its keys, every form of input, variables, variants, defaults, outputs, tensors."""

from __future__ import annotations

import pytest

import archspec
from archspec.document import Document
from tests.language.spellings import agree, facts, layers, refused, spec, whole


def test_the_keys() -> None:
    keys = "name description source input vars variants defaults blocks layers outputs training_outputs tensors expect"
    assert list(Document.model_fields) == keys.split()
    assert refused("outptus: a\nlayers: RELU as a") == ("unknown-key", "outptus")


def test_texts_say_what_the_network_is() -> None:
    found = spec("name: a net\ndescription: |-\n  Two\n  lines.\nsource: https://example.org\nlayers: RELU").document
    assert (found.name, found.description, found.source) == ("a net", "Two\nlines.", "https://example.org")


def test_a_source_for_each_variant() -> None:
    found = spec("source: {a: one, b: two}\nvariants: {a: {}, b: {}}\nlayers: RELU").document
    assert found.source == {"a": "one", "b": "two"}


# -- inputs ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "shapes"),
    [
        ("28x28x1", ["28 x 28 x 1"]),
        ("784", ["784"]),
        ("100x80", ["100 x 80"]),
        ("16x32x48x3", ["16 x 32 x 48 x 3"]),
        ("1024 ids", ["1024 ids"]),
        ("(r)x(2*r)x3", ["5 x 10 x 3"]),
        ("(r*r)", ["25"]),
        ("(r) ids", ["5 ids"]),
        ("(r/2*4)x1", ["10 x 1"]),
        ("{height: 480, width: 640, channels: 3}", ["480 x 640 x 3"]),
        ("{channels: 3, width: 640, height: 480}", ["480 x 640 x 3"]),
        ("{channels: 3, width: 2*r, height: r}", ["5 x 10 x 3"]),
        ("{channels: 80, length: 100}", ["100 x 80"]),
        ("{channels: 3, time: 16, height: 32, width: 48}", ["16 x 32 x 48 x 3"]),
        ("{channels: 784}", ["784"]),
        ("{image: 28x28x1}", ["28 x 28 x 1"]),
        ("{image: 28x28x1, words: 20 ids, both: {length: r, channels: 2}}", ["28 x 28 x 1", "20 ids", "5 x 2"]),
    ],
)
def test_inputs(written: str, shapes: list[str]) -> None:
    found = spec(f"input: {written}\nvars: {{r: 5}}\nlayers: IDENTITY")
    assert [str(node.shape) for node in found] == shapes


@pytest.mark.parametrize(
    ("written", "code", "word"),
    [
        ("28x28x0", "input", "0"),
        ("(r/2)x3", "input", "r/2"),
        ("2x2x2x2x3", "input", "2x2x2x2x3"),
        ("28x28 ids", "input", "28x28 ids"),
        ("28x28x1 pixels", "input", "pixels"),
        ("28 x 28 x 1", "input", "x"),
        ("{height: 480, channels: 3}", "input", "{height: 480, channels: 3}"),
        ("{C: 3x3x1}", "reserved-name", "C"),
        ("{}", "input", "{}"),
    ],
)
def test_inputs_that_are_none(written: str, code: str, word: str) -> None:
    assert refused(f"input: {written}\nvars: {{r: 5}}\nlayers: IDENTITY") == (code, word)


def test_the_first_input_is_where_the_layers_start_and_all_are_points() -> None:
    two = "input: {image: 8x8x3, other: 8x8x5}\n"
    found = facts(two + "layers: [RELU, {concat: [IDENTITY, from other, from image]}]")
    assert found["inputs"] == [[], [], [0], [2, 1, 0]]
    assert found["shapes"] == ["8 x 8 x 3", "8 x 8 x 5", "8 x 8 x 3", "8 x 8 x 11"]


def test_a_single_input_is_called_input() -> None:
    agree("{concat: [RELU, IDENTITY]}", "layers: [RELU, {concat: [IDENTITY, from input]}]")
    assert layers("CONV3-9, CONV1-(input.C)") == "CONV3-9, CONV1-4"


def test_other_shapes_from_python() -> None:
    two = "input: {image: 8x8x3, other: 8x8x5}\nlayers: IDENTITY"
    assert [str(node.shape) for node in spec(two, input="4x4x3")] == ["4 x 4 x 3", "8 x 8 x 5"]
    assert [str(node.shape) for node in spec(two, input={"other": "9 ids"})] == ["8 x 8 x 3", "9 ids"]
    assert refused(two, input={"othre": "4"})[0] == "unknown-input"


# -- variables ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "variables",
    [
        "{F: 6, s: 2, b: no}",
        "{F: 6.0, s: 2, b: false}",
        "{b: False, F: =3*s, s: =1 + 1}",
        "{F: '=max(s, 6)', s: 2, b: =s > 2}",
        "{all: [1, 6, [2]], F: '=all[1]', s: '=all[-1][0]', b: =not s}",
        "{b: =c, c: =F == 5, F: =len(list), list: [=s, 0, 0, 0, 0, 0], s: =5 - 3}",
        "{F: =6 if s == 2 else 1, s: 2, b: =no if s else yes}",
    ],
)
def test_variables_are_values_or_expressions_over_each_other_in_any_order(variables: str) -> None:
    agree("CONV3-6 s2 nobias", f"vars: {variables}\nlayers: CONV3-F s=s bias=b")


@pytest.mark.parametrize(
    ("variables", "code", "word"),
    [
        ("{a: =b, b: =c, c: =a}", "cycle", "=b"),
        ("{a: =a}", "cycle", "=a"),
        ("{a: =unknown}", "unknown-name", "unknown"),
        ("{a: =C}", "unknown-name", "=C"),
        ("{C: 1}", "reserved-name", "C"),
        ("{i: 1}", "reserved-name", "i"),
        ("{last: 1}", "reserved-name", "last"),
        ("{input: 1}", "reserved-name", "input"),
        ("{if: 1}", "reserved-name", "if"),
        ("{share: 1}", "reserved-name", "share"),
        ("{2F: 1}", "name", "2F"),
        ("{a: on}", "unclear-boolean", "on"),
        ("{a: [1, Y]}", "unclear-boolean", "Y"),
    ],
)
def test_variables_that_are_none(variables: str, code: str, word: str) -> None:
    assert refused(f"vars: {variables}\nlayers: RELU") == (code, word)


@pytest.mark.parametrize("letter", "CHWLTN")
def test_sizes_cannot_be_declared(letter: str) -> None:
    assert refused(f"vars: {{{letter}: 1}}\nlayers: RELU") == ("reserved-name", letter)
    assert refused(f"blocks: {{u({letter}): RELU}}\nlayers: u(1)")[0] == "reserved-name"
    assert refused(f"layers: {{each: {{{letter}: [1]}}, layers: RELU}}") == ("reserved-name", letter)
    assert refused(f"layers: {{{letter}: RELU}}") == ("reserved-name", letter)
    assert refused(f"RELU as {letter}") == ("reserved-name", letter)


@pytest.mark.parametrize("word", ["i", "last", "input", "if", "else", "from", "as", "share", "yes", "none", "each"])
def test_words_with_a_meaning_cannot_be_declared(word: str) -> None:
    assert refused(f"layers: RELU as {word}") == ("reserved-name", word)
    assert refused(f"blocks: {{{word}(F): RELU}}\nlayers: RELU") == ("reserved-name", word)


VARIED = """
vars: {F: 6, n: [1, 2], act: RELU}
variants: {wide: {F: 12}, deep: {n: [2, 3], act: LEAKY-0.2}, same: {}}
layers: {each: {n: n}, layers: [CONV3-F x(n), act]}
"""


def test_variants_override_variables() -> None:
    flat = "CONV3-6, RELU, CONV3-6 x2, RELU"
    agree(flat, VARIED)
    agree(flat, VARIED, variant="same")
    agree(flat.replace("6", "12"), VARIED, variant="wide")
    agree("CONV3-6 x2, LEAKY-0.2, CONV3-6 x3, LEAKY-0.2", VARIED, variant="deep")
    assert refused(VARIED, variant="wid") == ("unknown-variant", None)
    assert refused("vars: {F: 6}\nvariants: {wide: {G: 12}}\nlayers: CONV3-F") == ("unknown-variable", "G")


def test_python_overrides_both() -> None:
    flat = "CONV3-6, RELU, CONV3-6 x2, RELU"
    agree(flat, VARIED, variant="deep", n=[1, 2], act="RELU")
    agree("CONV3-9, RELU", VARIED, variant="wide", F=9, n=[1])
    agree("CONV3-8, LEAKY-0.3", VARIED, F="=2 ** 3", n=(1,), act="LEAKY-0.3")
    agree("CONV3-6 nobias", "vars: {b: yes, s: 2}\nlayers: CONV3-6 bias=b s=s", b=False, s=None)
    assert refused(VARIED, G=1) == ("unknown-variable", None)
    assert refused(VARIED, F=object()) == ("not-a-value", None)


# -- defaults ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "defaults",
    [
        "CONV nobias, BN eps=0.001",
        "[CONV nobias, BN eps=0.001]",
        "CONV bias=no, BN eps=e",
        "BN eps=0.001, CONV bias=(1 > 2) d=none",
        "BN eps=0.001, CONV nobias, CONV pad=zeros",
    ],
)
def test_defaults_hold_where_an_item_says_nothing(defaults: str) -> None:
    agree(
        "CONV3-6 nobias, BN eps=0.001, CONV1-2, BN eps=0.1, BN eps=0.001",
        f"vars: {{e: 0.001}}\ndefaults: {defaults}\nlayers: CONV3-6, BN, CONV1-2 bias, BN eps=0.1, BN eps=none",
    )


def test_defaults_see_the_variables_alone() -> None:
    text = "vars: {e: 0.1}\ndefaults: BN eps=e\nblocks: {u(e): [BN, CONV1-e]}\nlayers: u(4)"
    agree("BN eps=0.1, CONV1-4", text)


@pytest.mark.parametrize(
    ("defaults", "code", "word"),
    [
        ("CONVV nobias", "unknown-layer", "CONVV"),
        ("CONV nobais", "unknown-option", "nobais"),
        ("BN eps=epsilon", "unknown-name", "epsilon"),
        ("CONV3 nobias", "unknown-layer", "CONV3"),
        ("CONV-3 nobias", "defaults", "CONV-3 nobias"),
        ("CONV nobias x2", "defaults", "CONV nobias x2"),
    ],
)
def test_defaults_that_are_none(defaults: str, code: str, word: str) -> None:
    assert refused(f"defaults: {defaults}\nlayers: RELU") == (code, word)


# -- outputs -----------------------------------------------------------------------------------------------------------

HEADS = "layers: [CONV3-4 as body, CONV1-2 as aux, from body, CONV1-3 as head]\n"


@pytest.mark.parametrize(
    ("outputs", "names"),
    [
        ("", ["output"]),
        ("outputs: head", ["head"]),
        ("outputs: [head, aux]", ["head", "aux"]),
        ("outputs: head, aux", ["head", "aux"]),
        ("outputs: [head, aux if big]", ["head", "aux"]),
        ("outputs: [head, aux if not big]", ["head"]),
        ("outputs: aux if not big, head if big", ["head"]),
        ("outputs: [head if C == 3, aux if C == 2]", ["head"]),
    ],
)
def test_outputs(outputs: str, names: list[str]) -> None:
    assert list(spec(f"vars: {{big: yes}}\n{HEADS}{outputs}").layers.outputs) == names


def test_what_only_training_needs_is_counted_apart() -> None:
    shared, aux, head = 9 * 4 * 4 + 4, 4 * 2 + 2, 4 * 3 + 3

    def counts(outputs: str) -> tuple[int, int, int, int]:
        found = spec(f"vars: {{big: yes}}\n{HEADS}{outputs}").analyze()
        extra = found.training_only
        return found.totals.parameters, extra.parameters, found.totals.macs, extra.macs

    assert counts("training_outputs: aux") == (shared + head, aux, 64 * (144 + 12), 64 * 8)
    assert counts("training_outputs: [aux if big]") == (shared + head, aux, 64 * (144 + 12), 64 * 8)
    assert counts("training_outputs: aux if not big") == (shared + head, 0, 64 * (144 + 12), 0)
    assert counts("outputs: [head, aux]\ntraining_outputs: aux") == (shared + head + aux, 0, 64 * (144 + 20), 0)


def test_outputs_that_are_none() -> None:
    assert refused(HEADS + "outputs: haed") == ("unknown-point", "haed")
    assert refused(HEADS + "outputs: head if big") == ("unknown-name", "big")
    assert refused(HEADS + "outputs: head if C == 3 else aux")[0] == "outputs"


# -- tensors -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("layer", "tensor"),
    [
        ("CMEAN, CONV2-1 p0 w=t", "[[1, 0], [0, 1]]"),
        ("CONV1-1 w=t", "[1, 2, 3, 4]"),
        ("CONV1-1 w=t", "[[[[1]], [[2]], [[3]], [[4]]]]"),
        ("CONV1-1 w=t", "[[1, 2, 3, 4]]"),
        ("CONV1x3-1 g1 w=t", "[[1, 2, 3], [1, 2, 3], [1, 2, 3], [1, 2, 3]]"),
        ("CONV1x3-4 g4 w=t", "[[1, 2, 3], [1, 2, 3], [1, 2, 3], [1, 2, 3]]"),
        ("CONV3-2 b=t", "[-1.5, 1e-3]"),
        ("BN w=t", "[1, 2, 3, 4]"),
        ("BN b=t", "[1, 2, 3, 4]"),
        ("GAP, FC-2 w=t", "[[1, 2, 3, 4], [1, 2, 3, 4]]"),
        ("LINEAR-1 w=t", "[1, 2, 3, 4]"),
        ("PRELU w=t", "[1, 2, 3, 4]"),
    ],
)
def test_tensors_stand_as_torch_stores_them_and_unit_axes_may_be_left_out(layer: str, tensor: str) -> None:
    assert layers(f"tensors: {{t: {tensor}}}\nlayers: {layer}") == layer.replace(" g1", "")


@pytest.mark.parametrize(
    ("layer", "code", "word"),
    [
        ("CONV1-2 w=t", "tensor-shape", "w=t"),
        ("CONV1-1 w=u", "unknown-tensor", "u"),
        ("CONV1-4 nobias b=t", "tensor-shape", "b=t"),
        ("RELU w=t", "unknown-option", "w=t"),
    ],
)
def test_tensors_that_do_not_fit(layer: str, code: str, word: str) -> None:
    assert refused(f"tensors: {{t: [1, 2, 3, 4]}}\nlayers: {layer}") == (code, word)


def test_the_name_of_a_tensor_may_be_in_a_variable_or_argument() -> None:
    text = "tensors: {t: [1, 2, 3, 4]}\nvars: {kernel: t}\nblocks: {u(k): CONV1-1 w=k}\n"
    agree(*(text + f"layers: {item}" for item in ("CONV1-1 w=t", "CONV1-1 w=kernel", "u('t')", "u(kernel)", "u k='t'")))


def test_a_tensor_called_like_an_input_is_its_value_in_the_order_of_shapes() -> None:
    two = "input: {a: 2x3x1, b: 2}\nlayers: IDENTITY\n"
    assert spec(two + "tensors: {a: [[1, 2, 3], [4, 5, 6]], b: [1, 2]}").document.tensors["a"].shape == (2, 3)
    assert spec("input: 2x3x1\ntensors: {input: [[[1], [2], [3]], [[4], [5], [6]]]}\nlayers: RELU")
    assert refused(two + "tensors: {a: [[1, 2], [3, 4], [5, 6]]}")[0] == "tensor-shape"
    assert refused(two + "tensors: {a: [[1, 2, 3], [4, 5]]}")[0] == "ragged-tensor"
    assert refused(two + "tensors: {b: [1, yes]}") == ("not-a-number", "yes")


def test_errors_in_several_keys_are_told_at_once() -> None:
    text = whole("input: 8x8\ndefaults: RELU-3\nvars: {i: 1}\nlayers: [CONV, RELUU]")
    with pytest.raises(archspec.ArchspecError) as caught:
        archspec.parse(text)
    assert [one.code for one in caught.value.diagnostics] == ["defaults", "reserved-name"]
