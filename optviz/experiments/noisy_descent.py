"""Many runs under gradient noise: where they end up, and where theory says that they must."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import panel as pn
import param

from ..experiment import Experiment, Members
from ..lessons.noise_floor import NOISE_FLOOR
from ..maps.basins import known_minima
from ..menus import Member
from ..messages import refuse
from ..objectives.formula import EXAMPLE, OWN, Formula
from ..objectives.minima import lowest_loss
from ..page.controls import knobs_of, shown_while
from ..page.fields import WholeField
from ..page.formula_field import formula_knobs, letter_knobs
from ..page.insides import widgets_of
from ..page.layout import frame, html
from ..page.tables import cell
from ..pictures.areas import area
from ..pictures.layers import BLACK, ORANGE, PURPLE, RED, Drawing, Figure, cased, curve, lines, marks, stars, surface
from ..pictures.playheads import moment, step_arrows
from ..pictures.scene import (
    EMPTY,
    decades,
    exit_of,
    frame_of,
    joined,
    loggable,
    off_scale,
    path_columns,
    star_columns,
    star_keys,
)
from ..rules.rule import Rule
from ..runs.descent import descend
from ..runs.steps import Played
from ..runs.trajectory import Trajectory
from ..state.weak import weakly
from ..theory.outlook import lowest_among
from .floors import drawable, ellipses, expected, fallen, landscape, mean, middle_of, scatter, unknown, weight
from .noisy_rates import APART, MENUS, MOST_RUNS, MOST_STEPS, RATES, brought_rates, seeds_of, usual_of
from .noisy_surfaces import BOWL, START, SURFACES, start_on, surface_now
from .noisy_words import NOTES, called, ended, table_rows
from .simple_rules import PUSHED, RULES, lr_of, made, momentum_of
from .starts import first_start, followed
from .typed import formula_parameter, offered_surfaces, typed
from .walks import noisy_played, noisy_playhead
from .words import widened

NONE = "none"
PLACES = ("first", "second")
COLOURS = {"first": ORANGE, "second": PURPLE}
DARK = {"first": "#6b2a05", "second": "#3d1470"}  # of the same hue, to be seen on top of it


class NoisyDescent(Experiment):
    """Several runs of a rule, each under normal gradient noise of its own, and what theory says of their end.

    Run k has the seed `seed + 1,000,000 k` of `descend`, so that no two seeds share a run and a
    second rule meets the same draws as the first. Results: `trajectories`, the 300 steps of all
    runs by "first" and "second", of which `steps` are shown, and `found`, measured beside predicted.
    """

    surface = param.Selector(default=BOWL, objects=offered_surfaces())
    formula = formula_parameter()
    own = Member(kind="objective", precedence=-1, doc="The surface of the formula.")
    condition = param.Number(10.0, bounds=(1, 1000), softbounds=(1, 100), step=1, label="Condition number",
                             doc="Of the rotated quadratic: steepest over flattest curvature.")  # fmt: skip
    angle = param.Number(30.0, bounds=(0, 90), step=0.5, doc="Rotation of the rotated quadratic, in degrees.")
    rule = param.Selector(default="SGD", objects=list(RULES), doc="With PyTorch's values for what is not set here.")
    lr = lr_of("the rule", "Learning rate")
    momentum = momentum_of(0.0, "the rule", "Momentum")
    second = param.Selector(default=NONE, objects=[NONE, *RULES], label="Second rule",
                            doc="Runs beside the first under the same draws of noise.")  # fmt: skip
    second_lr = lr_of("the second rule", "Learning rate of the second")
    second_momentum = momentum_of(0.9, "the second rule", "Momentum of the second")
    noise = param.Number(1.5, bounds=(0, None), softbounds=(0, 5), step=0.05, label="Noise",
                         doc="Standard deviation of what is added to each coordinate of the gradient.")  # fmt: skip
    runs = param.Integer(20, bounds=(1, MOST_RUNS), doc="How many runs, each with noise of its own.")
    steps = param.Integer(200, bounds=(1, MOST_STEPS), doc="How many steps of each run are shown and measured.")
    seed = param.Integer(0, bounds=(0, APART - 1), precedence=2, doc="Seed of the noise; other knobs keep the draws.")
    new_noise = param.Event(label="New noise", doc="Draw the noise of the next seed.")
    start = param.NumericTuple(START, length=2, precedence=-1, doc="Where every run begins.")
    start_x = param.Number(START[0], precedence=2, label="Start x", doc="Drag the ring or click the surface instead.")
    start_y = param.Number(START[1], precedence=2, label="Start y", doc="Drag the ring or click the surface instead.")
    fit_axes = param.Event(label="Fit axes to these runs", doc="The axes stay put while you move a knob.")

    lessons = (NOISE_FLOOR,)
    typed_role = "own"
    title = "Descent under noise"
    order = 8
    lines = (3, 5)
    sentence = "Twenty noisy runs at once: how far around the minimum they end, and the loss that they cannot pass."

    def __init__(self, **params):
        self._usual, self._watched, given = usual_of(self), None, set(params)
        if "formula" in given:
            params = {"surface": OWN, **params}
            given |= {"surface"}
        params.setdefault("own", Formula(params.get("formula", EXAMPLE)))
        params["start"] = first_start(params, start_on(params.get("surface", BOWL), params["own"]))
        super().__init__(**params)
        self.settle({"start"})
        if given & set(MENUS):
            self._begin(given)

    def _begin(self, given: set[str]) -> None:
        """Begin with learning rates that work where none are given."""
        menus = {"surface"} if "surface" in given else given & set(MENUS)
        rates = brought_rates(self, self._usual, menus | (given & set(RATES)), surface_now(self), self.start)
        if any(getattr(self, name) != rate for name, rate in rates.items()):
            self.take(self, rates)
            self.restart()

    @property
    def trajectories(self) -> dict[str, Trajectory]:
        """All runs of each rule, a lane a run, 300 steps long."""
        return self.results["trajectories"]

    @property
    def found(self) -> dict[str, dict[str, Any]]:
        """By rule, "first" and "second": what was measured over the last quarter of the steps, and theory's answer.

        `floor` and `predicted_floor`: the mean loss above the lowest (of the picture, where the surface has none);
        `covariance` and `predicted`: of x, shape (2, 2); `diverged`: how many runs did, and how many of these `fell`:
        they were last lower than the start. What theory does not know is None.
        """
        return self.results["found"]

    def follow(self, changed: set[str]) -> dict[str, Any]:
        """A surface brings its start, menus bring rates that work; a typed start and a clicked one are the same."""
        label, own = OWN if "formula" in changed and "surface" not in changed else self.surface, self.own
        if label == OWN and changed & {"surface", "formula"}:
            own = typed(self.formula, None if "surface" in changed else own)
        brings = changed | ({"surface"} if "formula" in changed else set())
        new = followed(self, changed, start_on(label, own) if "surface" in brings else None)
        new |= {"own": own, "surface": label}
        if brings & set(MENUS):
            anew = all([name in changed for name in MENUS])
            objective = own if label == OWN else SURFACES[label]() if anew else surface_now(self)
            new |= brought_rates(self, self._usual, brings, objective, new["start"])
        return {**new, "seed": (self.seed + 1) % APART} if "new_noise" in changed else new

    # numbers

    def typed_surface(self) -> Any:
        return self.own if self.surface == OWN else None

    def settle(self, changed: set[str]) -> None:
        super().settle(changed)
        if self._watched is not self.own:
            self._watched = self.own
            self.own.param.watch(weakly(self._changed), [n for n in self.own.param if n not in ("name", "text")])

    def seeds(self) -> list[int]:
        """The seed of each run."""
        return seeds_of(self.seed, self.runs)

    def chosen_rules(self) -> dict[str, Rule]:
        """The first rule, and the second where there is one."""
        first = {"first": made(self.rule, self.lr, self.momentum)}
        if self.second == NONE:
            return first
        return {**first, "second": made(self.second, self.second_lr, self.second_momentum)}

    def names(self) -> dict[str, str]:
        """What the rules are called."""
        return {"first": self.rule, "second": self.second}

    def compute(self) -> dict[str, Any]:
        letters = (id(self.own), *self.own.shape_values()) if self.surface == OWN else ()
        key = (self.surface, self.condition, self.angle, *letters)
        objective = self.remember("objective", key, lambda: surface_now(self))
        if not np.isfinite(objective.value(self.start[0], self.start[1])):
            refuse("NoisyDescent", "needs a start where the loss is finite", self.start)
        box = frame_of(objective.domain, self.start)
        scape, floor = self.remember("landscape", (objective, box), lambda: landscape(objective, box))
        known = self.remember("minima", objective, lambda: [known_minima(objective), lowest_loss(objective)])
        chosen = self.chosen_rules()
        runs = {place: self._walked(place, rule, objective) for place, rule in chosen.items()}
        found = {place: self._found(place, rule, objective, runs[place], floor) for place, rule in chosen.items()}
        return {"objective": objective, "box": box, "landscape": scape, "floor": floor, "minima": known[0],
                "lowest": known[1], "trajectories": runs, "found": found}  # fmt: skip

    def _knobs(self, place: str) -> tuple:
        own = (self.rule, self.lr, self.momentum)
        return own if place == "first" else (self.second, self.second_lr, self.second_momentum)

    def _walked(self, place: str, rule: Rule, objective: Any) -> Trajectory:
        """All runs as lanes of one walk; always all the steps, so that fewer are the first of the same."""
        starts = [self.start for _ in range(self.runs)]  # one a lane, for noise 0 has no lanes of its own
        key = (objective, *self._knobs(place), self.noise, self.runs, self.seed, self.start)
        return self.remember(
            f"{place} runs", key,
            lambda: descend(objective, rule, starts, MOST_STEPS, noise=self.noise, seed=self.seeds()),
        )  # fmt: skip

    def _found(self, place: str, rule: Rule, objective: Any, run: Trajectory, floor: float) -> dict[str, Any]:
        x, above = run.x[: self.steps + 1], run.loss[: self.steps + 1] - floor
        lost = (run.diverged > 0) & (run.diverged <= self.steps)
        gone = int(np.count_nonzero(lost))
        late = self.steps - self.steps // 4
        points = x[late:].reshape(-1, 2)
        seen = {"floor": math.nan, "covariance": None, "diverged": gone, "fell": fallen(run.loss, lost)}
        middle = np.array(self.start)
        if gone == 0:
            middle = mean(points)
            seen = {**seen, "floor": float(mean(above[late:].ravel())), "covariance": scatter(points - middle)}
        minima = np.asarray(objective.minima, dtype=float).reshape(-1, 2)
        if len(minima) == 0:
            return {**seen, "heavier": 1.0, **unknown("This surface has no minimum to stay at.")}
        nearest = int(np.argmin(np.hypot(minima[:, 0] - middle[0], minima[:, 1] - middle[1])))
        target = minima[nearest]
        key = (objective, *self._knobs(place), self.noise, nearest)
        told = self.remember(f"{place} theory", key, lambda: expected(rule, objective, target, self.noise))
        heavier = self.remember(
            f"{place} weight", (run.x, self.steps), lambda: weight(rule, run, self.steps, self.noise)
        )
        return {**seen, **told, "late": late, "above": float(above[0, 0]), "heavier": heavier}

    # pictures

    def figures(self) -> list[Figure]:
        return [
            Figure("surface", {
                "image": surface(), "levels": lines("white", alpha=0.45),
                **{f"{p} paths": curve(COLOURS[p], line_width=1, alpha=0.22) for p in PLACES},
                **{p: curve(COLOURS[p], p, hooks=[cased], line_width=1.8) for p in PLACES},
                **{f"{p} ends": marks(COLOURS[p], "circle", 7, f"{p} ends", line_color="white") for p in PLACES},
                **{f"{p} theory": _beside(p, "theory", "solid") for p in PLACES},
                **{f"{p} measured": _beside(p, "measured") for p in PLACES},
                **{f"{p} left": marks(COLOURS[p], "x", 12, line_width=3) for p in PLACES},
                **stars(),
                "begin": marks("white", "circle", 12, "start", line_color=BLACK, line_width=2),
                **step_arrows(), **moment(8, line=False),
            }, xlabel="x", ylabel="y", height=560, legend="bottom_right", tap=self._begin_at,
                drag=("begin", self._begin_at)),
            Figure("loss", {
                **{f"{p} runs": curve(COLOURS[p], line_width=0.8, alpha=0.13) for p in PLACES},
                **{f"{p} band": area(COLOURS[p], 0.35) for p in PLACES},
                **{p: curve(COLOURS[p], p, line_width=2.2) for p in PLACES},
                **{f"{p} mean": _beside(p, "mean", "solid", 4) for p in PLACES},
                **{f"{p} floor": _beside(p, "floor") for p in PLACES},
                "above": marks(RED, "triangle", 9), "below": marks(RED, "inverted_triangle", 9),
                **moment(),
            }, xlabel="step", logy=True, height=400, legend="top_right"),
        ]  # fmt: skip

    def _begin_at(self, x: float, y: float) -> None:
        self.start = (float(x), float(y))

    def draw(self) -> dict[str, Drawing]:
        return {"surface": self._draw_surface(), "loss": self._draw_loss()}

    def _draw_surface(self) -> Drawing:
        box, scape = self.results["box"], self.results["landscape"]
        minima = self.results["minima"]
        deep = lowest_among(minima, self.results["lowest"])
        layers = {
            "image": scape.image, "levels": scape.lines, **star_columns(minima["points"], deep),
            "begin": {"x": np.array([self.start[0]]), "y": np.array([self.start[1]])},
        }  # fmt: skip
        said = star_keys(deep)
        for place in PLACES:
            layers = {**layers, **self._walks(place)}
            said = {**said, **self._key(place)}
        title = f"{self.surface}, noise {self.noise:g}"
        return Drawing(layers, box[::2], box[1::2], title, said, limits={"image": scape.limits}, hover=scape.reads)

    def _key(self, place: str) -> dict[str, str]:
        """What the key says of a rule; the first one's lines explain the second's."""
        silent = {name: "" for name in (place, f"{place} ends", f"{place} measured", f"{place} theory")}
        if place not in self.found:
            return silent
        runs = "the run" if self.runs == 1 else f"median of {self.runs} runs"
        named = {**silent, place: f"{self.names()[place]}: {runs}"}
        if place == "second":
            return named
        found = self.found[place]
        theory = "1σ, 2σ in theory" if drawable(found["predicted"]) else ""
        measured = "" if found["diverged"] else "measured"
        return {**named, f"{place} ends": "ends", f"{place} theory": theory, f"{place} measured": measured}

    def _walks(self, place: str) -> dict[str, dict]:
        names = (place, f"{place} paths", f"{place} ends", f"{place} measured", f"{place} theory",
                 f"{place} left")  # fmt: skip
        if place not in self.found:
            return {name: EMPTY for name in names}
        found, x = self.found[place], self.trajectories[place].x[: self.steps + 1]
        middle, box = np.median(x, axis=1), self.results["box"]
        gone = exit_of(middle, box)
        ends = x[-1][np.isfinite(x[-1]).all(axis=1)]
        points = x[self.steps - self.steps // 4 :].reshape(-1, 2)
        return {
            place: path_columns(middle[:, None], box),
            f"{place} paths": path_columns(x, box),
            f"{place} left": EMPTY if gone is None else {"x": np.array([gone[1]]), "y": np.array([gone[2]])},
            f"{place} ends": {"x": ends[:, 0], "y": ends[:, 1]},
            f"{place} measured": ellipses(mean(points), found["covariance"]),
            f"{place} theory": ellipses(found["target"], found["predicted"]),
        }

    def _draw_loss(self) -> Drawing:
        each = {place: run.loss[: self.steps + 1] - self.results["floor"] for place, run in self.trajectories.items()}
        middles = {place: middle_of(np.sort(above, axis=1)) for place, above in each.items()}
        ylim = self.remember("range", (self.surface, self._fit), lambda: decades(middles["first"], 4))
        layers, said = {}, {}
        for place in PLACES:
            layers = {**layers, **self._curves(place, each)}
            said = {**said, **self._loss_key(place)}
        shown = np.stack([np.where(middle > 0, middle, np.nan) for middle in middles.values()], axis=1)
        of = " of the picture" if self.results["lowest"] is None else ""
        title = f"Loss above the lowest{of}: each run, median, 10 to 90 %"
        span = (0.0, float(self.steps))
        return Drawing({**layers, **off_scale(shown, ylim)}, span, ylim, title, said, hover=called(said))

    def played(self) -> list[Played]:
        return noisy_played(self)

    def playhead(self, step: int) -> dict[str, dict[str, Any]]:
        return noisy_playhead(self, step, COLOURS)

    def _loss_key(self, place: str) -> dict[str, str]:
        silent = {name: "" for name in (place, f"{place} mean", f"{place} floor")}
        if place not in self.found:
            return silent
        named = {**silent, place: f"{self.names()[place]}: median"}
        if place == "second":
            return named
        found = self.found[place]
        floor = found["predicted_floor"]
        known = floor is not None and 0 < floor < 1e250
        return {**named, f"{place} mean": "" if found["diverged"] else "mean of the last quarter",
                f"{place} floor": "floor in theory" if known else ""}  # fmt: skip

    def _curves(self, place: str, each: dict[str, np.ndarray]) -> dict[str, dict]:
        names = (place, f"{place} runs", f"{place} band", f"{place} mean", f"{place} floor")
        if place not in each:
            return {name: EMPTY for name in names}
        found, above, steps = self.found[place], each[place], np.arange(self.steps + 1, dtype=np.float32)
        ranked = np.sort(above, axis=1)  # a run that diverged ranks last
        last = self.runs - 1
        low, high = ranked[:, int(0.1 * last)], ranked[:, last - int(0.1 * last)]
        good = np.isfinite(loggable(low)) & np.isfinite(loggable(high))
        edge = np.concatenate([steps[good], steps[good][::-1]])
        late = np.array([self.steps - self.steps // 4, self.steps], dtype=float)
        floor = found["predicted_floor"]
        known = math.nan if floor is None else floor
        return {
            place: {"x": steps, "y": loggable(middle_of(ranked))},
            f"{place} runs": {"x": joined(np.tile(steps[:, None], self.runs)), "y": joined(loggable(above))},
            f"{place} band": {"x": edge, "y": np.concatenate([low[good], high[good][::-1]])},
            f"{place} mean": {"x": late, "y": loggable(np.full(2, found["floor"]))},
            f"{place} floor": {"x": np.array([0.0, self.steps]), "y": loggable(np.full(2, known))},
        }

    # words

    def status(self) -> str:
        said = " ".join([ended(self, place) for place in self.found])
        return said + widened(self.results["objective"].domain, self.start)

    def side(self) -> dict[str, str]:
        head = "".join(cell("th", text) for text in ("Over the last quarter", "measured", "theory"))
        rows = "".join([table_rows(self, place) for place in self.found])
        return {"table": f'<table style="border-collapse: collapse; margin: 8px 0 0 8px"><tr>{head}</tr>{rows}</table>'}

    def shade(self) -> dict[str, float]:
        limits = {place: found["limit"] for place, found in self.found.items()}
        known = {place: math.inf if limit is None else limit for place, limit in limits.items()}
        return {"lr": known["first"], "second_lr": known.get("second", math.inf)}

    notes = NOTES

    def controls(self, members: Members | None = None) -> list[Any]:
        letters = self._letters if members is None else letter_knobs(members["own", OWN], True, self.surface == OWN)
        surface, rule, second = (knobs_of(self, [name]) for name in ("surface", "rule", "second"))
        return [
            surface, formula_knobs(self, surface, "surface"), pn.Column(letters, sizing_mode="stretch_width", margin=0),
            self._shown(surface, "surface", [BOWL], ["condition", "angle"]),
            rule, knobs_of(self, ["lr"]), self._shown(rule, "rule", PUSHED, ["momentum"]),
            second, self._shown(second, "second", list(RULES), ["second_lr"]),
            self._shown(second, "second", PUSHED, ["second_momentum"]),
            knobs_of(self, self.menu()[self.menu().index("noise"):], widgets={"seed": {"type": WholeField}}),
        ]  # fmt: skip

    @param.depends("own", "surface")
    def _letters(self):
        return letter_knobs(self.own) if self.surface == OWN else pn.Column()

    def members(self) -> Members:
        return {("own", OWN): self.own}

    def _shown(self, menu: pn.Param, name: str, options: list[str], knobs: list[str]) -> pn.Column:
        """Knobs that show while one of these options of a menu is chosen."""
        test = f"{json.dumps(options)}.includes(cb_obj.value)"
        return shown_while(widgets_of(menu)[name], test, getattr(self, name) in options, knobs_of(self, knobs))

    def arrange(self, page) -> Any:
        return frame(
            [*page.controls],
            [page.message, page.status, *page.pictures("surface")],
            [*page.pictures("loss"), *page.blocks.values()],
            [html(self.notes, "notes")],
            beside=True,
        )


def _beside(place: str, what: str, dash: str = "dashed", width: float = 2.2) -> Any:
    """A line of numbers beside a rule's runs, cased: dark on them, light around on a dark ground."""
    return curve(DARK[place], f"{place} {what}", line_dash=dash, hooks=[cased], line_width=width)
