"""The numbers that a page draws are numpy's, for every seed and bit for bit."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from engine import run_js
from pages import assert_close

from optviz import NoisyDescent, SingleParameter, StochasticLandscape
from optviz.export import page

LARGE = [2**32 - 1, 2**32, 2**32 + 1, 2**53 - 1, 2**63, 2**64, 3 * 2**95, 2**127, 2**128, 5 * 2**700]
SEEDS = [0, 1, 2, 7, 42, 999_999, 49_000_000, 123_456_789, *LARGE, *range(1000, 1040)]
LISTS = [[0], [0, 0], [5, 3], [2**32, 1], [1, 2, 3, 4, 5, 6], [2**63, 2**40, 7]]
MULTIPLIER = 0x2360ED051FC65DA44385DF649FCCF645
DRAWS = 20_000
EDGE = 3.6541528853610088  # where the tail begins


def found(body: str, **given):
    constants = "".join(f"const {name} = {json.dumps(value)};\n" for name, value in given.items())
    return run_js(f"{constants}{body}")


def assert_numpys(theirs, ours) -> None:
    """Every bit is the same; of a draw from the tail the last one may differ, where log1p is another system's."""
    theirs, ours = (np.concatenate([x], axis=None, dtype=float) for x in (theirs, ours))
    assert theirs.shape == ours.shape and ((theirs == ours) | (np.abs(ours) > EDGE)).all()
    np.testing.assert_array_max_ulp(theirs, ours)


@pytest.mark.parametrize("seeds", [SEEDS, LISTS], ids=["numbers", "lists"])
def test_the_bits_are_numpys(seeds):
    assert len(SEEDS) >= 58
    theirs = found(
        """return seeds.map((s) => {
          const bits = new PCG64(s), hex = (x) => (x >>> 0).toString(16).padStart(8, "0");
          return Array.from({ length: 50 }, () => (bits.next(), hex(bits.high) + hex(bits.low)));
        });""",
        seeds=seeds,
    )
    ours = [[f"{x:016x}" for x in np.random.PCG64(s).random_raw(50).tolist()] for s in seeds]
    assert theirs == ours


@pytest.mark.parametrize(
    "draw",
    [
        "[g.random(), g.random(9), g.random([2, 3])]",
        "[g.uniform(), g.uniform(-1, 1, 100), g.uniform(-3, 5e7, [3, 1, 2]), g.random()]",
        "[g.standard_normal(), g.standard_normal(1000), g.standard_normal([2, 5]), g.random()]",
        # half of 64 bits is kept from one draw to the next, whatever is drawn between them
        "[g.integers(7), g.random(), g.integers(0, 100, 33), g.standard_normal(), g.permutation(3), g.integers(2, 3)]",
        "[g.integers(0, 30, 30), g.integers(-5, 591, [4, 5]), g.integers(3000000000, None, 60), g.integers(5)]",
        "[g.integers(0, 4294967295, 20), g.integers(0, 4294967296, 21), g.integers(-3, 4294967297, 20), g.integers(9)]",
        "[g.integers(0, 9007199254740991, 40), g.integers(0, 6148914691236517, 40), g.integers(9), g.random()]",
        "[g.permutation(1), g.permutation(2), g.permutation(30), g.permutation(100), g.permutation(0), g.random()]",
    ],
)
def test_the_draws_are_numpys(draw):
    seeds = [*SEEDS, *LISTS]
    inner = draw.replace("None", "null")
    theirs = found(
        f"""const list = (x) => x?.tolist?.() ?? x;
        return seeds.map((s) => ((g) => {inner}.map(list))($.np.random.default_rng(s)));""",
        seeds=seeds,
    )
    for seed, row in zip(seeds, theirs, strict=True):
        ours = eval(draw, {"g": np.random.default_rng(seed)})
        for got, wanted in zip(row, ours, strict=True):
            assert np.shape(got) == np.shape(wanted)
            assert_numpys(got, wanted)


def test_long_rows_of_normal_draws_are_numpys_to_the_tail():
    seeds = [0, 1, 42, 2**32 - 1, 2**63]
    rows = found(
        """return seeds.map((s) => {
          const g = $.np.random.default_rng(s), next = g.bits.next.bind(g.bits);
          let count = 0;
          g.bits.next = () => { count++; next(); };
          return { draws: g.standard_normal(size).tolist(), count, then: g.random() };
        });""",
        seeds=seeds, size=DRAWS,
    )  # fmt: skip
    for seed, row in zip(seeds, rows, strict=True):
        numpys = np.random.default_rng(seed)
        ours = numpys.standard_normal(DRAWS)
        assert_numpys(row["draws"], ours)
        assert row["then"] == numpys.random()
        # the tail is reached, and places in strips that are not all under the bell, which ask for more bits
        assert (np.abs(ours) > EDGE).sum() >= 2 and row["count"] > 1.005 * DRAWS


def preset(word: int) -> np.random.Generator:
    """A generator of numpy's whose next 64 bits are these: they are the state that the one before it leads to."""
    bits = np.random.PCG64(0)
    held = bits.state
    held["state"]["state"] = (word - held["state"]["inc"]) * pow(MULTIPLIER, -1, 2**128) % 2**128
    bits.state = held
    return np.random.Generator(bits)


def test_the_strips_are_numpys():
    """They end where numpy's do, and lie under the bell as far: where more bits are asked for."""
    ends = found("return [...ENDS];")
    # a share of 2 ** -52 of a strip is drawn where only the lowest of its bits is set
    assert [preset(strip | 1 << 9).standard_normal() * 2.0**52 for strip in range(256)] == ends
    for strip in (0, *range(2, 256)):
        limit = round(ends[strip - 1] / ends[strip] * 2**52)
        assert [_asks_for_more(strip | share << 9) for share in (limit - 1, limit + 1)] == [False, True]


def _asks_for_more(word: int) -> bool:
    asked, once = preset(word), preset(word)
    asked.standard_normal()
    once.bit_generator.random_raw()
    return asked.bit_generator.state != once.bit_generator.state


def test_what_is_no_seed_and_no_range_is_refused():
    refused = """const said = (f) => { try { return String(f()); } catch (error) { return error.message; } };
    const { default_rng } = $.np.random;
    return [...[null, undefined, -1, 0.5, NaN, [1, -2]].map((s) => said(() => default_rng(s))),
            said(() => default_rng(0).integers(3, 3))];"""
    said = found(refused)
    assert all("a seed must be a whole number from 0, not" in each for each in said[:-1])
    assert said[-1] == "integers needs low < high, not 3 and 3"


def test_arguments_have_numpys_names():
    ours = np.random.default_rng(seed=3)
    theirs = """const g = $.np.random.default_rng(new $.Kw({ seed: 3 }));
    return [g.uniform(new $.Kw({ high: 3, size: 2 })), g.integers(5, new $.Kw({ size: [2] })),
            g.standard_normal(new $.Kw({ size: 1 })), g.permutation(new $.Kw({ x: 4 }))].map((x) => x.tolist());"""
    assert found(theirs) == [
        ours.uniform(high=3, size=2).tolist(), ours.integers(5, size=[2]).tolist(),
        ours.standard_normal(size=1).tolist(), ours.permutation(x=4).tolist(),
    ]  # fmt: skip


def test_numbers_are_drawn_fast():
    """SingleParameter's draws, of a new seed each time, in the best of some tries."""
    took = found(
        """const took = [];
        for (let seed = 0; seed < 40; seed++) {
          const before = performance.now();
          $.np.random.default_rng(seed).standard_normal(23640);
          took.push(performance.now() - before);
        }
        return took;"""
    )
    assert min(took) < 5 and math.isfinite(max(took))


# an experiment as it is saved, knobs that are then moved on its page and here, and which results are drawn numbers
MOVED = [
    (SingleParameter, {"seed": 3}, {"seed": 2**53 - 1}, "gradients"),
    (StochasticLandscape, {}, {"seed": 5, "shuffle": True, "batch_size": 3}, "batches"),
    (StochasticLandscape, {"seed": 2**40, "shuffle": True}, {"seed": 6, "replacement": True}, "batches"),
    (NoisyDescent, {"seed": 999_999}, {"new_noise": True, "runs": 50, "second": "Adam"}, None),
]
ON_THE_PAGE = """
const plainly = (x) => {
  if (x instanceof Nd) return plainly(x.tolist());
  if (ArrayBuffer.isView(x) || Array.isArray(x)) return Array.from(x, plainly);
  return x && typeof x === "object" ? Object.fromEntries(Object.entries(x).map(([k, v]) => [k, plainly(v)])) : x;
};
const seen = () => [plainly(experiment.results[drawn] ?? []).flat(), plainly(experiment.drawings)];
experiment.settle(new Set());
experiment.refresh();
const before = seen();
experiment.change(knobs);
return [before, seen()];
"""


@pytest.mark.parametrize(("kind", "saved", "knobs", "drawn"), MOVED)
def test_another_seed_shows_on_a_page_what_python_shows(kind, saved, knobs, drawn, monkeypatch):
    experiment, programs, program = kind(**saved), [], page._program
    monkeypatch.setattr(page, "_program", lambda *given: programs.append(program(*given)) or programs[-1])
    experiment.html()
    before, after = found(f"{programs[0]}\n{ON_THE_PAGE}", knobs=knobs, drawn=drawn)
    _assert_seen(experiment, drawn, *before)
    experiment.param.update(**knobs)
    _assert_seen(experiment, drawn, *after)


def _assert_seen(experiment, drawn, numbers, drawings) -> None:
    if drawn is not None:
        assert_numpys(numbers, np.concatenate(experiment.results[drawn], axis=None))
    for name, drawing in experiment.drawings.items():
        for layer, columns in drawing.layers.items():
            for column, values in columns.items():
                if column not in ("image", "xs", "ys"):
                    assert_close(drawings[name]["layers"][layer][column], values, f"{name} {layer} {column}")
