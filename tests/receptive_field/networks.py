"""Random networks with all that moves, spreads or leaves out positions: YAML text for hypothesis to draw."""

from __future__ import annotations

import yaml
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from tests.structures import Yaml

KEEPING = [  # the spatial sizes stay; {least} is the smallest of them
    *("CONV3-2", "CONV3-2 d2", "CONV5-1", "CONV1-2", "CONV3-2 p0:2", "CONV3-1 p2:0", "CONV2-2 p=same", "CONV4-1 p1:2"),
    *(
        "CONV3-2 d2 p=same",
        "CONV2-2 p1 d2",
        "POOL3 s1 p1",
        "POOL2 s1 p=same",
        "AVGPOOL3 s1 p=same",
        "PAD p1, CONV3-2 p0",
    ),
    *("UPCONV3-2 s1", "UPCONV5-1 s1 p2", "UPCONV2-1 s1 d2 p1", "RELU", "BN", "LN", "LINEAR-2", "GN-(C)", "IN", "CMEAN"),
]
MOVING = [
    *(
        "CONV3-2 s2",
        "CONV1-2 s2",
        "CONV3-2 p0 if {least} > 2",
        "CONV5-2 s3",
        "CONV3-1 s2 d2 p=same",
        "CONV2-2 s2 p=same",
    ),
    *("CONV2-2 p=valid if {least} > 1", "CONV3-2 s2 p0:2", "CONV3-2 p2:1", "CONV3-2 s3 p1", "GAP", "GMP"),
    *("POOL2 ceil=yes", "POOL3 s2 p1 ceil=yes", "POOL3 s2 p1", "POOL2 d2 p1 s1", "POOL3 s2 p=same", "AVGPOOL2 s1 p1"),
    *("AVGPOOL to=3", "POOL to=2", "AVGPOOL to=5", "RESIZE to=3", "RESIZE to=5", "RESIZE to=4", "RESIZE like=image"),
    *("UPSAMPLE-2 if N <= 24", "UPSAMPLE-3 if N <= 8", "UPCONV2-2 if N <= 24", "UPCONV3-2 op=1 if N <= 24"),
    *("UPCONV4-2 if N <= 24", "UPCONV3-2 p0 if N <= 16", "UPCONV3-1 s2 p1 d2 if {least} > 1 and N <= 16"),
    *("UPCONV5-2 s3 if N <= 8", "UPCONV1-2 s2 p0 if N <= 16", "UPCONV2-1 s3 p0 if N <= 8"),
    *(
        "POOL2 if {least} > 1",
        "POOL3 if {least} > 2",
        "CONV3-2 s2 p4",
        "CONV1-2 s3 p2",
        "PAD p3",
        "CONV5-2 p=valid if {least} > 4",
    ),
    *("PAD p0:1", "PAD p2:1", "CROP to=1", "CROP to=2 if {least} > 1", "CROP to=2 at=1 if {least} > 2"),
]
OF_RANK = {
    1: [
        *("CONV2-2 causal", "CONV3-2 causal d2", "CONV3-2 causal d4", "CONV2-1 causal s2", "TRANSPOSE"),
        *("UPSAMPLE-2 mode=linear if N <= 24", "RESIZE to=5 mode=linear", "RESIZE to=7 mode=linear"),
        "RESHAPE to=(C)x(L)",
    ],
    2: [
        *("CONV1x3-2 s1x2 p0x1:2", "CONV3x1-2", "POOL1x2 if W > 1", "UPSAMPLE-2 mode=bilinear if N <= 24"),
        *("RESIZE to=5x3 mode=bilinear", "RESIZE to=4x7 mode=bicubic", "UPSAMPLE-2 mode=bicubic if N <= 16"),
        *("CONV3-4, PIXSHUFFLE-2 if N <= 16", "UNSHUFFLE-2 if H % 2 == 0 and W % 2 == 0", "AVGPOOL to=3x2"),
        *("RESHAPE to=(W)x(H)x(C)", "UPCONV2x3-1 s2x1 p0x1 if N <= 24"),
    ],
    3: [
        *("CONV1x3x3-2 s1x2x2", "CONV3x1x1-2", "POOL2x1x1 if T > 1", "UPSAMPLE-2 mode=trilinear if N <= 8"),
        *("RESIZE to=2x3x4 mode=trilinear", "CONV3x1x2-1 s2x1x1 p1x0x0:1"),
    ],
}
LEAST = {1: "L", 2: "min([H, W])", 3: "min([T, H, W])"}
INPUTS = {
    1: ["7x2", "9x4", "12x1", "5x3", "1x2"],
    2: ["6x5x3", "7x4x1", "6x6x2", "3x7x2", "1x6x2"],
    3: ["2x3x4x1", "2x3x2x2", "3x1x4x1"],
}
ENDS = [[], [], ["GAP, FLATTEN, FC-3"], ["FLATTEN, FC-4, RESHAPE to=2x2, CONV3-1"]]


@st.composite
def chains(draw: DrawFn, rank: int, words: list[str]) -> list[Yaml]:
    chosen = draw(st.lists(st.sampled_from(words), min_size=1, max_size=3))
    return [word.format(least=LEAST[rank]) for word in chosen]


@st.composite
def merges(draw: DrawFn, rank: int, name: str) -> list[Yaml]:
    """Branches that end at the size where they began, some of them by going down or up and back."""
    keeping = chains(rank, KEEPING)
    moving = chains(rank, [*MOVING, *OF_RANK[rank]] if rank > 1 else MOVING)
    back = st.sampled_from(["RESIZE", "PAD p12, CROP"]).map(lambda word: f"{word} like={name}")
    branches: list[list[Yaml]] = []
    for _ in range(draw(st.integers(1, 2))):
        body = draw(st.one_of(keeping, st.tuples(moving, back).map(lambda parts: [*parts[0], parts[1]])))
        branches.append([*body, "CONV1-2"])
    key = draw(st.sampled_from(["add", "concat", "mul"]))
    if key == "mul":
        row = {1: "1", 2: "1x(W)", 3: "1x(H)x1"}[rank]
        gates = ["GAP, CONV1-2, SIGMOID", "CROP to=1", f"AVGPOOL to={row}, TANH"]
        branches.append([draw(st.sampled_from(gates))])
    branches.insert(draw(st.integers(0, 1)), ["IDENTITY"])
    return [f"CONV1-2 as {name}", {key: [*branches]}]


@st.composite
def networks(draw: DrawFn) -> str:
    """A chain with merges; its sizes stay small."""
    rank = draw(st.sampled_from((1, 1, 1, 2, 2, 2, 3)))
    layers: list[Yaml] = []
    for number in range(draw(st.integers(1, 3))):
        layers += draw(chains(rank, [*KEEPING, *MOVING, *OF_RANK[rank] * 2]))
        if draw(st.booleans()):
            layers += draw(merges(rank, f"here{number}"))
    layers += draw(chains(rank, KEEPING))
    layers += draw(st.sampled_from(ENDS if rank < 3 else ENDS[:3]))
    spec: Yaml = {"name": "n", "input": {"image": draw(st.sampled_from(INPUTS[rank]))}, "layers": layers}
    return str(yaml.safe_dump(spec, sort_keys=False))


NETWORKS: SearchStrategy[str] = networks()
