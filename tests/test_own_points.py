"""Points of one's own: texts, tables and files that are read as well in Python as on a page, and what is fitted."""

from __future__ import annotations

import json
import random
import time
from urllib.parse import parse_qsl

import numpy as np
import pandas as pd
import pytest
import torch
import xarray as xr
from engine import run_js
from hypothesis import given, settings
from hypothesis import strategies as st

from optviz import LossComparison
from optviz.experiments.given_points import limit_of, line_of
from optviz.export.bundle import Bundle
from optviz.export.loading import FUNCTIONS
from optviz.objectives import samples
from optviz.objectives.delimited import bad_rows, numeric, problem_of, read_table, values_of
from optviz.objectives.samples import MOST, SEED, edited, known, samples_in, text_of
from optviz.state import sharing

X, Y = [1990.0, 2000.0, 2010.0, 2020.0, 2021.0], [1e5, 1.4e5, 2e5, 2.2e5, 2.3e5]


def as_page(calls: list[tuple]) -> list:
    """What the page's own functions, printed from Python's, give."""
    bundle = Bundle()
    names = {each.__name__: bundle.text(each) for each in (*FUNCTIONS, samples_in, known, edited)}
    texts = [f"{names[name]}({', '.join(map(json.dumps, given))})" for name, *given in calls]
    return run_js(f"{bundle.source}\nreturn [{', '.join(texts)}];")


# reading


BAD = ["n/a", "", "1e999", "−3", "0x10", "1_000", "nan", "١", '"', "a b"]


def drawn_table(draw: random.Random) -> str:
    """A text as somebody's program may write it."""
    part = draw.choice([",", ";", "\t", " ", "  "])
    comma = part in ";\t" and draw.random() < 0.4
    width, rows = draw.randint(1, 5), draw.randint(1, 12)
    lines = [[f"{draw.gauss(0, 10 ** draw.randint(-3, 6)):.{draw.randint(0, 9)}g}" for _ in range(width)]
             for _ in range(rows)]  # fmt: skip
    for line in lines:
        if draw.random() < 0.15:
            line[draw.randrange(width)] = draw.choice(
                ["n/a", "", "1e999", "−3", "0x10", "1_000", "nan", "١", '"', "a b"]
            )
        if draw.random() < 0.05:
            line.pop()
    if comma:
        lines = [[cell.replace(".", ",") for cell in line] for line in lines]
    if draw.random() < 0.5:
        lines = [draw.sample(["year", "prix (€)", '"a, b"', "x_1", "~", "", "42nd", "𝑥"], width), *lines]
    text = draw.choice(["\n", "\r\n", "\r"]).join(part.join(line) for line in lines)
    return draw.choice(["", "\ufeff", "\n\n", "# a comment\n"]) + text + draw.choice(["", "\n", "\n\n"])


def test_a_page_reads_texts_as_python_does():
    draw = random.Random(4)
    texts = [drawn_table(draw) for _ in range(300)]
    tables = as_page([("read_table", text) for text in texts])
    for text, table in zip(texts, tables, strict=True):
        assert read_table(text) == table, text
    good = [table for table in tables if not table["problem"]]
    assert len(good) > 200
    asked = []
    for table in good:
        columns = (numeric(table) or [0])[:2]
        of = [table, columns]
        asked.append((*of, [("numeric", table), ("bad_rows", *of, -1), ("problem_of", *of, -1),
                            ("values_of", *of, bad_rows(*of, -1))]))  # fmt: skip
    found = as_page([call for *_, calls in asked for call in calls])
    for k, (table, columns, _) in enumerate(asked):
        bad = bad_rows(table, columns, -1)
        ours = [numeric(table), bad, problem_of(table, columns, -1), values_of(table, columns, bad)]
        assert found[4 * k : 4 * k + 4] == ours, table


@pytest.mark.parametrize(
    ("text", "names", "columns"),
    [
        ("a,b\n1,2\n3,4\n", ["a", "b"], [[1, 3], [2, 4]]),
        ("\ufeffx;y\r\n1,5;-2,5e1\r\n3;4,25\r\n", ["x", "y"], [[1.5, 3], [-25, 4.25]]),
        ("1\t2\n3\t4", ["column 1", "column 2"], [[1, 3], [2, 4]]),
        ("  1   2\n 3 4 \n", ["column 1", "column 2"], [[1, 3], [2, 4]]),
        ('name,"size, m","a ""b"""\nx,1,2\ny,3,4', ["size, m", 'a "b"'], [[1, 3], [2, 4]]),
        ("# of my own\nx y\n1 2\n\n3 4", ["x", "y"], [[1, 3], [2, 4]]),
        ("a,a\n1,2\n3,4", ["a", "a (2)"], [[1, 3], [2, 4]]),
    ],
)
def test_what_a_text_holds(text, names, columns):
    table = read_table(text)
    chosen = numeric(table)
    assert [table["names"][k] for k in chosen] == names and problem_of(table, chosen, -1) == ""
    assert values_of(table, chosen, []) == columns


def test_of_many_rows_some_are_taken_and_that_is_said():
    table = read_table("x,y\n" + "\n".join(f"{k},{2 * k}" for k in range(12_345)))
    assert len(table["rows"]) == MOST and "12,345 rows" in table["said"] and "takes 2,000" in table["said"]
    steps = np.diff(values_of(table, [0], [])[0])
    assert set(steps) == {6.0, 7.0}  # evenly spread


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a,b\n1,2\n3,x\n5,6", 'Row 3 has no number in the column b: "x".'),
        ("a,b\n1,2\n,3\n5,6\n7,", "Row 3 has an empty cell in the column a, and another row is bad."),
        ("1,2\n3\n4,5\n6,7", "Row 2 has 1 cells, not 2."),
        ("1,2\n3,nan\n4,inf\n6,1e300\n5,6\n7,8",
         'Row 2 has no number in the column column 2: "nan", and 2 more rows are bad.'),
    ],
)  # fmt: skip
def test_a_bad_cell_is_named_by_row_and_column(text, sentence):
    assert problem_of(read_table(text), [0, 1], -1) == sentence


WIDE = 4_999_999 // 20_000
HOSTILE = {  # a text, so many times
    ("x", 6_000_000): "The text has 6,000,000 characters", ("[", 3_000_000): "Row 1 has 3,000,000 characters",
    ("1,", 1_000_000): "Row 1 has 2,000,000 characters", (" ", 4_999_999): "There is nothing to read",
    ('"', 4_999_999): "Row 1 has 4,999,999 characters", ("1," * 9000, 1): "There are 9,001 columns",
    ("1\t" * 9999 + "\n", WIDE): "There are 9,999 columns",
    ("PK\x03\x04\0\0\n1,2", 1): "This is no text but binary data",
    ("1,2\n" * 9999 + "\0", 120): "This is no text but binary data", ("", 1): "There is nothing to read",
    ("\n", 4_999_999): "There is nothing to read", ("\r", 4_999_999): "The text has more than 200,000 rows",
    ("\r\n", 2_000_000): "The text has more than 200,000 rows",
    ("1,2\n", 1_200_000): "The text has more than 200,000 rows", (" \n", 199_999): "There is nothing to read",
    ("# and words\n", 199_999): "There is nothing to read", ("1,2", 1): "There is only one row",
    ('"', 999): "There are no rows of numbers", ('"', 9999): "Row 1 has 9,999 quotes",
    (('"1",' * 4999) + "\n", WIDE): "Row 1 has 9,998 quotes", ('"a\n', 199_999): "There are no rows of numbers",
    ("1" * 19_998 + "x\n", WIDE): "There are no rows of numbers",
    ("a," + "2" * 9000 + "x;" + "3" * 9000 + "e\n", WIDE): "There are no rows of numbers",
    ("hello world\n", 199_999): "There are no rows of numbers",
    ("<%*\u2028\ud83d\udc0d>;\n", 199_999): "There are no rows of numbers",
    ("<script>alert(1)</script>", 1): "There are no rows",
    ("__proto__,constructor\n", 1): "There are no rows of numbers",
}  # fmt: skip
QUICK = 0.05  # seconds in which a text is refused


def test_hostile_texts_are_refused_quickly_in_a_sentence():
    late = {}
    for (part, count), said in HOSTILE.items():
        took = []
        for _ in range(3):
            began = time.perf_counter()
            problem = read_table(part * count)["problem"]
            took.append(time.perf_counter() - began)
        assert problem.startswith(said) and problem.endswith(".") and "\n" not in problem
        if min(took) > QUICK:
            late[said] = min(took)
    assert not late


def test_a_page_refuses_them_as_quickly_and_in_the_same_words():
    bundle = Bundle()
    cases = json.dumps(list(HOSTILE))
    read = bundle.text(read_table)
    found = run_js(f"""{bundle.source}
    return {cases}.map(([part, count]) => {{
      const text = part.repeat(count), took = [];
      let problem = "";
      for (let k = 0; k < 3; k += 1) {{
        const began = performance.now();
        ({{ problem }} = {read}(text));
        took.push((performance.now() - began) / 1000);
      }}
      return [problem, Math.min(...took)];
    }});""")
    assert [problem for problem, _ in found] == [read_table(part * count)["problem"] for part, count in HOSTILE]
    assert not {problem: took for problem, took in found if took > QUICK}


# texts of samples

numbers = st.floats(-1e100, 1e100, allow_nan=False)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(numbers, numbers), min_size=2, max_size=30), st.booleans())
def test_a_text_holds_samples_exactly(points, named):
    columns = [list(column) for column in zip(*points, strict=True)]
    text = text_of(columns, ["a", "b"] if named else [])
    assert samples_in(text, 2) == columns and known(text, 2) == text


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="0123456789.e+-_~ x√٣", max_size=40))
def test_any_text_is_samples_or_refused(text):
    assert known(text, 2) is None or samples_in(known(text, 2), 2) == samples_in(text, 2)


def test_a_page_holds_and_edits_samples_as_python_does():
    draw = random.Random(3)
    columns = [[draw.gauss(0, 10 ** draw.randint(-8, 8)) for _ in range(30)] for _ in "xy"]
    text = text_of(columns, ["a b", "c"])
    calls = [("text_of", columns, ["a b", "c"]), ("samples_in", text, 2), ("known", text, 2), ("known", "1_2_3", 2),
             *(("edited", columns, what, index, [0.25, -3.0]) for what in ("add", "move", "remove", "eat")
               for index in (-1, 0, 29, 30))]  # fmt: skip
    ours = [getattr(samples, name)(*given) for name, *given in calls]
    assert as_page(calls) == ours and ours[2] == text and ours[3] is None


def test_two_points_stay_and_no_more_than_are_taken_are_added():
    assert edited([[1, 2], [3, 4]], "remove", 0, (0, 0)) == [[1, 2], [3, 4]]
    full = [[0.0] * MOST] * 2
    assert edited(full, "add", MOST, (1, 1)) == full


# what Python is given


TABLES = {
    "columns": (X, Y), "array": np.column_stack([X, Y]), "rows": np.column_stack([X, Y]).tolist(),
    "dict": {"year": X, "price": Y}, "frame": pd.DataFrame({"year": X, "price": Y}),
    "dataset": xr.Dataset({"price": ("year", Y)}, {"year": X}), "series": xr.DataArray(Y, {"year": X}, name="price"),
    "record": np.array(list(zip(X, Y, strict=True)), dtype=[("year", float), ("price", float)]),
    "tensors": (torch.tensor(X, dtype=torch.float64), torch.tensor(Y, dtype=torch.float64)),
}  # fmt: skip


@pytest.mark.parametrize("kind", TABLES)
def test_tables_of_every_kind_are_the_same_points(kind):
    made = LossComparison(data=TABLES[kind])
    np.testing.assert_array_equal([made.x, made.y], [X, Y])
    named = kind not in ("columns", "array", "rows", "tensors")
    assert made.labels() == (["year", "price"] if named else ["x", "y"])
    assert made.drawings["data"].axes["x"]["label"] == made.labels()[0]


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (3, "needs 2 columns of numbers, not 3."),
        (pd.DataFrame({"a": X, "b": Y, "c": Y}), "needs 2 columns, not '3: a, b, c'; choose them"),
        (pd.DataFrame({"a": X, "b": list("abcde")}), "needs numbers in the column b, not "),
        ((X, Y[:-1]), "needs columns of one length, not [5, 4]."),
        ((X, [*Y[:-1], np.nan]), "needs finite data, not 1 samples with NaN or infinity; remove them first."),
        (([1.0], [2.0]), "needs at least two samples, not 1."),
        ((np.arange(5e3), np.arange(5e3)), "takes at most 2,000 samples, not 5,000; choose some of them."),
        ("1_2_3", "must be seed, or numbers parted by _, 2 for each of 2 to 2000 points, not '1_2_3'."),
    ],
)  # fmt: skip
def test_what_is_no_table_is_refused_in_a_sentence(data, sentence):
    with pytest.raises(ValueError) as caught:
        LossComparison(data=data)
    assert str(caught.value).startswith(f"LossComparison.data {sentence}")
    assert "\n" not in str(caught.value)


# what is fitted


@pytest.mark.parametrize("seed", range(6))
def test_first_pictures_are_sensible_at_any_scale(seed):
    """Squares arrive, all paths stay in view, and the fit is numpy's, in the units as given."""
    random = np.random.default_rng(seed)
    scale, offset = 10.0 ** random.integers(-6, 7, 2), random.choice([0.0, 1.0, 300.0], 2)
    x = scale[0] * (offset[0] + random.standard_normal(40))
    y = scale[1] * (offset[1] + 0.7 * (x / scale[0] - offset[0]) + 0.3 * random.standard_normal(40))
    made = LossComparison(data=(x, y))
    assert made.message == "" and "diverged" not in made.status() and "Outside" not in made.status()
    weight, bias = np.linalg.lstsq(np.column_stack([x, np.ones(40)]), y, rcond=None)[0]
    np.testing.assert_allclose(line_of(x, y), (weight, bias), rtol=1e-6)
    u, v = made.fitted()
    np.testing.assert_allclose(made.as_given(*line_of(u, v)), (weight, bias), rtol=1e-6)
    slope, height = made.as_given(*made.trajectory.final[0])
    np.testing.assert_allclose(slope * x + height, weight * x + bias, atol=0.05 * np.ptp(y))
    assert 0.2 <= made.lr / limit_of(u) <= 0.55
    best = made.landscapes[0].min()
    assert best - made.objectives[0].value(*line_of(u, v)) < 0.05


def test_the_limit_is_two_over_the_largest_curvature():
    x = np.random.default_rng(0).standard_normal(30) + 3
    objective = LossComparison(data=(x, 2 * x)).objectives[0]
    assert limit_of(objective.x) == pytest.approx(2 / np.linalg.eigvalsh(objective.hessian(0.0, 0.0)).max())


@pytest.mark.parametrize("lane", range(6))
def test_runs_on_own_points_are_torchs(lane):
    made = LossComparison(data=(X, Y), log_cosh=True, quantile=True, epochs=30, delta=0.3, beta=0.5, tau=0.8)
    (x, y), (w, b) = (torch.tensor(column) for column in made.fitted()), made.window["start"]
    point = torch.tensor([w, b], requires_grad=True, dtype=torch.float64)
    losses = [torch.nn.MSELoss(), torch.nn.L1Loss(), torch.nn.HuberLoss(delta=0.3), torch.nn.SmoothL1Loss(beta=0.5),
              lambda a, b: torch.log(torch.cosh(a - b)).mean(),
              lambda a, b: torch.maximum(-0.8 * (a - b), 0.2 * (a - b)).mean()]  # fmt: skip
    optimizer = torch.optim.SGD([point], lr=made.lr)
    for _ in range(30):
        optimizer.zero_grad()
        losses[lane](point[0] * x + point[1], y).backward()
        optimizer.step()
    np.testing.assert_allclose(made.trajectory.final[lane], point.detach().numpy(), rtol=1e-9)


def test_a_hand_s_points_keep_the_frame_the_units_and_the_rate():
    made = LossComparison(data=(X, Y))
    frame, rate, window = made.frame(), made.lr, made.window["start"]
    made.lr = 0.15
    made.edit_point("move", 1, 2001.0, 1.5e5)
    assert (made.x[1], made.y[1]) == (2001.0, 1.5e5) and made.lr == 0.15
    assert made.frame() == frame and made.window["start"] == window
    assert made.landscapes.shape == (4, 50, 50) and made.rough()  # until there is time
    made.refine()
    assert made.landscapes.shape == (4, 101, 101) and not made.rough()
    made.own_data = True
    assert made.data == SEED and made.lr == 0.1 != rate and not made.rescale


def test_at_least_one_loss_is_shown():
    made = LossComparison(l1=False, huber=False, smooth_l1=False)
    assert made.trajectory.x.shape[1] == 1 and not made.drawings["l1"].shown
    made.mse = False
    assert made.message == "LossComparison needs at least one loss, not none; choose one."


def test_points_travel_in_an_address_and_in_a_file():
    made = LossComparison(data=pd.DataFrame({"year": X, "a_b~c": Y}))
    query = sharing.query(made)
    assert query.startswith("data=year~a_b+c~1990_100000_") and "lr" not in query and "rescale" not in query
    made.edit_point("add", 0, 2005.0, 1.5e5)
    made.lr = 0.1
    linked, refused = sharing.apply(LossComparison, dict(parse_qsl(sharing.query(made))))
    assert refused == []
    for other in (linked, LossComparison.from_json(made.to_json())):
        np.testing.assert_array_equal([other.x, other.y], [made.x, made.y])
        assert other.labels() == ["year", "a_b c"] and other.lr == 0.1 and other.rescale
