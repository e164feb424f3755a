"""An experiment: declared parameters, results computed from them, pictures of the results.

A subclass declares parameters, `compute` (numbers), `figures` and `draw` (arrays for the
layers of each figure). The base keeps pictures up to date: once per change, only what
changed, in a page by pushing arrays into what was drawn, in a notebook as DynamicMaps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any, ClassVar

import holoviews as hv
import numpy as np
import panel as pn
import param

from .export.bundle import controls_read
from .export.frame import Frame
from .export.page import page_html
from .export.remote import Remote, place
from .lessons.lesson import Lesson
from .menus import label_of, resolved, rules, surfaces
from .objectives.formula import OWN
from .page.controls import knobs_of
from .page.layout import frame, html
from .page.notebook import prepare_notebook
from .page.page import Page
from .page.playable import Playable
from .page.refiner import Refiner
from .pictures.layers import Drawing, Figure, compose
from .rules.rule import shut
from .state import sharing
from .state.subject import Members
from .state.twins import known_to


class Experiment(Playable, pn.viewable.Viewer):
    """Declared parameters that recompute trajectories and the pictures of them.

    What an exported page needs of a subclass (`follow`, `compute`, `draw`, `status`, `side`, `shade`, `idle`, what
    clicks and drags do) is printed as JavaScript with all that it calls: plain functions and classes, comprehensions,
    f-strings. Such a method may use the built-in functions, what of numpy, math and re, and the methods of text,
    lists, dicts, numbers and arrays that `optviz.runtime.offers.offered` lists, and those of rules, surfaces and
    runs; exporting refuses anything else with a sentence that says where it is and what there is instead.
    """

    __abstract = True

    message = param.String(default="", precedence=-1, doc="Why the last change was refused; empty if it was not.")
    revision = param.Integer(default=0, precedence=-1, doc="Counts the computations; views follow it.")

    foundation: ClassVar[type[Experiment]]  # this class
    listed: ClassVar[bool] = False  # see `optviz.listed`
    title: str = ""
    sentence: str = ""
    notes: str = ""
    order: int = 100  # where the index lists it
    lessons: tuple[Lesson, ...] = ()  # that lead through it
    lines: tuple[int, int] = (2, 3)  # of the status: so many have room, on a screen and on a phone
    narrowed: tuple[str, ...] = ()  # menus whose entries hang on other choices: see `narrow`
    frames_anew: tuple[str, ...] = ("fit_axes",)  # events that bring axes back from where a visitor has zoomed them
    figures_follow: tuple[str, ...] = ()  # controls that `figures` reads, found in its source
    coarsest: int = 1  # the stage (see `optviz.maps.stages`) at which results follow a change; a slow browser takes 0
    counter_examples: tuple[Any, ...] = ()  # states to open, and what is to see there
    worker: Any = None  # computes beside a server's event loop (see `optviz.page.worker`), for what a visitor looks at
    apart: bool = False  # whether it is what a worker computes with: `rough` then may ask for `advance` of anything

    def __init_subclass__(cls, **options):
        super().__init_subclass__(**options)
        if "figures" in vars(cls):
            cls.figures_follow = controls_read(cls, "figures")

    def __init__(self, **params):
        self._own: dict[tuple[str, str], Any] = {}  # members that no catalogue has, by kind and label
        self._fit = 0  # counts the events of a parameter `fit_axes`: frames that stay otherwise are made anew
        self.framings = 0  # counts the events that bring axes back
        super().__init__(**params)
        self._memo: dict[str, tuple[Any, Any]] = {}
        self._pages: list[Any] = []
        self._settling = self._trying = False
        known = known_to(self)
        if known is None:
            self.results = self.compute()
            self._layers = self._layers_by_figure()
            self.drawings = self._drawn()
        else:
            vars(self).update({name: value for name, value in known.items() if name not in vars(self)})
        self.param.watch(self._changed, self.knobs())

    # what a subclass writes

    def follow(self, changed: set[str]) -> dict[str, Any]:
        """New values of the parameters that follow those that changed."""
        return {}

    def compute(self) -> Mapping[str, Any]:
        """The results by name, from the parameters alone. A ValueError refuses the change.

        A `picture` among them is made finer once nothing changes, whereupon they are computed again.
        """
        raise NotImplementedError

    def figures(self) -> list[Figure]:
        """The figures, in reading order.

        They may hang on controls: a page then lays itself out anew, and a saved page, whose figures are made when
        it is saved, keeps those controls as they are. Where a layer shall only come and go, leave it empty in `draw`.
        """
        raise NotImplementedError

    def draw(self) -> dict[str, Drawing]:
        """What each figure shows now."""
        raise NotImplementedError

    def status(self) -> str:
        """One sentence (HTML) on what the pictures show."""
        return ""

    def side(self) -> dict[str, str]:
        """Further HTML blocks beside the pictures, by name."""
        return {}

    def shade(self) -> dict[str, float]:
        """From which value on a slider is shaded as unstable, by parameter: "optimizer.lr" is a member's."""
        return {}

    def idle(self) -> list[str]:
        """Controls for which any other value would be refused, by parameter: "optimizer.lr" is a member's."""
        return [f"optimizer.{name}" for name in shut(getattr(self, "optimizer", None))]

    def memory(self) -> float:
        """About how many bytes `compute` takes at these values: a served page refuses what takes too many."""
        return 0.0

    def controls(self, members: Members | None = None) -> list[Any]:
        """Groups of controls: panes made by Panel from the parameters.

        With all `members()`, those of each, the current ones visible: a page without a server.
        """
        return [knobs_of(self, self.menu())]

    def members(self) -> Members:
        """What the menus offer for parameters that hold objects, by parameter and label."""
        return {}

    @classmethod
    def menu(cls) -> list[str]:
        """The parameters that get a control, in order."""
        return [name for name in cls.param if cls.param[name].precedence != -1 and name != "name"]

    def arrange(self, page: Page) -> Any:
        """Where the page's parts stand: the first figure large, the others below it."""
        first, *others = page.figures
        return frame(
            page.controls,
            [page.message, page.status, *page.pictures(first)],
            page.pictures(*others),
            [html(self.notes, "notes")],
        )

    # what the base does

    @classmethod
    def knobs(cls) -> list[str]:
        """The parameters that results or pictures depend on."""
        hidden = {"name", "message", "revision"}
        return [name for name in cls.param if name not in hidden]

    def remember(self, name: str, key: Any, make: Callable[[], Any]) -> Any:
        """The value made for `key`, made anew only when the key changes."""
        kept = self._memo.get(name)
        if kept is None or not _same(kept[0], key):
            kept = (key, make())
            self._memo[name] = kept
        return kept[1]

    def rough(self) -> bool:
        """Whether the results hold a `picture` (see `optviz.maps.stages`) that `refine` can make finer."""
        picture = self.results.get("picture")
        return not self.message and picture is not None and picture.rough()

    def refine(self) -> None:
        """Compute the picture as fine as it gets; a page does so by itself once nothing has changed for a while.

        After a change that it depends on it is coarse, and the same each time: `results` say its shape.
        """
        while self.rough():
            self.advance()

    def advance(self) -> None:
        """Do a part of what `refine` does, short enough to be done between two changes."""
        if self.results["picture"].advance():
            self.refresh()

    def _changed(self, *events: param.parameterized.Event) -> None:
        if self._settling:
            return
        own = {event.name for event in events if event.obj is self}
        if own:
            self.settle(own)
        self.refresh()

    def settle(self, changed: set[str]) -> None:
        """Let parameters follow those that changed, without a computation of their own."""
        self._fit += "fit_axes" in changed
        self.framings += not changed.isdisjoint(self.frames_anew)
        self._settling = True
        try:
            following = self.follow(changed)
            if following:  # param takes a while to set nothing
                self.param.update(**following)
        finally:
            self._settling = False

    def chosen(self, kind: str, name: str) -> Any:
        """The member that a menu's entry stands for: the user's own, else a new one of that name."""
        own = self._own.get((kind, name))
        return resolved(kind, name, type(self).__name__) if own is None else own

    def offered(self, kind: str, name: str, member: Any) -> str:
        """The member's label, made one of this selector's options where it is not (a user's own)."""
        label, selector = label_of(member), self.param[name]
        if label not in (rules() if kind == "rule" else [*surfaces(), OWN]):
            self._own[kind, label] = member
        if label not in selector.objects:
            selector.objects = [*selector.objects, label]
        return label

    def narrow(self, name: str, entries: Mapping[str, Any]) -> None:
        """Have a menu offer these entries, values by label, in this experiment alone."""
        selector = self.param[name]
        if list(selector.objects) != list(entries.values()):
            selector.objects = dict(entries)

    def take(self, owner: param.Parameterized, values: Mapping[str, Any]) -> None:
        """Set parameters, its own or a member's, without a computation: `restart` makes it."""
        self._settling = True
        try:
            owner.param.update(**values)
        finally:
            self._settling = False
        if owner is self:
            self.settle(set(values))

    def restart(self) -> None:
        """Recompute and redraw with nothing kept from before: axes fit what there is now."""
        self._memo = {}
        self.refresh()

    def beside(self) -> Mapping[str, Any]:
        """What another experiment needs beside the parameters to draw the same: attributes by name."""
        return {"_fit": self._fit}

    def bound(self, name: str, low: float, high: float) -> None:
        """Give a parameter other bounds, in this experiment alone."""
        self.param[name].bounds = (low, high)

    def refresh(self) -> None:
        """Recompute and redraw; a refused change leaves results and pictures as they were."""
        if self.worker is not None and self.worker.takes():
            return
        try:
            results = self.compute()
        except ValueError as refusal:
            self.message = str(refusal)
            if not self._trying:
                self._tell()
            return
        self.results = results
        if self.message:  # param takes a while to set what there is
            self.message = ""
        self.drawings = self._drawn()
        self._tell()
        self.revision += 1

    def receive(self, message: str) -> None:
        """Show what a worker has computed, or why it was refused."""
        self.message = message
        self._tell()
        self.revision += not message

    def _layers_by_figure(self) -> dict[str, set[str]]:
        return {figure.name: set(figure.layers) for figure in self.figures()}

    def _drawn(self) -> dict[str, Drawing]:
        drawings = self.draw()
        if self.figures_follow:
            self._layers = self._layers_by_figure()
        strange = [n for n, d in drawings.items() if n not in self._layers or d.layers.keys() - self._layers[n]]
        if strange:
            rule = f"must draw the figures and layers that figures() gives, {', '.join(self._layers)}"
            raise TypeError(f"{type(self).__name__}.draw {rule}, not {', '.join(strange)}.")
        return drawings

    @contextmanager
    def tried(self) -> Iterator[list[str]]:
        """Take back what is set within where it is refused; what was said of it is in the list given."""
        before, standing = {name: getattr(self, name) for name in self.knobs()}, self.message
        said: list[str] = []
        self._trying = True
        try:
            yield said
        finally:
            self._trying = False
            if self.message not in ("", standing):
                said.append(self.message)
                self.param.update(**{n: v for n, v in before.items() if not _same(getattr(self, n), v)})

    def _tell(self) -> None:
        for page in self._pages:
            page.push()

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        prepare_notebook()
        return super()._repr_mimebundle_(include, exclude)

    @property
    def view(self) -> hv.Layout:
        """The pictures as HoloViews DynamicMaps, to compose with `*` and `+`."""
        return hv.Layout(list(self.views.values())).cols(2)

    @property
    def views(self) -> dict[str, Any]:
        """Each figure by name, an overlay of static elements and live DynamicMaps."""
        prepare_notebook()
        return {figure.name: self._dynamic(figure) for figure in self.figures()}

    def _dynamic(self, figure: Figure):
        def frame(revision=0):
            now = next((f for f in self.figures() if f.name == figure.name), None) if self.figures_follow else figure
            if now is None:
                return hv.Overlay([])
            return compose(now, self.drawings[now.name], self.elements(now))

        stream = hv.streams.Params(self, ["revision"])
        return hv.DynamicMap(frame, streams=[stream])

    def elements(self, figure: Figure) -> list[Any]:
        """Static elements and layers of a figure as they stand."""
        drawing = self.drawings[figure.name]
        return [*figure.static(), *(drawing.element(*layer) for layer in figure.layers.items())]

    def page(self) -> Page:
        """A new live page of this experiment: controls, pictures and text."""
        made = Page(self)
        self.attach(made)
        self.attach(Refiner(self))
        return made

    def attach(self, view: Any) -> None:
        """Have `view.push()` called after every change."""
        self._pages.append(view)

    def to_json(self) -> str:
        """The state as a text that `from_json` reads; ValueError where it holds what cannot be shared."""
        return sharing.to_json(self)

    @classmethod
    def from_json(cls, text: str) -> Experiment:
        """The experiment that `to_json` wrote; ValueError with one sentence for anything else."""
        return sharing.from_json(f"{cls.__name__}.from_json", cls.kinds(), text)

    @classmethod
    def kinds(cls) -> Mapping[str, type[Experiment]]:
        """This class by its name; every experiment that there is, for a base class that is none itself."""
        load()
        descendents = param.concrete_descendents(cls)
        return {cls.__name__: cls} if cls in descendents.values() else descendents

    def save(self, path: Any, title: str = "", theme: str = "system", knobs: Any = None, lesson: str = "") -> None:
        """Write this experiment, as it stands, as one HTML page that recomputes in the browser.

        `path` is a file's name or an open file. A button on the page switches between light and dark, and the browser
        remembers; until then its theme is that of the visitor's system, or the `theme` "default" (light) or "dark".
        It opens with the `lesson` of this name, if one is given, "momentum.3" at its third step. The page asks for
        nothing from a network. What runs through torch cannot be recomputed there: its runs are stored for one or two
        `knobs`, `{"lr": [0.1, 0.2, ...]}`, by default for 40 learning rates; of a race every trial, of a map the
        cells. Raises ValueError for a theme, knobs or a lesson that do not exist.
        """
        text = self.html(title, theme, knobs, lesson)
        if hasattr(path, "write"):
            path.write(text)
        else:
            Path(path).write_text(text, "utf-8")

    def html(self, title: str = "", theme: str = "system", knobs: Any = None, lesson: str = "") -> str:
        """The text of the page that `save` writes."""
        return page_html(self, title, theme, knobs, lesson=lesson)

    def live(self, height: int = 760, lesson: str = "") -> Any:
        """A view for notebooks that needs no kernel: the page that `save` writes, in a frame."""
        return Frame(self.html(theme="default", lesson=lesson), height, self.title)

    def __panel__(self):
        made = self.page()
        made.put_above_picture(place())
        self.attach(Remote(made))
        return made.layout


Experiment.foundation = Experiment


def load() -> None:
    """Import every experiment of optviz's own, so that a text finds it and an index names it."""
    lessons = import_module(f"{__package__}.experiments")
    for module in iter_modules(lessons.__path__):
        import_module(f"{lessons.__name__}.{module.name}")


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, tuple) and isinstance(b, tuple):
        return len(a) == len(b) and all(map(_same, a, b))
    return a is b or (type(a) is type(b) and not isinstance(a, np.ndarray) and a == b)
