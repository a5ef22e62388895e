"""What hypothesis draws: layers of every kind, networks of all constructs, and text that is nearly a spec."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import count
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy
from pydantic.fields import FieldInfo

from archspec.layers import Layer, Takes, registry
from archspec.layers.geometry import PerAxis
from tests.oracles import Size
from tests.structures import (
    Above,
    Block,
    Body,
    Call,
    Choice,
    Each,
    Item,
    Merge,
    Part,
    Repeat,
    Shared,
    Skip,
    Stages,
    Tree,
)


def words(text: str) -> list[str]:
    return text.split()


# -- layers ------------------------------------------------------------------------------------------------------------


def layers(kind: type[Layer], most: int = 4, tensors: bool = False) -> SearchStrategy[Layer]:
    """Layers of one kind with any values that its fields allow; sizes up to `most` above their least."""
    fields = {name: _values(info.annotation, info.metadata, most) for name, info in kind.model_fields.items()}
    takes = {option.field: option.takes for option in kind.notation.options.values()}
    needed = {name for name, info in kind.model_fields.items() if info.is_required()}
    optional = {n for n in fields if n not in needed and (tensors or takes.get(n) is not Takes.TENSOR)}
    chosen = st.fixed_dictionaries(
        {name: fields[name] for name in fields if name in needed},
        optional={name: fields[name] for name in fields if name in optional},
    )
    return chosen.map(lambda values: kind(**values))


def _values(annotation: Any, metadata: Any, most: int) -> SearchStrategy[Any]:
    """What a field of this type may hold."""
    limits = [limit for mark in metadata for limit in (mark.metadata if isinstance(mark, FieldInfo) else [mark])]
    axes = next((mark for mark in limits if isinstance(mark, PerAxis)), None)
    if axes is not None:
        return _dims(axes, most)
    if get_origin(annotation) is Annotated:
        inner, *marks = get_args(annotation)
        return _values(inner, [*limits, *marks], most)
    if get_origin(annotation) in (Union, UnionType):
        return st.one_of([_values(part, (), most) for part in get_args(annotation)])
    if get_origin(annotation) is Literal:
        return st.sampled_from(get_args(annotation))
    least = next((mark.ge for mark in limits if hasattr(mark, "ge")), None)
    top = next((mark.le for mark in limits if hasattr(mark, "le")), None)
    plain: dict[Any, SearchStrategy[Any]] = {
        NoneType: st.none(),
        bool: st.booleans(),
        str: st.just("image"),  # the one point, or tensor, that is always there
        int: st.integers(least or 0, (least or 0) + most),
        float: st.floats(least, top, allow_nan=False, allow_infinity=False),
    }
    return plain[annotation]


def _dims(axes: PerAxis, most: int) -> SearchStrategy[Any]:
    number = st.integers(axes.least, axes.least + most)
    side = st.one_of(number, st.tuples(number, number)) if axes.sided else number
    sizes = st.lists(side, min_size=1, max_size=3).map(tuple)
    return st.one_of(sizes, st.sampled_from(axes.words)) if axes.words else sizes


KINDS = st.sampled_from(sorted(registry)).map(lambda name: registry[name])
SIZES: SearchStrategy[Size] = st.one_of(
    st.tuples(st.lists(st.integers(1, 6), max_size=2).map(tuple), st.sampled_from((1, 2, 3, 4, 6, 8, 9, 12, 16))),
    st.tuples(st.tuples(*[st.integers(1, 4)] * 3), st.integers(1, 4)),
    st.tuples(st.tuples(st.integers(1, 6)), st.none()),
)

# -- networks ----------------------------------------------------------------------------------------------------------

KEEP, SPATIAL, ANY = range(3)  # what a body leaves as it is: the shape, the spatial sizes, nothing
NUMBERS = {"F": ("1", "2", "4", "6"), "k": ("1", "3"), "s": ("1", "2"), "n": ("0", "1", "2", "3")}
ROLES = {"G": "F", "F": "F", "q": "k", "s": "s", "m": "n", "z": "F"}  # what the columns of rows stand for
POINTWISE = words("RELU GELU SOFTMAX LEAKY-0.2 PRELU BN LN RMSNORM SCALE GN-(C) DROPOUT-0.1 {act} IDENTITY")
VECTOR = [
    ["FC-(C)", "FC-(C) nobias", "LINEAR-(C)", *POINTWISE],
    ["FC-<F>", "LINEAR-<F>", "PART-0 of=(C)", "CMEAN", "FC-(min(8, 2*C))"],
    ["FLATTEN", "FC-<F> bias=no"],
]
MAP = [
    [
        *("CONV<k>-(C)", "CONV<k>-(C) g(C) nobias", "CONV3-(C) p=same", "CONV3-(C) d2", "CONV2-(C) p0:1"),
        *("CONV3-(C) pad=replicate", "UPCONV3-(C) s1", "POOL3 s1 p1", "AVGPOOL3 s1 p=same", "LINEAR-(C)"),
        *("IN affine", "LRN n=3", "SHUFFLE-(C)", *POINTWISE),
    ],
    [
        *("CONV<k>-<F>", "CONV3-<F> p1 d1", "CONV1-(min(8, 2*C))", "LINEAR-<F>", "CMEAN", "CMAX", "PART-0 of=(C)"),
        *("CONV3-4 g2 if C % 2 == 0", "CONV4-<F> p=same", "CONV3-<F> p(1):1"),
    ],
    [
        *("CONV<k>-<F> s<s>", "CONV3-<F> s2 p=same", "CONV3-<F> p=valid if min([H, N]) > 2", "CONV2-<F> p1 d2"),
        *("POOL2 ceil=yes", "POOL3 s2 p1", "POOL2 if min([L, N]) > 1", "POOL2 d2 p1 s1", "AVGPOOL to=2", "GAP", "GMP"),
        *("UPCONV2-<F> if N <= 16", "UPCONV3-<F> op=1 if N <= 16", "UPCONV3-<F> s<s> p0 d2 if N <= 16"),
        *("UPSAMPLE-2 if N <= 16", "RESIZE to=3", "RESIZE like=image", "PAD p0:1", "PAD p1", "CROP to=1 if N > 1"),
    ],
]
OF_RANK = {
    1: ["CONV2-<F> causal", "CONV3-<F> causal d2 s<s>", "TRANSPOSE", "CROP to=2 at=1 if L > 2"],
    2: [
        *("CONV1x3-<F> s1x2 p0x1:2", "CONV(<k>)x1-<F>", "POOL1x2 if W > 1", "UPSAMPLE-2 mode=bilinear if N <= 16"),
        *("PIXSHUFFLE-2 if C % 4 == 0 and N < 17", "UNSHUFFLE-2 if H % 2 == 0 and W % 2 == 0"),
    ],
    3: ["CONV1x3x3-<F> s1x2x2", "CONV3x1x1-<F>", "POOL2x1x1 if T > 1"],
}
AXES = {1: {"H": "L"}, 2: {"L": "W"}, 3: {"L": "W"}}
INPUTS = {0: ["1", "5", "6"], 1: ["1x1", "7x2", "8x4"], 2: ["1x1x2", "6x5x3", "7x4x1"], 3: ["2x3x4x2", "3x4x4x1"]}
ENDS = [
    "GAP, FLATTEN, FC-5",
    "FLATTEN, FC-<F>",
    "RESHAPE to=(N)x(C), TRANSPOSE, FLATTEN, FC-2",
    "FLATTEN, RESHAPE to=1x1x(C)",
]


@dataclass(frozen=True)
class Context:
    """What may be written at a place: the rank, the names of numbers by role, the blocks, how deep to go."""

    rank: int
    names: dict[str, tuple[str, ...]]
    blocks: tuple[Block, ...] = ()
    depth: int = 2
    numbers: Iterator[int] = field(default_factory=count)

    def inside(self, **names: str) -> Context:
        """One level deeper, with more names."""
        more = {role: (*known, *([names[role]] if role in names else [])) for role, known in self.names.items()}
        return replace(self, names=more, depth=self.depth - 1)

    def words(self, level: int) -> list[str]:
        table = MAP if self.rank else VECTOR
        words = [word for row in table[: level + 1] for word in row]
        words += OF_RANK.get(self.rank, []) if level == ANY else []
        axes = AXES.get(self.rank, {})
        return [re.sub(r"\b[HL]\b", lambda axis: axes.get(axis[0], axis[0]), word) for word in words]


def number(context: Context, role: str) -> SearchStrategy[str]:
    return st.sampled_from([*NUMBERS[role], *(f"{{{name}}}" for name in context.names[role])])


@st.composite
def items(draw: DrawFn, context: Context, level: int) -> Item:
    """A layer; its numbers are written out or named."""
    text = draw(st.sampled_from(context.words(level)))
    return Item(re.sub(r"<(\w)>", lambda hole: draw(number(context, hole[1])), text))


def bodies(context: Context, level: int, least: int = 1) -> SearchStrategy[Body]:
    return st.lists(parts(context, level), min_size=least, max_size=3).map(tuple)


@st.composite
def parts(draw: DrawFn, context: Context, level: int) -> Part:
    """Any construct; below a certain depth only items."""
    makers = [items, items, repeats, shared]
    makers += [choices, rows, merges, skips, stages] if context.depth else []
    makers += [calls, calls] if any(block.level <= level for block in context.blocks) else []
    maker: Any = draw(st.sampled_from(makers))
    found: Part = draw(maker(context, level))
    return found


@st.composite
def calls(draw: DrawFn, context: Context, level: int) -> Call:
    block = draw(st.sampled_from([block for block in context.blocks if block.level <= level]))
    chosen = [name for name, default in block.parameters.items() if default is None or draw(st.booleans())]
    given = {name: draw(number(context, name)) for name in chosen}
    return Call(block, given, draw(st.booleans()))


@st.composite
def repeats(draw: DrawFn, context: Context, level: int) -> Repeat:
    body: tuple[Item, ...] | Call = draw(st.lists(items(context, level), min_size=1, max_size=2).map(tuple))
    if any(block.level <= level for block in context.blocks) and draw(st.booleans()):
        body = draw(calls(context, level))
    return Repeat(body, draw(number(context, "n")))


@st.composite
def shared(draw: DrawFn, context: Context, level: int) -> Shared:
    item = draw(items(context, level).filter(lambda item: " if " not in item.text))
    return Shared(item, f"tag{draw(st.integers(0, 2))}_{next(context.numbers)}")


@st.composite
def conditions(draw: DrawFn, context: Context) -> Above:
    names = [name for known in context.names.values() for name in known]
    return Above(draw(st.sampled_from(names)), draw(st.integers(0, 4)))


@st.composite
def choices(draw: DrawFn, context: Context, level: int) -> Choice:
    inner = bodies(context.inside(), level)
    return Choice(draw(conditions(context)), draw(inner), draw(st.one_of(st.just(()), inner)))


@st.composite
def rows(draw: DrawFn, context: Context, level: int) -> Each:
    length = draw(st.integers(1, 3))
    columns: dict[str, tuple[int, ...] | str] = {}
    for name in draw(st.sampled_from(["G", "Fq", "sm"])):
        cells = st.lists(st.sampled_from(NUMBERS[ROLES[name]]).map(int), min_size=length, max_size=length).map(tuple)
        columns[name] = draw(cells)
    columns |= {"z": "{b}"} if draw(st.booleans()) else {}
    named = {ROLES[name]: name for name in columns}
    return Each(columns, draw(bodies(context.inside(**named), level)), draw(st.booleans()))


@st.composite
def merges(draw: DrawFn, context: Context, level: int) -> Merge:
    key = draw(st.sampled_from(["add", "mul", "concat"] if level != KEEP else ["add", "mul"]))
    inner = context.inside()
    if key == "mul" and context.rank:
        return Merge(key, (draw(bodies(inner, KEEP)), (Item("GAP, CONV1-(C), SIGMOID"),)))
    within = SPATIAL if key == "concat" else KEEP
    if draw(st.integers(0, 3)) == 0:
        return Merge(key, draw(rows(context, within)))
    branches = draw(st.lists(bodies(inner, within), min_size=1, max_size=3).map(tuple))
    return Merge(key, branches, draw(st.one_of(st.none(), conditions(context))))


@st.composite
def skips(draw: DrawFn, context: Context, level: int) -> Skip:
    label, start = f"p{next(context.numbers)}", draw(items(context, level).filter(lambda item: " if " not in item.text))
    return Skip(label, start, draw(bodies(context.inside(), KEEP)))


@st.composite
def stages(draw: DrawFn, context: Context, level: int) -> Stages:
    number = draw(st.integers(1, 2))
    return Stages({f"part{next(context.numbers)}": draw(bodies(context.inside(), level)) for _ in range(number)})


@st.composite
def trees(draw: DrawFn, *extra: SearchStrategy[Item]) -> Tree:
    """A network; each of `extra` stands in it once."""
    rank = draw(st.sampled_from((1, 2, 2, 3, 0)))
    amounts = st.integers(1, 5)
    variables: dict[str, int | str] = {"a": draw(amounts), "b": draw(amounts), "n": draw(st.integers(0, 3))}
    variables |= {"c": "=b+1", "act": draw(st.sampled_from(["RELU", "BN, GELU", "SILU"]))}
    context = Context(rank, {"F": ("a", "b", "c"), "k": (), "s": (), "n": ("n",)})
    blocks: tuple[Block, ...] = ()
    for name in draw(st.sampled_from([(), ("one",), ("one", "two")])):
        level = draw(st.sampled_from((KEEP, SPATIAL, ANY)))
        inner = replace(context.inside(F="F", k="k", s="s"), blocks=blocks, depth=1)
        parameters = {"F": None, "k": 3, "s": draw(st.integers(1, 2))}
        blocks = (*blocks, Block(name, parameters, draw(bodies(inner, level)), level))
    context = replace(context, blocks=blocks)
    whole = [draw(bodies(context, ANY)) for _ in range(draw(st.integers(1, 2)))]
    for item in extra:
        whole[-1] = (*whole[-1], draw(item))
    end = re.sub("<F>", "{a}", draw(st.sampled_from(ENDS if rank else ["SOFTMAX", "FC-<F>"])))
    whole[-1] = (*whole[-1], *([Item(end)] if draw(st.booleans()) else []))
    named = {f"stage{index}": body for index, body in enumerate(whole)}
    heads = st.lists(st.sampled_from(sorted(named)), min_size=1, max_size=2, unique=True)
    outputs = {key: draw(heads) for key in draw(st.sampled_from([(), ("outputs",), ("outputs", "training_outputs")]))}
    layout = draw(st.sampled_from((False, None, True)))
    return Tree(draw(st.sampled_from(INPUTS[rank])), variables, blocks, (Stages(named),), outputs, layout)


@st.composite
def wild(draw: DrawFn, kind: SearchStrategy[type[Layer]] = KINDS) -> Item:
    """A layer that need not fit where it stands; a kind that joins branches is left to `merges`."""
    layer = draw(kind.filter(lambda kind: not kind.merge_key and not kind.absent).flatmap(layers))
    return Item(str(layer))


NETWORKS: SearchStrategy[str] = st.one_of(trees(), trees(), trees(wild())).map(Tree.structured)

# -- text that is nearly a spec ----------------------------------------------------------------------------------------

TOKENS = words(
    "CONV3-8 CONV POOL2 UPCONV2-4 FC-3 FLATTEN GAP BN RELU DROPOUT-0.5 RESIZE NONE IDENTITY conv( one two a b act "
    "from as share if else x2 x(n) s2 s1x2 p0:1 p=same d(2) g2 g=C to= like=input nobias bias=no eps=1e-6 ( ) , , , "
    "- = : ' \" [ ] { } 3 0 -1 1.5 1e9 C H N (C) (2*C) input input.C yes no none and or not in + * // ** < == min( "
    "max( len( range( sqrt( 'x' \u00e9 \\ # & * ! |"
)
GLUE = st.sampled_from(["", " ", ", "])
JUNK = st.one_of(
    st.lists(st.tuples(st.sampled_from(TOKENS), GLUE), max_size=12).map(lambda words: "".join(map("".join, words))),
    st.text(max_size=12),
)
ATOMS = st.sampled_from(
    words("0 1 2 7 -3 1.5 1e300 C H N a n act F yes none 'it' [] [1,2] input.C input.Z i last CONV")
)


def _compound(inner: SearchStrategy[str]) -> SearchStrategy[str]:
    binary = st.sampled_from([*words("+ - * / // % ** < <= == != in and or"), "not in"])
    call = st.sampled_from(words("min max abs ceil floor round int sum len range sqrt log2 divisible nothing"))
    return st.one_of(
        st.tuples(inner, binary, inner).map(" ".join),
        st.tuples(call, st.lists(inner, max_size=3).map(", ".join)).map(lambda pair: f"{pair[0]}({pair[1]})"),
        st.tuples(inner, inner, inner).map(lambda three: "{} if {} else {}".format(*three)),
        st.tuples(inner, inner).map(lambda pair: f"({pair[0]})[{pair[1]}]"),
        inner.map(lambda one: f"not {one}"),
        inner.map(lambda one: f"(-{one})"),
    )


EXPRESSIONS = st.recursive(ATOMS, _compound, max_leaves=6)


@st.composite
def faulty_items(draw: DrawFn) -> str:
    """An item whose numbers or words are changed."""
    text = draw(wild()).text
    word = st.sampled_from(["0", "(-1)", "1.5", "(C)", "yes", "x", "=", " ", "1x2", "0:1", "", " zz", " s2"])
    at = st.integers(0, len(text))
    for _ in range(draw(st.integers(1, 2))):
        start, end = sorted((draw(at), draw(at)))
        text = text[:start] + draw(word) + text[min(end, start + 2) :]
    return text


@st.composite
def mutated(draw: DrawFn, specs: SearchStrategy[str] = NETWORKS) -> str:
    """A valid spec with characters, lines or words deleted, inserted, doubled or swapped."""
    text = draw(specs)
    for _ in range(draw(st.integers(1, 3))):
        pattern = draw(st.sampled_from([r"(?s:.)", r"[^\n]*\n", r"\w+", r"[^\w\s]"]))
        found = [match.span() for match in re.finditer(pattern, text)]
        if not found:
            continue
        (start, end), (first, last) = sorted((draw(st.sampled_from(found)), draw(st.sampled_from(found))))
        here, there = text[start:end], text[first:last]
        new = draw(st.sampled_from(["", here * 2, there, here + draw(JUNK)]))
        swap = (here if draw(st.booleans()) else there) if first >= end else ""
        text = text[:start] + new + text[end:first] + swap + text[last if first >= end else end :]
    return text
