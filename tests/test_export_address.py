"""An exported page's own address: state after the #, refusals as a served page makes them."""

from urllib.parse import parse_qsl, urlencode

import pytest
from browser import drag_slider, folds, slider_value, wait_idle, wait_until
from pages import assert_fields_refuse, assert_shows, select, type_into
from test_export_pages import opened, status

from optviz import LossComparison, SurfaceDescent
from optviz.catalogue import experiments
from optviz.state.sharing import apply, query

pytestmark = pytest.mark.browser

HOSTILE = {
    "lr": "NaN", "steps": "1e999", "momentum": "<script>alert(1)</script>", "optimizer": "__proto__",
    "<img src=x onerror=alert(1)>": "1", "start_x": "1" * 100_000, "nesterov": "yes\x00", "constructor": "1",
}  # fmt: skip


def go(page, path, fragment: str) -> None:
    page.context.set_offline(True)
    page.goto(f"{path.as_uri()}#{fragment}")
    page.wait_for_function("window.optviz")
    wait_idle(page)


def refusals(page) -> list[str]:
    return page.locator("#refused p").all_inner_texts()


def said(page) -> dict[str, str]:
    return dict(parse_qsl(page.evaluate("location.hash").removeprefix("#")))


def test_the_address_follows_and_restores_the_state(page, exported):
    path = exported / "surface_descent.html"
    opened(page, path)
    select(page, "Optimizer", "RMSprop")
    select(page, "Surface", "Rosenbrock")
    drag_slider(page, "Learning rate", 0.2)
    lr = slider_value(page, "Learning rate")
    experiment = SurfaceDescent(optimizer="RMSprop", objective="Rosenbrock")
    experiment.optimizer.lr = lr
    wanted = dict(parse_qsl(query(experiment)))
    wait_until(lambda: said(page) == wanted, what=f"the address to say {wanted}")
    page.reload()
    page.wait_for_function("window.optviz")
    wait_idle(page)
    assert_shows(page, apply(SurfaceDescent, wanted)[0])
    assert slider_value(page, "Learning rate") == lr and refusals(page) == []


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("loss_comparison", {"preset": "momentum-0.9-nesterov", "lr": "0.03", "epochs": "40"}),
        ("single_parameter", {"momentum": "0.9", "clip": "1", "epoch": "7"}),
        ("stochastic_landscape", {"sample": "12", "batch_size": "5", "shuffle": "true", "start_w1": "-1.5"}),
        ("surface_descent", {"optimizer": "adam", "beta1": "0.8", "amsgrad": "true", "objective": "rotatedquadratic",
                             "angle": "75", "steps": "80", "start_x": "1.25"}),
    ],
)  # fmt: skip
def test_an_address_means_in_the_page_what_it_means_when_served(page, exported, name, values):
    experiment, refused = apply(experiments()[name], values)
    assert not refused
    go(page, exported / f"{name}.html", urlencode(values))
    assert_shows(page, experiment)
    assert refusals(page) == []
    assert dict(parse_qsl(page.evaluate("optviz.address.query()"))) == dict(parse_qsl(query(experiment)))


def test_hostile_values_are_refused_in_the_words_of_the_served_page(page, exported):
    experiment, refused = apply(SurfaceDescent, {**HOSTILE, "start_y": "-1"})
    go(page, exported / "surface_descent.html", urlencode({**HOSTILE, "start_y": "-1"}))
    assert sorted(refusals(page)) == sorted(refused) and len(refused) == len(HOSTILE)
    assert_shows(page, experiment)
    assert experiment.start_y == -1
    page.get_by_role("button", name="Close").click()
    assert refusals(page) == [] and "After 50 steps" in status(page)


def test_a_default_chosen_on_a_page_saved_with_something_else_is_restored(page, tmp_path):
    experiment = SurfaceDescent(optimizer="Adam", steps=77)
    experiment.save(tmp_path / "page.html")
    opened(page, tmp_path / "page.html")
    assert page.evaluate("location.hash") == ""
    select(page, "Optimizer", "SGD")
    experiment.optimizer_name = "SGD"
    drag_slider(page, "Weight decay", 0.3)
    experiment.optimizer.weight_decay = slider_value(page, "Weight decay")
    chosen = {"optimizer": "sgd", "weight_decay": f"{experiment.optimizer.weight_decay:g}"}
    wait_until(lambda: said(page) | chosen == said(page), what="the choice")
    go(page, tmp_path / "page.html", page.evaluate("location.hash").removeprefix("#"))
    page.reload()
    page.wait_for_function("window.optviz")
    wait_idle(page)
    assert_shows(page, experiment)


def test_the_link_is_copied(page, exported):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    opened(page, exported / "loss_comparison.html")
    experiment = LossComparison()
    experiment.momentum = drag_slider(page, "Momentum", 0.5)
    page.get_by_role("button", name="Copy link").click()
    page.get_by_role("button", name="Copied").wait_for()
    link = page.evaluate("navigator.clipboard.readText()")
    assert dict(parse_qsl(link.partition("#")[2])) == dict(parse_qsl(query(experiment)))


def test_what_is_typed_is_taken_or_refused_at_its_field(page, exported):
    experiment = SurfaceDescent()
    opened(page, exported / "surface_descent.html")
    assert_fields_refuse(page, experiment, "Start x", "-5", "finite number from -1000000000 to 1000000000")
    type_into(page, "Start x", "1.25")
    experiment.start_x = 1.25
    assert_shows(page, experiment)
    assert page.locator(".refusal p").count() == 0


def test_a_saved_page_has_more_controls_too_and_those_that_differ_on_view(page, exported, tmp_path):
    page.goto((exported / "single_parameter.html").as_uri())
    wait_idle(page)
    wait_until(lambda: folds(page).count() == 1)
    assert not page.get_by_label("Seed", exact=True).is_visible()
    folds(page).first.click()
    wait_until(page.get_by_label("Seed", exact=True).is_visible)
    SurfaceDescent(clip=2.0).save(tmp_path / "clipped.html")
    page.goto((tmp_path / "clipped.html").as_uri())
    wait_idle(page)
    titles = page.locator(".bk-slider-title:visible")
    wait_until(titles.filter(has_text="Clip gradients").count, what="what differs from the default to be on view")
    assert titles.filter(has_text="Weight decay").count() == 0


STATES = ["", "lr=0.2&steps=80", "optimizer=adam&lr=0.3", "optimizer=adam&start_x=1", "objective=rosenbrock&lr=0.002"]
LAW = """(states) => {
  const { address, experiment } = optviz;
  const held = () => JSON.stringify([...address.places()].map(([name, place]) => [name, address.held(place)]));
  const seen = states.map((said) => {
    address.go("", true);
    address.apply(Object.fromEntries(new URLSearchParams(said)));
    experiment.refresh();
    return [address.query(), held()];
  });
  const lost = [];
  for (const [from] of seen) for (const [to, wanted] of seen) {
    address.go(from, false);
    address.go(to, false);
    if (held() !== wanted) lost.push([from, to, held()]);
  }
  return lost;
}"""


def test_any_state_leads_to_any_other(page, exported):
    opened(page, exported / "surface_descent.html")
    assert page.evaluate(LAW, STATES) == []


def test_undo_keeps_a_map_as_fine_and_as_zoomed_as_it_was(page, exported):
    opened(page, exported / "hyperparameter_map.html")
    page.wait_for_function("() => !optviz.experiment.rough()", timeout=60_000)
    cells = "() => optviz.page.figures.map.layers.find(({ name }) => name === 'image').source.get('image')[0].shape[0]"
    ends = "() => ['start', 'end'].map((end) => optviz.page.figures.map.ranges.y[end])"
    page.wait_for_timeout(500)  # until it is a state to come back to
    finest, whole = page.evaluate(cells), page.evaluate(ends)
    page.evaluate("optviz.page.figures.map.ranges.y.setv({ start: 0.2, end: 0.7 })")
    page.evaluate("optviz.experiment.change({ steps: 20 })")
    assert page.evaluate(cells) < finest
    page.get_by_role("button", name="Undo").click()
    assert page.evaluate(cells) == finest and page.evaluate(ends) == [0.2, 0.7]
    page.get_by_role("button", name="Reset").click()
    assert page.evaluate(ends) == whole
