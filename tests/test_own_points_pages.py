"""Points that are dragged, added, brought and removed on served and saved pages, with a mouse, a finger and keys."""

from __future__ import annotations

import pytest
from axe import assert_axe_finds_nothing_now
from browser import wait_idle, wait_until
from hands import finger, wait_until_still
from pages import assert_shows, select, spot
from test_export_pages import opened, plain, status

from optviz import LogisticRegression, LossComparison, StochasticLandscape
from optviz.state import sharing

pytestmark = pytest.mark.browser

FOCUS = """() => {
  const find = (v) => (v.model?.name === "data" && v.canvas_view ? v : (v.child_views ?? []).map(find).find(Boolean));
  [...Bokeh.index].map(find).find(Boolean).canvas_view.el.focus();
}"""
TABLE = "year;price;kind\n1990;100,5;a\n1991;120;b\nn/a;3;a\n1993;150,25;b\n1994;155;a\n"


def open_page(page, where: str, request, name: str = "loss_comparison", fragment: str = "") -> None:
    """The page of an experiment, served or saved."""
    if where == "saved":
        path = request.getfixturevalue("exported") / f"{name}.html"
        page.goto(path.as_uri() + (f"#{fragment}" if fragment else ""))
    else:
        page.goto(f"{request.getfixturevalue('served')}/{name}{'?' if fragment else ''}{fragment}")
    page.wait_for_function("window.optviz?.states")
    wait_idle(page)


def data(page) -> str:
    return page.evaluate("optviz.experiment.data")


def into_view(page, figure: str = "data") -> None:
    """Scroll as far as a figure."""
    for _ in range(20):
        _, y = spot(page, figure, 0, 2)
        if 250 < y < page.viewport_size["height"] - 150:
            return
        page.mouse.move(5, 300)
        page.mouse.wheel(0, 100 if y > 300 else -100)
        wait_until_still(page)


@pytest.mark.parametrize("where", ["served", "saved"])
def test_a_mouse_drags_adds_and_removes_points_and_the_fits_follow(where, page, request):
    experiment = LossComparison()
    open_page(page, where, request)
    into_view(page)
    x, y = (float(column[3]) for column in experiment.points())
    begin, before = spot(page, "data", x, y), status(page)
    page.mouse.move(*begin)
    page.mouse.down()
    seen = set()
    for k in range(1, 7):
        page.mouse.move(begin[0], begin[1] - 20 * k)
        page.wait_for_timeout(150)
        seen.add(status(page))
    page.mouse.up()
    assert len(seen) > 2 and before not in seen  # while it is dragged
    wait_idle(page)
    experiment.data = data(page)
    experiment.lr = 0.1  # which a hand's points leave alone
    moved = experiment.y[3]
    assert moved > y + 1 and experiment.x[3] == pytest.approx(x, abs=0.02)
    wait_until(lambda: not page.evaluate("optviz.experiment.rough()"), what="maps to be fine again")
    wait_idle(page)
    assert_shows(page, experiment, "mse", "data", "loss")
    assert status(page) == plain(experiment.status())

    free = spot(page, "data", 1.5, 1.5)
    page.mouse.click(*free)
    wait_idle(page)
    wait_until(lambda: page.evaluate("optviz.states.now.length") > 0, what="a state to come back to")
    page.wait_for_timeout(500)
    assert len(LossComparison(data=data(page)).x) == 51
    page.keyboard.press("Delete")  # what was clicked last
    wait_idle(page)
    assert len(LossComparison(data=data(page)).x) == 50
    page.wait_for_timeout(500)
    page.mouse.dblclick(*spot(page, "data", float(experiment.x[3]), float(moved)))
    wait_idle(page)
    assert len(LossComparison(data=data(page)).x) == 49
    page.wait_for_timeout(500)
    for _ in range(4):
        page.keyboard.press("Control+z")
        page.wait_for_timeout(400)
    wait_idle(page)
    assert data(page) == "seed" and status(page) == before


def test_keys_choose_move_add_and_remove_points(page, request):
    experiment = LossComparison()
    open_page(page, "saved", request)
    into_view(page)
    page.evaluate(FOCUS)
    order = sorted(range(50), key=lambda k: experiment.x[k])
    for _ in range(3):
        page.keyboard.press("PageDown")
    page.keyboard.press("ArrowUp")
    wait_idle(page)
    after = LossComparison(data=data(page))
    assert [k for k in range(50) if after.y[k] != experiment.y[k]] == [order[2]]
    (_, (low, high)) = experiment.frame()
    assert after.y[order[2]] - experiment.y[order[2]] == pytest.approx((high - low) / 50, rel=0.01)
    page.keyboard.press("Delete")
    page.keyboard.press("Insert")
    page.keyboard.press("Shift+ArrowLeft")
    wait_idle(page)
    last = LossComparison(data=data(page))
    assert len(last.x) == 50 and last.y[49] == pytest.approx((low + high) / 2, abs=0.01)


def test_a_finger_drags_a_point_and_scrolls_beside_it(phone, request):
    experiment = LossComparison()
    open_page(phone, "saved", request)
    phone.wait_for_timeout(500)
    for _ in range(30):
        _, y = spot(phone, "data", 0, 2)
        if y < 640:
            break
        finger(phone, (8, 700), (8, 560))
        wait_until_still(phone)
    k = max(range(50), key=lambda k: experiment.y[k])  # beside no other
    begin = spot(phone, "data", float(experiment.x[k]), float(experiment.y[k]))
    phone.touchscreen.tap(*begin)
    finger(phone, begin, (begin[0] - 30, begin[1] + 40))
    wait_idle(phone)
    after = LossComparison(data=data(phone))
    assert after.y[k] < experiment.y[k] - 0.3 and after.x[k] < experiment.x[k] - 0.2 and len(after.x) == 50


@pytest.mark.parametrize("where", ["served", "saved"])
def test_points_come_from_pasted_columns_and_stay_in_the_address(where, page, request):
    open_page(page, where, request)
    page.get_by_role("button", name="Your own points").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Or columns").fill(TABLE)
    said = "5 rows of 3 columns, parted by semicolons, with decimal commas. "
    assert dialog.locator(".said").inner_text() == f'{said}Row 4 has no number in the column year: "n/a".'
    assert dialog.get_by_role("button", name="Show these points").is_disabled()
    if where == "saved":
        assert_axe_finds_nothing_now(page)
    dialog.get_by_label("Leave out that row").check()
    dialog.get_by_role("button", name="Show 4 points").click()
    wait_idle(page)
    experiment = LossComparison(data={"year": [1990, 1991, 1993, 1994], "price": [100.5, 120, 150.25, 155]})
    assert data(page) == experiment.data
    assert_shows(page, experiment)
    assert "4 points of your own" in page.locator(".points").inner_text()
    query = sharing.query(experiment)
    wait_until(lambda: page.url.replace("%7E", "~").endswith(query), what=f"the address to say {query}")
    page.reload()
    page.wait_for_function("window.optviz?.states")
    wait_idle(page)
    assert_shows(page, experiment)
    page.get_by_role("button", name="The seed's points").click()
    wait_idle(page)
    assert_shows(page, LossComparison())


def test_a_file_is_chosen_or_dropped_and_a_long_one_is_kept_out_of_the_address(page, request, tmp_path):
    open_page(page, "saved", request)
    page.get_by_role("button", name="Your own points").click()
    dialog = page.get_by_role("dialog")
    long = tmp_path / "long.csv"
    long.write_bytes(
        b"\xff\xfe" + "a\tb\n".encode("utf-16le") + "".join(f"{k}\t{k % 7}\n" for k in range(5000)).encode("utf-16le")
    )
    dialog.locator("input[type=file]").set_input_files(long)
    wait_until(lambda: "takes 2,000" in dialog.locator(".said").inner_text(), what="the file to be read")
    dialog.get_by_role("button", name="Show 2,000 points").click()
    wait_idle(page, timeout=60)
    assert len(data(page)) > 4000 and "An address cannot hold so many" in page.locator(".points").inner_text()
    page.wait_for_timeout(500)
    assert "data=" not in page.url
    page.keyboard.press("Control+z")
    wait_idle(page)
    assert data(page) == "seed"
    drop = """(text) => {
      const given = new DataTransfer();
      given.items.add(new File([text], "points.csv", { type: "text/csv" }));
      document.body.dispatchEvent(new DragEvent("drop", { dataTransfer: given, bubbles: true, cancelable: true }));
    }"""
    page.evaluate(drop, "x,y\n1,2\n3,5\n4,4\n")
    dialog.get_by_role("button", name="Show 3 points").click()
    wait_idle(page)
    assert_shows(page, LossComparison(data=([1, 3, 4], [2, 5, 4])), "data")
    page.evaluate(drop, "PK\0\0\1" * 100)
    wait_until(lambda: "binary" in dialog.locator(".said").inner_text(), what="binary data to be refused")
    with page.expect_download() as saved:
        dialog.get_by_role("button", name="Save the points").click()
    assert saved.value.path().read_text() == "x,y\n1,2\n3,5\n4,4\n"
    dialog.get_by_role("button", name="Cancel").click()


def test_a_page_that_python_saved_carries_its_points(page, tmp_path):
    experiment = LossComparison(data={"a": [1.0, 2.0, 4.0], "b": [10.0, 30.0, 20.0]})
    experiment.save(tmp_path / "mine.html")
    opened(page, tmp_path / "mine.html")
    assert_shows(page, experiment)
    assert page.url.endswith("mine.html")
    page.get_by_role("button", name="The seed's points").click()
    wait_idle(page)
    assert_shows(page, LossComparison())
    wait_until(
        lambda: "data=seed" in page.evaluate("location.href"), what="the address to say that the points are the seed's"
    )


def test_points_of_two_classes_are_dragged_and_added(page, request):
    experiment = LogisticRegression()
    open_page(page, "saved", request, "logistic_regression")
    x, y, _ = experiment.points()
    k = int(x.argmax())
    begin, end = spot(page, "data", x[k], y[k]), spot(page, "data", -2.0, 2.0)
    page.mouse.move(*begin)
    page.mouse.down()
    page.mouse.move(*end, steps=6)
    page.mouse.up()
    select(page, "A click adds", "class 0")
    page.mouse.click(*spot(page, "data", 2.5, 2.5))
    wait_idle(page)
    wait_until(lambda: not page.evaluate("optviz.experiment.rough()"), what="maps to be fine again")
    wait_idle(page)
    experiment.param.update(data=data(page), new_class="class 0")
    experiment.lr = 0.5
    x, y, classes = experiment.points()
    assert (x[k], y[k], classes[k]) == (pytest.approx(-2, abs=0.02), pytest.approx(2, abs=0.02), 1)
    assert (len(x), x[60], classes[60]) == (61, pytest.approx(2.5, abs=0.02), 0)
    assert_shows(page, experiment)
    assert_axe_finds_nothing_now(page)
    page.get_by_role("button", name="Your own points").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Or columns").fill("kind,a,b\nx,1,2\ny,3,4\nz,3,1\ny,4,4\n")
    dialog.get_by_label("is", exact=True).select_option("y")
    dialog.get_by_role("button", name="Show 4 points").click()
    wait_idle(page)
    experiment = LogisticRegression(data={"a": [1, 3, 3, 4], "b": [2, 4, 1, 4], "y": [0, 1, 0, 1]}, new_class="class 0")
    assert_shows(page, experiment)
    assert status(page) == plain(experiment.status())


def test_samples_of_a_net_are_dragged_and_taken_away(page, request):
    experiment = StochasticLandscape()
    open_page(page, "saved", request, "stochastic_landscape")
    into_view(page)
    x, y = experiment.points()
    begin = spot(page, "data", x[0], y[0])
    page.mouse.move(*begin)
    page.mouse.down()
    page.mouse.move(begin[0], begin[1] + 30, steps=5)
    page.mouse.up()
    wait_idle(page)
    page.keyboard.press("Delete")
    wait_idle(page)
    experiment.data = data(page)
    experiment.lr = 0.05
    assert len(experiment.points()[0]) == 99
    assert_shows(page, experiment)
    page.wait_for_timeout(500)
    page.keyboard.press("Control+z")
    wait_idle(page)
    query = "data=1_2_2_4_3_6.5&sample=2"
    page.goto("about:blank")
    open_page(page, "saved", request, "stochastic_landscape", query)
    assert_shows(page, sharing.apply(StochasticLandscape, {"data": "1_2_2_4_3_6.5", "sample": "2"})[0])
