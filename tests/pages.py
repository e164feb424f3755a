"""What an experiment's page shows, served or exported, against what Python computes."""

from __future__ import annotations

import re
import time
from functools import partial

import numpy as np
import param
import pytest
from browser import click_slider, drag_slider, open_folds, slider, sources, wait_idle, wait_until
from scipy.spatial import cKDTree

from optviz.page.factors import slider_for

EDGES = {"left": "x0", "bottom": "y0", "right": "x1", "top": "y1"}

# the value of the widget with this title
VALUE = """
(title) => {
  for (const doc of Bokeh.documents)
    for (const model of doc._all_models.values())
      if ((model.title ?? model.label) === title && model.value !== undefined) return model.value;
  return null;
}
"""
# where on the screen a point of a figure is
SPOT = """
([name, x, y]) => {
  const find = (view) => {
    if (view.model?.name === name && view.frame) return view;
    for (const child of view.child_views ?? []) { const found = find(child); if (found) return found }
    return null;
  };
  for (const root of Bokeh.index) {
    const view = find(root);
    if (!view) continue;
    const box = view.canvas_view.el.getBoundingClientRect();
    return [box.left + view.frame.x_scale.compute(x), box.top + view.frame.y_scale.compute(y)];
  }
  return null;
}
"""

# how often the page is laid out anew from now on
COUNT_LAYOUTS = """() => {
  window.layouts = 0;
  for (const root of Bokeh.index) {
    const after = root.after_layout;
    root.after_layout = (...given) => { window.layouts += 1; after.apply(root, given); };
  }
}"""


def assert_close(got, wanted, where: str) -> None:
    wanted = np.asarray(wanted)
    if wanted.dtype.kind in "OU":
        assert list(got) == wanted.tolist(), where
    else:
        got = np.asarray(got, dtype=float)
        assert got.size == wanted.size, where
        np.testing.assert_allclose(got.reshape(wanted.shape), wanted.astype(float),
                                   rtol=1e-6, atol=1e-9, err_msg=where)  # fmt: skip


def assert_same_cells(got, wanted, where: str) -> None:
    """All cells of a map but one in a thousand: of clipped runs the last digit of 10 ** x may decide where they go."""
    assert got.size == wanted.size, where
    near = np.isclose(got.reshape(wanted.shape), wanted, rtol=1e-6, atol=1e-9, equal_nan=True)
    assert near.mean() > 0.999, f"{where}: {near.size - near.sum()} of {near.size} cells differ"


def assert_shows(page, experiment, *figures: str, timeout: float = 20) -> None:
    """Every layer of these figures (or of all) comes to hold in the browser what Python computes."""
    assert experiment.message == ""
    end = time.monotonic() + timeout
    while True:
        try:
            return _assert_shows_now(page, experiment, *figures)
        except AssertionError:
            if time.monotonic() > end:  # a busy machine may still be on its way
                raise
            time.sleep(0.3)


def _assert_shows_now(page, experiment, *figures: str) -> None:
    shown = (name for name in figures or experiment.drawings if experiment.drawings[name].shown)
    drawn = {f"{name}.{layer}": columns for name in shown
             for layer, columns in experiment.drawings[name].layers.items()}  # fmt: skip
    for where, data in sources(page, list(drawn)).items():
        columns = drawn[where]
        if "image" in columns:
            if len(data["image"][0]) > len(columns["image"][0]) and experiment.rough():
                refined(experiment)  # as the page has been by itself
                return _assert_shows_now(page, experiment, *figures)
            compare = assert_same_cells if where.startswith("map.") else assert_close
            compare(data["image"][0], columns["image"][0], where)
            continue
        assert {EDGES.get(column, column) for column in data} == set(columns), where
        if "xs" in columns:
            assert_same_lines(data, columns, where)
            continue
        for column, values in data.items():
            assert_close(values, columns[EDGES.get(column, column)], where)


def refined(experiment) -> None:
    """Make an experiment's picture a stage finer."""
    before = experiment.drawings
    while experiment.rough() and experiment.drawings is before:
        experiment.advance()


def assert_same_lines(got, wanted, where: str) -> None:
    """As many lines, as long, through the same points: where each begins is left to who draws."""
    lines = [[np.column_stack(pair) for pair in zip(each["xs"], each["ys"], strict=True)] for each in (got, wanted)]
    assert len(lines[0]) == len(lines[1]), where
    if not lines[0]:
        return
    lengths = [sum(np.hypot(*np.diff(line, axis=0).T).sum() for line in each) for each in lines]
    assert lengths[0] == pytest.approx(lengths[1], rel=1e-6), where
    one, two = (np.concatenate(each) for each in lines)
    for here, there in ((one, two), (two, one)):
        assert cKDTree(here).query(there)[0].max() < 1e-6 * np.ptp(there, axis=0).max(), where


def spot(page, figure: str, x: float, y: float) -> tuple[float, float]:
    at = page.evaluate(SPOT, [figure, x, y])
    assert at is not None, f"no figure {figure!r} on the page"
    return tuple(at)


def owner_of(experiment, label: str):
    """The parameterized object and the parameter behind a control with this label."""
    owners = [experiment, *(getattr(experiment, n) for n in ("optimizer", "objective") if hasattr(experiment, n))]
    shown = [(o, name) for o in owners for name in o.param if o.param[name].precedence != -1]
    found = [(o, name) for o, name in shown if o.param[name].label == label]
    assert len(found) == 1, (label, found)
    return found[0]


def set_to(owner, name: str, value: float) -> None:
    setattr(owner, name, round(value) if isinstance(owner.param[name], param.Integer) else value)


def drag_every_slider(page, experiment, labels) -> None:
    """Move each slider; the same experiment here, moved the same way, is what the page shows.

    The first of each kind is dragged; the others follow a click on their track, which is one change and no four.
    """
    dragged = set()
    for number, label in enumerate(labels):
        owner, name = owner_of(experiment, label)
        kind = type(owner.param[name]), bool(slider_for(owner.param[name])), owner is experiment
        move = click_slider if kind in dragged else partial(drag_slider, steps=3)
        dragged.add(kind)
        before = getattr(owner, name)
        value = move(page, label, (0.35, 0.7, 0.55)[number % 3])
        if value == before:  # a slider of few steps that stands there
            value = move(page, label, 0.2)
        wait_idle(page)
        assert value != before, label
        drawings = experiment.drawings
        set_to(owner, name, value)
        assert experiment.drawings is not drawings, label
        assert_shows(page, experiment)


def select(page, label: str, option: str) -> None:
    box = page.locator(".bk-input-group:visible", has=page.locator("label", has_text=re.compile(rf"^\s*{label}\s*$")))
    if not box.count():
        open_folds(page)
    box.locator("select").select_option(option)
    wait_idle(page)


def field(page, label: str):
    """The field with this title that a number is typed into."""
    title = page.locator("label", has_text=re.compile(rf"^\s*{label}\s*$"))
    found = page.locator(".bk-input-group:visible", has=title).locator("input")
    if not found.count():
        open_folds(page)
    return found


def type_into(page, label: str, text: str, key: str = "Enter") -> None:
    """Type over what a field holds, as a person does; nothing to type empties it."""
    field(page, label).click()
    page.keyboard.press("Control+a")
    page.keyboard.press("Backspace")
    page.keyboard.type(text)
    page.keyboard.press(key)
    wait_idle(page)


def assert_fields_refuse(page, experiment, label: str, held: str, rule: str) -> None:
    """What is no such number is refused in one sentence under the field, which shows again what it held."""
    refused = page.locator(".refusal p")
    for text, key, got in (("", "Tab", "empty"), ("99999999999999999999", "Enter", "1e20"),
                           ("-99999999999999999999", "Tab", "-1e20"), ("-", "Enter", "nan"),
                           ("", "Enter", "empty")):  # fmt: skip
        type_into(page, label, text, key)
        assert [text.replace("−", "-") for text in refused.all_inner_texts()] == [
            f"{label} must be a {rule}, not {got}; it stays {held}."
        ]
        assert field(page, label).input_value() == held
        assert_shows(page, experiment)


def assert_what_would_be_refused_is_shut(page) -> None:
    """On a page of `LossComparison`: Nesterov asks for momentum, and it and dampening exclude each other."""
    box, dampening = page.get_by_label("Nesterov", exact=True), slider(page, "Dampening").locator(".noUi-target")
    assert box.is_disabled() and dampening.get_attribute("disabled") is None  # there is no momentum
    assert page.locator("option[disabled]").all_inner_texts() == ["your own"]  # which knobs make, and no choice
    drag_slider(page, "Momentum", 0.8)
    wait_idle(page)
    box.click()
    wait_idle(page)
    shut = lambda: dampening.get_attribute("disabled") is not None
    wait_until(lambda: box.is_checked() and shut(), what="dampening to be shut by Nesterov")
    box.click()
    wait_until(lambda: not shut(), what="dampening to open")
    drag_slider(page, "Dampening", 0.5)
    wait_until(box.is_disabled, what="Nesterov to be shut by dampening")
    wait_idle(page)
    assert not page.locator(".alert").is_visible()
