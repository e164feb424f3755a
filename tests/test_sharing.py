"""A state travels as an address or as JSON: exactly, or refused value by value in one sentence each."""

import asyncio
import json
import random
import threading
from urllib.parse import parse_qs, urlencode

import numpy as np
import param
import pytest
import torch
from bokeh.document import Document
from hypothesis import given, settings
from hypothesis import strategies as st
from test_layers import VIEWS, loaded

import optviz
from optviz import SGD, Experiment, LossComparison, SingleParameter, SurfaceDescent, TorchOptimizer
from optviz.app import Link, download
from optviz.catalogue import experiments
from optviz.experiments.scheduled import Scheduled
from optviz.menus import rules, surfaces
from optviz.objectives.samples import SEED, text_of
from optviz.state import sharing
from optviz.state.values import BRINGING

KINDS = list(experiments().values())
SCRIPT = "<script>document.title='taken'</script>"


def from_address(kind, query):
    """The experiment that opens at this address, and what is refused."""
    arguments = parse_qs(query, keep_blank_values=True, encoding="latin1")
    return sharing.apply(kind, sharing.values_of({n: [v.encode("latin1") for v in vs] for n, vs in arguments.items()}))


def is_sentence(text) -> bool:
    return "\n" not in text and text.endswith(".") and text[0].isalpha() and len(text) < 400 and text.isprintable()


def legal(spec, draw):
    """A value within a description: an edge, a round one, or one with all its digits."""
    if spec["kind"] == "option":
        return draw.choice(list(spec["options"].values()))
    if spec["kind"] == "formula":
        return draw.choice(["x^2 + 3y^2 + a sin(b x)", "|x| + max(y, -y) + k", "(1-x)² + 10(y-x²)²"])
    if spec["kind"] == "boolean":
        return draw.random() < 0.5
    if spec["kind"] == "samples":
        columns = [[draw.gauss(30, 4) for _ in range(9)] for _ in range(spec["width"])]
        return draw.choice([SEED, text_of(columns, draw.choice([[], ["a b", "cé", "d"][: spec["width"]]]))])
    low = -3.0 if spec["low"] is None else spec["low"]
    high = max(low, 0.1) * 4 if spec["high"] is None else min(spec["high"], 200)
    if spec["kind"] == "integer":
        return draw.randint(low, high)
    edges = [v for v, held in zip((low, high), spec["inclusive"], strict=True) if held]
    inner = low + (high - low) * draw.uniform(0.001, 0.999)
    return draw.choice([*edges, inner, inner, round(inner, 3) or inner])


def wander(experiment, draw, leave=()):
    """Set most values as a visitor would, one by one; those that the experiment refuses are set back."""
    for choosing in (True, False):
        for name, spec in sharing.specs(experiment).items():
            if name not in leave and (spec["kind"] in (*BRINGING, "formula")) == choosing and draw.random() < 0.7:
                owner = getattr(experiment, spec["member"][0]) if spec["member"] else experiment
                before = getattr(owner, spec["parameter"])
                setattr(owner, spec["parameter"], legal(spec, draw))
                if experiment.message:
                    setattr(owner, spec["parameter"], before)
                assert experiment.message == "", name
    return experiment


def same(a, b) -> bool:
    """Whether two drawings, trajectories, arrays or numbers are equal to the last bit."""
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, np.ndarray):
        equal = same(a.tolist(), b.tolist()) if a.dtype == object else a.tobytes() == b.tobytes()
        return a.shape == b.shape and equal
    if hasattr(a, "__dataclass_fields__"):
        return same(vars(a), vars(b))
    return a == b or (a != a and b != b)


def assert_travels(experiment):
    """JSON and address hold the state, and both open with the same numbers and pictures."""
    state = sharing.state_of(experiment)
    read = Experiment.from_json(experiment.to_json())
    linked, refused = from_address(type(experiment), sharing.query(experiment))
    assert refused == [] and linked.message == "" and sharing.link_note(experiment) == ""
    for other in (read, linked):
        assert type(other) is type(experiment) and sharing.state_of(other) == state
        assert sharing.query(other) == sharing.query(experiment) and other.to_json() == experiment.to_json()
        for name in ("trajectory", "updates", "gradients", "rates", "window"):
            if hasattr(experiment, name):
                assert same(getattr(other, name), getattr(experiment, name)), name
    assert same(read.drawings, linked.drawings)


def test_sharing_imports_no_view():
    assert not loaded("import optviz.state.sharing") & {*VIEWS, "torch"}


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_experiment_has_an_empty_address_and_travels(kind):
    experiment = kind()
    assert sharing.query(experiment) == ""
    assert_travels(experiment)
    assert same(kind.from_json(experiment.to_json()).drawings, experiment.drawings)


@pytest.mark.parametrize("kind", [SurfaceDescent, optviz.HyperparameterMap])
def test_an_experiment_reads_its_own_kind_and_the_base_reads_any(kind):
    other = {SurfaceDescent: optviz.HyperparameterMap, optviz.HyperparameterMap: SurfaceDescent}[kind]
    text = kind().to_json()
    assert type(kind.from_json(text)) is type(Experiment.from_json(text)) is kind
    with pytest.raises(ValueError) as caught:
        other.from_json(text)
    names = f"an experiment among {other.__name__}, not '{kind.__name__}'."
    assert str(caught.value) == f"{other.__name__}.from_json needs {names}"


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kind", KINDS)
def test_random_states_travel_exactly(kind, seed):
    assert_travels(wander(kind(), random.Random(seed)))


@pytest.mark.parametrize("number", range(max(len(rules()), len(surfaces()))))
def test_every_rule_and_every_surface_travels(number):
    rule, surface = (list(found)[number % len(found)] for found in (rules(), surfaces()))
    experiment = SurfaceDescent(optimizer_name=rule, objective_name=surface)
    assert_travels(experiment)
    assert_travels(wander(experiment, random.Random(number), ["basins"]))  # which take long, and travel above


SCHEDULE = [name for name in Scheduled.param if name.startswith("schedule")]


def test_names_never_clash():
    own = set(sharing.specs(SurfaceDescent(optimizer=TorchOptimizer(torch.optim.SGD, lr=0.1), steps=2)))
    first = {"objective", "formula", "optimizer", "steps", "clip", "start_x", "start_y", "basins", "flow"}
    assert own == first | set(SCHEDULE)
    for rule in rules().values():
        for surface in surfaces().values():
            names = [*own, *rule.hyperparameters(), *surface.shape_names()]
            assert len({"theme", *names}) == len(names) + 1


@pytest.mark.parametrize("kind", KINDS)
def test_every_control_but_buttons_is_described_in_plain_json(kind):
    experiment = kind()
    described = sharing.specs(experiment)
    assert json.loads(json.dumps(described, allow_nan=False)) == described
    controls = {n for n in kind.menu() if not isinstance(kind.param[n], param.Event)}
    assert {s["parameter"] for s in described.values() if s["member"] is None} == controls
    for name, spec in described.items():
        assert name.isidentifier() and name.isascii()
        texts = spec["options"] or {}
        assert len(texts) == len(set(texts.values())) and all(urlencode({"": t}) == f"={t}" for t in texts)


def test_an_address_is_short_and_readable():
    experiment = SurfaceDescent(optimizer="Adam", objective="Rosenbrock")
    experiment.optimizer.param.update(lr=0.2, beta1=0.8, amsgrad=True)
    experiment.param.update(start_x=-0.0, steps=31)
    said = "objective=rosenbrock&optimizer=adam&lr=0.2&beta1=0.8&amsgrad=true&steps=31&start_x=-0"
    assert sharing.query(experiment) == said
    preset = LossComparison(preset="momentum 0.9, dampening 0.8")
    assert sharing.query(preset) == "preset=momentum-0.9-dampening-0.8"
    preset.momentum = 0.5
    assert sharing.query(preset) == "preset=your-own&momentum=0.5&dampening=0.8"


def test_what_a_choice_brings_comes_first_and_all_is_one_computation(monkeypatch):
    counted = []
    compute = SurfaceDescent.compute
    monkeypatch.setattr(SurfaceDescent, "compute", lambda self: counted.append(1) or compute(self))
    values = dict(steps="7", start_y="1.5", beta1="0.5", lr="0.3", optimizer="ADAM", objective="Three-hump camel")
    experiment, refused = sharing.apply(SurfaceDescent, values)
    assert refused == [] and len(counted) == 2  # the new experiment's own, then all values at once
    assert (experiment.steps, experiment.start) == (7, (experiment.objective.starts[0][0], 1.5))
    assert (experiment.optimizer.lr, experiment.optimizer.beta1, experiment.optimizer.eps) == (0.3, 0.5, 1e-6)
    moved = SurfaceDescent()
    page = moved.page()
    assert sharing.apply(moved, values) == (moved, []) and moved.revision == 1 and len(counted) == 4
    assert same(moved.drawings, experiment.drawings) and page.status.object.find("After 7 steps") > 0


# what is asked for, and the sentence on it
NAMES = ("objective, formula, optimizer, lr, momentum, dampening, weight_decay, nesterov, steps, clip, start_x, "
         "start_y, basins, flow, schedule, schedule_...")  # fmt: skip
RULES = ", ".join(name.lower() for name in rules())
LR = "SGD.lr must be a finite number of at least 0, not {}; leave it out for 0.05."
STEPS = "SurfaceDescent.steps must be a whole number from 1 to 10000, not {}; leave it out for 50."
RULE = f"SurfaceDescent.optimizer must be one of {RULES}, not {{}}; leave it out for sgd."
UNKNOWN = f"SurfaceDescent takes only values that it has, not {{}}; choose from {NAMES}."
REFUSED = [
    *((SurfaceDescent, "lr", text, LR.format(repr(text)))
      for text in ("-1", "NaN", "1e999", "Infinity", "", " 1", "0x10", "1_0", "1\x00", "٣", "1,5", "%", SCRIPT)),
    *((SurfaceDescent, "lr", value, LR.format(value)) for value in (np.nan, -np.inf, True, None, [0.1], {})),
    (SurfaceDescent, "lr", 10**5000, LR.format("a number too long to show")),
    (SurfaceDescent, "lr", "1" * 100_000,
     f"SGD.lr must be at most 200 characters long, not '{'1' * 56}...; leave it out for 0.05."),
    (SurfaceDescent, "lr", ["1", "2"], "SGD.lr must be given once, not 2 times; keep one of them."),
    (SurfaceDescent, "nesterov", "yes", "SGD.nesterov must be true or false, not 'yes'; leave it out for false."),
    (SurfaceDescent, "nesterov", 1, "SGD.nesterov must be true or false, not 1; leave it out for false."),
    *((SurfaceDescent, "steps", text, STEPS.format(repr(text))) for text in ("1.5", "0", "10001", 3.5)),
    (SurfaceDescent, "start_x", "x", "SurfaceDescent.start_x must be a finite number, not 'x'; leave it out for -5."),
    *((SurfaceDescent, "optimizer", text, RULE.format(repr(text))) for text in (SCRIPT, "²", "", "ada", None, 3)),
    *((SurfaceDescent, name, "1", UNKNOWN.format(repr(name)))
      for name in ("beta1", "steepness", "fit_axes", "__class__", SCRIPT, "", "\ud800", "\u202elr")),
    (SurfaceDescent, "x" * 100_000, "1", UNKNOWN.format(f"'{'x' * 56}...")),
    (SingleParameter, "seed", "9007199254740993", "SingleParameter.seed must be a whole number from 0 to "
     "9007199254740991, not '9007199254740993'; leave it out for 0."),
    (SingleParameter, "clip", "0.4",
     "SingleParameter.clip must be a finite number from 0.5 to 5, not '0.4'; leave it out for 5."),
    (LossComparison, "preset", "fast",
     "LossComparison.preset must be one of plain, momentum-0.9, momentum-0.9-nesterov, "
     "nesterov-0.9-weight-decay-2, momentum-0.9-dampening-0.8, your-own, not 'fast'; leave it out for plain."),
]  # fmt: skip


@pytest.mark.parametrize("case", range(len(REFUSED)))
def test_a_bad_value_alone_is_refused_in_one_sentence(case):
    kind, name, value, sentence = REFUSED[case]
    good = {SurfaceDescent: {"start_y": 1.25}, LossComparison: {"epochs": 9}, SingleParameter: {"epoch": 7}}[kind]
    experiment, refused = sharing.apply(kind, {name: value, **good})
    assert refused == [sentence] and is_sentence(sentence) and experiment.message == ""
    assert sharing.state_of(experiment) == {**sharing.state_of(kind()), **good}  # the rest holds
    if value != 10**5000:
        with pytest.raises(ValueError) as caught:
            kind.from_json(json.dumps({"experiment": kind.__name__, "values": {**good, name: value}}))
        assert str(caught.value) == sentence


@pytest.mark.parametrize(("rule", "name", "words"), [
    ("Adam", "beta1", " of at least 0 and below 1"), ("Rprop", "etaplus", " above 1"), ("SGD", "dampening", ""),
    ("Rprop", "etaminus", " above 0 and below 1"),
])  # fmt: skip
def test_bounds_are_said_as_they_are(rule, name, words):
    assert sharing.specs(SurfaceDescent(optimizer=rule))[name]["rule"] == f"must be a finite number{words}"


@pytest.mark.parametrize(("query", "count", "state"), [
    ("lr=%ff%fe&steps=%00&momentum=0.5", 2, {"momentum": 0.5}),
    ("%ff=%ff&%00=1&=2&&&steps=%31%32", 3, {"steps": 12}),
    ("lr=0.1&lr=0.2&steps=5&steps=5&nesterov=false", 2, {}),
    ("lr=+0.1&lr%20=1&steps=1;2&momentum=1%0d%0a", 4, {}),
    ("theme=dark&theme=x&bokeh-session-id=7&themes=1&momentum=.5&steps=1e1", 1, {"momentum": 0.5, "steps": 10}),
    ("lr=%E2%82%AC&%E2%82%AC=1&objective=%3Cimg%20src=x%20onerror=alert(1)%3E", 3, {}),
])  # fmt: skip
def test_an_address_full_of_junk_is_refused_piece_by_piece(query, count, state):
    experiment, refused = from_address(SurfaceDescent, query)
    assert len(refused) == count and all(map(is_sentence, refused)), refused
    assert sharing.state_of(experiment) == {**sharing.state_of(SurfaceDescent()), **state}


names = st.sampled_from([*NAMES.split(", "), "beta1", "steepness", "x"]) | st.text(max_size=8)
plain = st.text(max_size=300) | st.floats() | st.integers() | st.booleans() | st.none() | st.sampled_from(
    ["adam", "rosenbrock", "newton", "1e308", "-1e308", "0.1", "true", "NaN", "5"])  # fmt: skip


nested = st.lists(plain, max_size=3) | st.dictionaries(names, plain, max_size=2)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(names, plain | nested, max_size=8))
def test_nothing_that_an_address_or_json_may_say_is_an_exception(values):
    if isinstance(values.get("steps"), int | float | str):
        values.pop("steps")  # thousands of them take their time
    experiment, refused = sharing.apply(SurfaceDescent, values)
    assert len(refused) <= len(values) and all(map(is_sentence, refused))
    assert experiment.message == "" or is_sentence(experiment.message)
    assert sharing.link_note(experiment) == ""


def test_a_combination_is_refused_by_the_experiment_itself():
    for kind in (SurfaceDescent, LossComparison):
        experiment, refused = sharing.apply(kind, {"nesterov": "true"})
        assert refused == [] and experiment.message.startswith("SGD: Nesterov momentum requires a momentum above 0")
        assert sharing.query(experiment) in ("nesterov=true", "preset=your-own&nesterov=true")
        assert same(experiment.drawings, kind().drawings)
        with pytest.raises(ValueError, match=r"^SGD: Nesterov momentum requires a momentum above 0"):
            kind.from_json(experiment.to_json())
    far, refused = sharing.apply(SurfaceDescent, {"start_x": "1e200"})
    assert refused == [] and far.message.startswith("SurfaceDescent needs a start where the loss is finite")


FROM = "SurfaceDescent.from_json needs"
WANTED = f'{FROM} a text {{"experiment": ..., "values": {{...}}}}, not '
BAD_TEXTS = [
    ("", WANTED), ("[]", WANTED), (None, WANTED), (b"\xff", WANTED), ("[" * 100_000, WANTED), ("1" * 5000, WANTED),
    ('{"experiment": "SurfaceDescent"}', WANTED), ('{"experiment": 3, "values": {}}', WANTED),
    ('{"experiment": "SurfaceDescent", "values": []}', WANTED),
    ('{"experiment": "SurfaceDescent", "values": {}, "more": 1}', WANTED),
    ('{"experiment": "LossComparison", "values": {}}', f"{FROM} an experiment among SurfaceDescent, not 'Loss"),
    (f'{{"experiment": "{SCRIPT}", "values": {{}}}}', f"{FROM} an experiment among SurfaceDescent, not \"<script>"),
    ('{"experiment": "SurfaceDescent", "values": {"lr": 1, "lr": 2}}', "SGD.lr must be given once, not 2 times"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "words"), BAD_TEXTS, ids=lambda v: str(v)[:20])
def test_what_is_no_such_json_is_refused_in_one_sentence(text, words):
    with pytest.raises(ValueError) as caught:
        SurfaceDescent.from_json(text)
    assert str(caught.value).startswith(words) and is_sentence(str(caught.value))


UNSHARED = [
    (lambda: SurfaceDescent(objective=optviz.objective(lambda x, y: x**2 + y**2, label="bowl")),
     "SurfaceDescent.objective cannot be shared: it must be one of quadratic, ", "not 'bowl of your own'"),
    (lambda: SurfaceDescent(optimizer=TorchOptimizer(torch.optim.SGD, lr=0.1), steps=2),
     "SurfaceDescent.optimizer cannot be shared: it must be one of sgd, ", "of your own'"),
    (lambda: SurfaceDescent(optimizer=SGD(lr=[0.1, 0.2])),
     "SGD.lr cannot be shared: it must be a finite number of at least 0", "not [0.1, 0.2]"),
    (lambda: SingleParameter(gradients=np.zeros(23640)), "SingleParameter cannot be shared: it must", "set the seed"),
    (lambda: SingleParameter(seed=2**60), "SingleParameter.seed cannot be shared: it must be", "not 11529"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "begin", "words"), UNSHARED, ids=lambda v: v if isinstance(v, str) else "")
def test_what_is_a_users_own_is_said_to_stay_behind(make, begin, words):
    experiment = make()
    note = sharing.link_note(experiment)
    assert note.startswith(begin) and words in note and is_sentence(note)
    with pytest.raises(ValueError) as caught:
        experiment.to_json()
    assert str(caught.value) == note
    linked, refused = from_address(type(experiment), sharing.query(experiment))  # the rest travels
    assert refused == [] and linked.message == ""


def test_a_download_is_written_beside_the_event_loop_as_things_stood(monkeypatch):
    experiment, moved, threads = SurfaceDescent(optimizer="Adam", steps=40), threading.Event(), []
    experiment.optimizer.lr = 0.3
    experiment.param.trigger("fit_axes")
    button = download(experiment)

    def html(self, **options):
        assert moved.wait(10)  # which only the event loop does
        threads.append(threading.current_thread())
        return f"{sharing.state_of(self)} {self._fit} {options}"

    async def visit():
        writing = asyncio.ensure_future(button.callback())
        await asyncio.sleep(0)
        assert button.label == "Writing the page…"
        experiment.param.update(steps=7, objective_name="Booth")
        moved.set()
        return (await writing).read()

    before = sharing.state_of(experiment)
    monkeypatch.setattr(SurfaceDescent, "html", html)
    assert asyncio.run(visit()) == f"{before} 1 {{'theme': 'default'}}" and button.label == "Download page"
    assert threads != [threading.main_thread()] and experiment.steps == 7
    own = download(SurfaceDescent(objective=optviz.objective(lambda x, y: x**2 + y**2, label="mine")))
    assert "Writing" not in asyncio.run(own.callback()).read()  # cannot be copied, and is written where it is
    assert threads[1] is threading.main_thread()


def test_the_address_keeps_the_last_state_that_was_not_refused():
    experiment, document, sent = SurfaceDescent(), Document(), []
    document.on_change(lambda event: sent.append(event.msg_data[0]))
    experiment.attach(Link(experiment, document))
    experiment.optimizer.momentum = 0.5
    experiment.optimizer.nesterov = True
    experiment.optimizer.momentum = 0.0
    assert experiment.message and sent == ["momentum=0.5", "momentum=0.5&nesterov=true"]
    experiment.optimizer.momentum = 0.25
    assert sent[2:] == ["momentum=0.25&nesterov=true"]
