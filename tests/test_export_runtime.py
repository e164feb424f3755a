"""The page's small Python and numpy against the real ones: lines of Python, run here and in node."""

import builtins
import copy
import json
import math
import re
from itertools import product
from typing import Any

import numpy as np
import pytest
from engine import run_js

pytestmark = pytest.mark.filterwarnings("ignore")
ROUGHLY = 1e-15  # what exp and its like may differ by from one library to the next

# JSON has neither nan nor -0, and arrays are to be told from lists
HARNESS = """
const nd = (data, ...more) => new Nd(typeof data[0] === "string" ? data : Float64Array.from(data), ...more);
function shown(x) {
  if (typeof x === "number") return Number.isFinite(x) && !Object.is(x, -0) ? x : { number: py.str(x) };
  if (Array.isArray(x)) return x.map(shown);
  if (x instanceof Nd) return { array: Array.from(x.data, (_, i) => shown(x.value(i))), shape: x.shape, bool: x.bool };
  if (x instanceof Set) return { set: [...x].map(shown) };
  if (x === undefined || typeof x === "function") return { error: String(x) };
  return x && typeof x === "object" ? { dict: Object.entries(x).map(([k, v]) => [k, shown(v)]) } : x;
}
const named = (error) => ({ error: error instanceof PyError ? error.name : error.stack });
const attempted = (f) => { try { return shown(f()); } catch (error) { return named(error); } };
"""
OPERATORS = "add sub mul truediv floordiv mod pow matmul and or lt le gt ge eq ne neg invert"
SYMBOLS = ["+", "-", "*", "/", "//", "%", "**", "<", "<=", ">", ">=", "==", "!=", "&", "|"]
Failed = type("Failed", (str,), {})  # the names of an exception, its own and those of its bases, as a result


def read(x: dict[str, Any]) -> Any:
    """What `shown` says, as Python's value."""
    if "array" in x:
        words = any(isinstance(v, str) for v in x["array"])
        kind = object if words else bool if x["bool"] else float
        return np.array(x["array"], dtype=kind).reshape([*map(int, x["shape"])])
    kinds = {"number": float, "error": Failed, "set": set, "dict": dict}
    return next(kind(x[key]) for key, kind in kinds.items() if key in x)


def js(x: Any) -> str:
    """A value as JavaScript."""
    x = x.item() if isinstance(x, np.generic) else x
    if isinstance(x, Js | np.ndarray):
        return x.text if isinstance(x, Js) else f"nd({js(x.ravel().tolist())}, {[*x.shape]}, {js(x.dtype == bool)})"
    if isinstance(x, list | tuple | range | set):
        return ("new Set([{}])" if isinstance(x, set) else "[{}]").format(", ".join(map(js, x)))
    if isinstance(x, dict):
        return "{" + ", ".join(f"{js(k)}: {js(v)}" for k, v in x.items()) + "}"
    if isinstance(x, slice):
        return f"new Slice({js(x.start)}, {js(x.stop)}, {js(x.step)})"
    return "ELLIPSIS" if x is ... else json.dumps(x)  # nan and the infinities as JavaScript spells them


class Js:
    """What a line of Python is in JavaScript, written as Python runs the line: far less than pages are printed with."""

    def __init__(self, text: str, owner: str = "np", name: str = ""):
        self.text, self.owner, self.name = text, owner, name

    def __call__(self, *args, **keywords):
        parts = ", ".join([*map(js, args), *([f"new Kw({js(keywords)})"] if keywords else [])])
        return Js(f"{self.text}({parts})" if self.owner == "np" else f"call({self.owner}, {js(self.name)}, {parts})")

    __getattr__ = lambda self, name: Js(f"{self.text}.{name}", self.text, name)
    __getitem__ = lambda self, key: Js(f"at({self.text}, {js(key)})")
    __setitem__ = lambda self, key, value: setattr(Js, "put", Js(f"put({self.text}, {js(key)}, {js(value)}), null"))
    for _name in OPERATORS.split():
        _op = {"truediv": "op.div", "and": "op.and_", "or": "op.or_"}.get(_name, f"op.{_name}")
        vars()[f"__{_name}__"] = lambda *x, op=_op: Js(f"{op}({', '.join(map(js, x))})")
        vars()[f"__r{_name}__"] = lambda *x, op=_op: Js(f"{op}({', '.join(map(js, x[::-1]))})")


SCOPE = {name: Js(f"py.{name}") for name in dir(builtins) if name.islower()} | {"np": Js("np"), "format": Js("format")}


def agree(got: Any, want: Any, rtol: float = 0.0) -> bool:
    want = want.item() if isinstance(want, np.generic | np.ndarray) and not want.ndim else want
    if isinstance(want, np.ndarray):
        alike = isinstance(got, np.ndarray) and got.shape == want.shape and (got.dtype == bool) == (want.dtype == bool)
        return alike and agree(got.ravel().tolist(), want.ravel().tolist(), rtol)
    if isinstance(want, dict) and isinstance(got, dict):
        return agree([*map(list, got.items())], list(want.items()), rtol)
    if hasattr(want, "__iter__") and not isinstance(want, str | set | dict):
        found, items = got if isinstance(got, list) else [Failed()], list(want)
        return len(found) == len(items) and all(map(lambda g, w: agree(g, w, rtol), found, items))
    if isinstance(want, int | float) and type(got) is float and not isinstance(want, bool):
        same = got == want and (isinstance(want, int) or str(got)[0] == str(want)[0])  # -0.0 is not 0.0
        return same or (got != got and want != want) or (rtol > 0 and math.isclose(got, want, rel_tol=rtol))
    return type(got) is type(want) and (got in want.split() if isinstance(want, Failed) else got == want)


@np.errstate(all="ignore")
def attempt(f: Any, *args) -> Any:
    """A result, the names of an exception, or a complex number, also for what JavaScript does not refuse."""
    try:
        return f(*args)
    except ArithmeticError:
        return 1j
    except Exception as error:
        return Failed(" ".join(kind.__name__ for kind in type(error).__mro__).replace("AttributeError", "PyError"))


class Cases:
    """Lines of Python, and what they give here, to be checked in one run of node."""

    def __init__(self):
        self.cases: list[tuple[str, Any, float]] = []
        self.random = np.random.default_rng(20240601)

    def js(self, source: str, want: Any, rtol: float = 0.0) -> None:
        self.cases.append((source, want, rtol))

    def say(self, lines: str, rtol: float = 0.0, **values) -> None:
        """Lines, parted by semicolons, give the same in both, and leave the values as they are left here."""
        for line in map(str.strip, " ".join(lines.split()).split(";")):
            own = {name: copy.deepcopy(values[name]) for name in values if re.search(rf"\b{name}\b", line)}
            left = [name for name, value in own.items() if isinstance(value, list | dict | set | np.ndarray)]
            run = exec if " = " in line else eval
            text = run(line, SCOPE, {name: Js(name) for name in own}) or Js.put
            held = "".join(f"const {name} = {js(value)}; " for name, value in own.items())
            found = attempt(run, line, {"np": np}, own)
            if type(found) is not complex:
                want = found if isinstance(found, Failed) else [found, *map(own.get, left)]
                self.js(f"(() => {{ {held}return [({js(text)}), {', '.join(left)}]; }})()", want, rtol)

    def table(self, text: str, form: str = "np.{}({})", usual: str = "", rtol: float = 0.0, **values) -> None:
        """Entries parted by bars, a function and its arguments each time: `name: arguments; arguments`."""
        for name, _, tries in (entry.strip().partition(":") for entry in " ".join(text.split()).split("|")):
            self.say("; ".join(form.format(name, args.strip()) for args in (tries or usual).split(";")), rtol, **values)

    def array(self, *shape: int, odd: bool = False) -> np.ndarray:
        x = np.asarray(np.round(self.random.normal(0, 3, shape), 3))
        x[self.random.random(shape) < 0.15] = self.random.choice([np.nan, np.inf, 0.0]) if odd else 0.0
        return x

    def check(self) -> None:
        sources = ",\n".join(f"() => {source}" for source, _, _ in self.cases)
        source = f"{HARNESS}\nreturn [\n{sources}\n].map(attempted);"
        found = run_js(source, object_hook=read, parse_int=float)
        wrong = [(got, *case) for got, case in zip(found, self.cases, strict=True) if not agree(got, *case[1:])]
        told = [f"{source:.400}\n  gave {got!r:.400}\n  not  {want!r:.400}" for got, source, want, _ in wrong[:8]]
        assert found and not wrong, "\n".join([f"{len(wrong)} of {len(found)} differ:", *told])


# Entries parted by bars, a function or method and its arguments each time
SPECS = """g .4g .3f .2f .0f .1f .2e .0e +.3g ,.1f % .1% 5.1f 08.3f +f e f .0g .17g .30f *^14.3g <9.2f _.2f 012,.1f G
.1E .3 =+9.1f .0% x>9.1f F .20e -.1f"""
TEXTS = ["nan", "inf", "-Infinity", " 1.5 ", "1e-7", "1_000.5", "", "0x10", "1.", ".5", "+3", "1__0", "12", "a'b", '"']
STRING = """join: ['a', 'b']; []; ['a', 1] | lower | upper | strip | split: ; ','; 'x'
| removesuffix: 'Xx '; 'q' | nothing | replace: 'x', '$&'; '', '-'"""
LIST = """index: 2; 9 | nothing"""
DICT = """items | values | get: 'a'; 'q'; 'q', 3 | nothing"""
BUILT_IN = """len | list | tuple | sorted: x; x, reverse=True | min | max: x; x, default=None | any | all | sum |
enumerate: x; x, start=3 | list: zip(x, 'ab'); zip(x, [1, 2, 3], 'abcd', strict=True)"""
EXACT = """sqrt | abs | floor | ceil | isfinite | isnan | isinf | float32 | clip: x, -1, None; x,
a_min=0.0, a_max=1.0"""
ROUGH = """log10 | sin | cos | tanh | power: x, 3; x, 2.5"""
PAIRS = """maximum | minimum | clip: a, -1.0, b; a, b, None | where: a > 0, a, b; a > b, a > 0, b > 0"""
REDUCED = """sum | mean | median | min | max | any | argmin | argmax | count_nonzero | cumsum | sort"""
OF_NUMBERS = """ptp | nanmin | nanmax"""
MADE = """zeros: 3; (2, 3) | ones: (0, 2); 2, dtype=bool | full: (2, 2), np.nan; 3, 2.5 | ndim: 3; np.empty((2, 3)) |
arange: 5; 2, 9; 0, 1, 0.1; 5, -5, -3; -1, 1, 0.3; 3, 3; 0.5, 4; 3, dtype=float | linspace: 0, 1; -3, 3, 100; 2, 2, 5;
1, 0, 1; 0, 1, 0; -1.3, 7.1, num=160 | array: [1, 2.5]; [[1, 2], [3, 4]]; [True, False]; []; [[], []]; 5;
True; [1, True]; a; [s, s]; [[s], [s]]; [[1, 2], [3]]; [None, 1.5], dtype=float; [True], dtype=float; [np.inf, np.nan]
| asarray: a, dtype=float; 2"""
SHAPED = """concatenate: [a, b]; [a, b], axis=1; [a, b], axis=-1; [a, s]; [c, c], axis=1; [[1, 2], s] | stack: [a, b];
[a, b], axis=1; [a, b], -1; [1.0, 2.0] | repeat: a, 2; s, [1, 0, 2, 3, 1]; 3.0, 4 | flatnonzero: m | tile: s, 2; s,
(2, 3); s, (2, 1, 2); a, 2; a, (2, 1); s, 0 | meshgrid: s, [1.0, 2]; s, s, [3.0, 4] | sort: a, axis=None"""
METHODS = """sum: ; axis=1 | mean: 0 | std: 1 | min: -1 | max | any: ; axis=1 | all: 0 | ravel | reshape: 2, -1; (4,
3); -1 | tolist | copy | swapaxes: 0, 1 | item: 3;"""


@pytest.fixture
def cases():
    made = Cases()
    yield made
    made.check()


def test_format_and_conversions(cases):
    ties = [i / 2**k for k in (1, 2, 3, 4) for i in (-5, -3, -1, 1, 3, 5, 7, 9, 13, 15, 25, 1234567)]
    odd = [0.0, -0.0, 5e-324, 1e22, 1e21, 1e16, 9999999999999998.0, 123456789012345678.0, 1e-4, 9.9999e-5, 0.1, 1e300,
           2.675, 1.005, 999.95, 0.99995, 9.5, 99.5, 1e15 + 0.5, math.nan, math.inf, -math.inf]  # fmt: skip
    drawn = cases.random.standard_normal(150) * 10.0 ** cases.random.integers(-12, 20, 150)
    values = [*odd, *ties, *drawn.tolist(), *np.round(cases.random.uniform(-100, 100, 150), 2).tolist()]
    whole = [0, 1, -1, 7, 12, 999, 1000, -1234567, 255, 2**40, True, False]
    for given, specs in ((values, SPECS), (whole, "d , 5d 05d +d ,d x 02x X b o _d <6 ^7d 09, >6 +")):
        for spec in [*specs.split(), " .2f"]:
            cases.js(f"{js(given)}.map((x) => format(x, {js(spec)}))", [format(x, spec) for x in given])
    cases.js(f'{js(values)}.map((x) => format(x, ""))', [repr(x).removesuffix(".0") for x in values])
    for spec in ["", ">8", "<8", "^8", "*^9", ".2", "6.1s", "s", "05"]:
        cases.say("format('añb', spec)", spec=spec)
    cases.table("format: True, ''; None, ''; [1, 'a'], ''; 1.5, 'd'; 1.5, 'q'; 1, '5.'; None, '3'", "{}({})")
    for digits in (0, 1, 2, 3, 7, 320, -1, -2, -3, -9, -22, -320):
        cases.js(f"{js(values)}.map((x) => py.round(x, {digits}))", [round(x, digits) for x in values])
    for x in [x for x in values[::3] if math.isfinite(x) and abs(x) < 1e15]:
        cases.say("int(x); round(x)", x=x)
    for x in [*TEXTS, math.nan, True, 3.9, -3.9, None, [1], "a\n\\", [1, 2.5, "x"], {"a": [1]}, {1.5}, set()]:
        cases.say("float(x); bool(x); int(x); repr(x); str(x)", x=x)
    cases.table("int: ' 77 '; '1_0' | float: | bool: | str: | list:", "{}({})")


def test_operators_follow_python(cases):
    drawn = [*cases.random.integers(-9, 10, 5).tolist(), *cases.array(3).tolist(), 0.1, 1.0, 1e300, True, False]
    odd = [1.0, -1.0, 0.0, -0.0, 2.0, -3.0, math.nan, math.inf, -math.inf]
    things = [[1, 2], [1, 3, 0], [], ["a", "b"], "ab", "", "b", {1, 2}, {2, 3}, set(), {"a": 1}, {"a": 2, "b": [1]}, {},
              None, 0, 1, True, [[1], [2, 3]], [[1], [2]], {"b": [1.0], "a": 2}, [True, 2.0]]  # fmt: skip
    for symbol in SYMBOLS:
        line, rtol = f"a {symbol} b", ROUGHLY if symbol == "**" else 0.0
        for a, b in product(drawn, drawn):  # Python refuses bits of fractions
            if not (symbol in "&|" and float in (type(a), type(b))) and not (symbol == "**" and abs(b) > 99):
                cases.say(line, rtol, a=a, b=b)
        for a, b in product(odd, odd) if symbol not in "&|" else ():  # as numpy has it: nothing is refused
            cases.say(line, rtol, a=np.float64(a), b=np.float64(b))
        for a, b in product(things, things) if symbol not in ("**", "//", "/", "%") else ():
            cases.say(line, a=a, b=b)
    for a in [*things, False, 3, 2.5, -0.0, math.nan, np.zeros(1), np.ones(1), np.ones(2), np.array([True])]:
        cases.say("bool(a); list(a)" if isinstance(a, np.ndarray) else "bool(a); list(a); -a", a=a)
        for b in ["a", "b", *([] if isinstance(a, dict) else [1, None]), *([] if isinstance(a, dict | set) else [[1]])]:
            cases.js(f"contains({js(a)}, {js(b)})", attempt(lambda a=a, b=b: b in a))
    cases.js("[np.zeros(0), null, NaN, new Slice()].map(truth)", [False, False, True, True])
    cases.js("[op.invert(true), op.invert(5), op.pow(10, -5)]", [False, -6, 1e-5])


def test_subscripts_of_sequences(cases):
    for _ in range(300):
        x, bounds = (cases.random.integers(-9, 10, n).tolist() for n in (cases.random.integers(0, 7), 2))
        start, stop = (None if cases.random.random() < 0.3 else n for n in bounds)
        key, length = slice(start, stop, [None, 1, 2, -1, -3][cases.random.integers(0, 5)]), cases.random.integers(0, 4)
        for sequence in (x, "".join("abcdefghi"[i] for i in x if i < 9), np.array(x, dtype=float)):
            cases.say("x[key]", x=sequence, key=key)
        for fresh in (list(range(length)), list(range(len(x[key])))):
            cases.say("x[key] = fresh", x=x, key=key, fresh=fresh)
    for x, key in product(([1, 2, 3], "héé", [], np.array([1.0, 2.0])), (0, -1, 2, -3, 5, -9, slice(None, None, 0))):
        cases.say("x[key]", x=x, key=key)
    lines = "x['a']; x['q']; len(x); list(x); x['b'] = 3; x['c'] = 3; y[-1] = 5; y[2] = 5; y[0.5] = 1; y['a'] = 1"
    cases.say(lines, x={"b": 1, "a": [2]}, y=[1, 2])


def test_methods_and_built_in_functions(cases):
    for table, *tries in [
        (STRING, " xx, aXx ", "", "x", "a,b,c", "añ1", "a b  c d"), (LIST, [3, 1, 2, 2], [2], [], [1.0, True]),
        (DICT, {"a": 1, "b": [2]}, {"b": 1}, {}),
        ("tolist | sum | max | mean | all | any | copy | std ", np.float64(2.0), np.bool_(True)),
        ("is_integer ", 1.0, 2.5),
    ]:  # fmt: skip
        for x in tries:
            cases.table(table, "x.{}({})", x=x)
    words, pairs = ["bb", "a", "ccc", "dd"], [[2, "b"], [1, "z"], [2, "a"]]
    for x in (words, pairs, "12", {"a": 1, "b": 2}, {3, 1, 2}, [], [3, -1, 2.5], range(4), [True, 0], 5, [math.nan, 1]):
        cases.table(BUILT_IN, "{}({})", "x", x=x)
    cases.table("sorted | min | max", "{}({})", "w, key=len; w, key=max; [3, -1, 2.5], key=abs; p", w=words, p=pairs)
    cases.table("""sorted: w, key=len, reverse=True | min: 3, 1, 2 | max: 'a', 'bb', key=len | sum: [[1], [2]], []; x,
        start=3 | list: (1, 2.5); w[slice(1, 3)] | abs: -3 | set: [1, 1] | range: 5; 2, 7; 2, -9, -3;
        1, 1; 0, 9, 4; 0, 9, 0""", "{}({})", w=words, x=cases.array(99).tolist())  # fmt: skip
    types = "'int float str bool list ndarray Rule'.split(' ').filter((k) => $.isinstance(x, [k])) + ''"
    f = "def(['a', 'b', 'c'], (a, b = 2, c = 3) => [a, b, c])"
    for source, want in {
        f"[1, true, 'a', [], {{}}, 0.5, null, new Set(), np.ones(2)].map((x) => {types})":
            ["int,float", "int,bool", "str", "list", "", "float", "", "", "ndarray"],
        "[contains('ab', 'b'), call({get: (x) => x + 1}, 'get', 2)]": [True, 3],
        "[py.hasattr({a: 1}, 'a'), py.hasattr(null, 'a'), py.hasattr('a', 'b')]": [True, False, False],
        "[py.getattr({a: 1}, 'a'), py.getattr({}, 'a', null), py.getattr(np.ones(2), 'max')()]": [1, None, 1],
        "[py.next([], 5), py.next([3, 4], 5), call('{a} of {b}', 'format', new Kw({a: 1, b: 'c'}))]": [5, 3, "1 of c"],
        "[re.sub('([a-z])1', '\\\\1', 'a1b'), re.split('-+', 'a--b'), math.radians(180)]": ["ab", ["a", "b"], math.pi],
        "py.getattr({}, 'a')": Failed("PyError"),
        f"[{f}(1), {f}(1, new Kw({{c: 9}})), {f}(new Kw({{b: 0, a: 5}}))]": [[1, 2, 3], [1, 2, 9], [5, 0, 3]],
        f"{f}(1, new Kw({{d: 1}}))": Failed("TypeError"), f"{f}(1, new Kw({{a: 1}}))": Failed("TypeError"),
        "({ x: 4, f: def(['y'], function (y) { return this.x + y; }) }).f(new Kw({y: 1}))": 5,
    }.items():  # fmt: skip
        cases.js(source, want)


def test_indexing_and_assignment(cases):
    random = cases.random
    for _ in range(300):
        x = cases.array(*random.integers(random.random() > 0.1, 5, random.integers(1, 5)))
        x, shape, keys = x > 0 if random.random() < 0.2 else x, x.shape, []
        for n in shape[: random.integers(1, x.ndim + 1)]:
            start, stop = (None if random.random() < 0.4 else int(random.integers(-n - 1, n + 2)) for _ in "ab")
            part = slice(start, stop, [None, 1, 2, -1, -2][random.integers(0, 5)])
            keys.append(int(random.integers(-n, n)) if n and random.random() < 0.2 else part)
        mask, fancy = random.random() < 0.15, random.random() < 0.4
        for i in random.integers(0, len(keys), 1 if mask else 2 if fancy else 0):
            keys[i] = random.random(shape[i]) < 0.5 if mask else random.integers(-shape[i], shape[i] or 1, 3)
        for part in [part for part in (None, ...) if random.random() < 0.3]:
            keys.insert(random.integers(0, len(keys) + 1), part)
        key = keys[0] if len(keys) == 1 and random.random() < 0.7 else tuple(keys)
        cases.say("x[key]", x=x, key=key)
        part = attempt(lambda x=x, key=key: np.asarray(x[key]))
        if not isinstance(part, Failed):
            fresh = cases.array(*(n if random.random() < 0.7 else 1 for n in part.shape))
            cases.say("x[key] = fresh; y[key] = 7.5", x=x, y=x * 1.0, key=key, fresh=fresh if part.ndim else 9.0)
    x = np.arange(12.0).reshape(3, 4)
    cases.say("""x[x > 5]; x[m[0]]; x[m[:, 0]]; x[[[0, 1], [2, 0]], 1]; x[3]; x[0, 9]; x[1,
        2, 3]; x[:, [1, 1]]; x[[5],]; x[..., 1]; x[1][2]; list(x); list(m); sum(x); len(x); max(x[0]); w[::-1]; w ==
        'b'; x.T[1]; w[w != 'b']; x[1:] = x[:-1]; x[1][2] = 50; x[x > 5] = -1; x[0] = [1, 2, 3, 4]; x[0, :] = x; x[:,
        [0, 1]] = 0""",
        x=x, m=x > 5, w=np.array(["a", "b", "c"], dtype=object))  # fmt: skip
    cases.js("[5, 99].map((n) => contains(np.array([[1, 5], [0, 2]]), n))", [True, False])


def test_elementwise_functions_broadcast(cases):
    one = cases.array(60, odd=True)
    for x in (one, cases.array(3, 4), 0.5, 0.0, -2.5, math.inf, math.nan, np.zeros((2, 0))):
        cases.table(EXACT, usual="x", x=x)
        cases.table(ROUGH, usual="x", rtol=2 * ROUGHLY, x=x)
    for first, second in [((5,), (5,)), ((2, 3), (3,)), ((2, 1), (1, 3)), ((4, 1, 2), (3, 1)), ((3,), ()), ((2, 3), ()),
                          ((0, 3), (3,)), ((2, 3), (2,)), ((1,), (4,)), ((), ())]:  # fmt: skip
        p, q = cases.array(*first, odd=bool(first)), cases.array(*second)
        for a, b in ((p, q), (q, p)):
            a, b = (x if x.ndim else x.item() for x in (a, b))
            cases.table(PAIRS, usual="a, b", a=a, b=b)
            cases.table("hypot | power", usual="a, b", rtol=ROUGHLY, a=a, b=b)
            for symbol in SYMBOLS if first else ():
                if symbol not in "&|":
                    cases.say(f"a {symbol} b", ROUGHLY if symbol == "**" else 0.0, a=a, b=b)
                if symbol in "&|+*==<":
                    cases.say(f"a {symbol} b", a=a != 0, b=b != 0)
    cases.say("10.0 ** e; x ** 2; x ** 0.5; x ** -1; x ** 3; x ** 0; x ** 1", ROUGHLY, x=one, e=np.arange(-30.0, 30))
    cases.say("-x; abs(x); x * [1, 2, 3]; [1, 2, 3] - x; ~m", x=one[:3], m=one[:3] > 0)
    cases.table("""where: x > 0, 'a', 'b' | float32: 0.1 | less_equal: x, 0; 1, 2""", x=one[:3])


def test_reductions_and_numpy_s_order_of_sums(cases):
    sizes = [*range(1, 1001), 23_640]
    make = "new Nd(Float64Array.from({ length: n }, (_, i) => Math.sqrt(i + 5) / 3), [n])"
    for f in (np.sum, np.mean, np.std):
        cases.js(f"{sizes}.map((n) => {make}.{f.__name__}())", [f(np.sqrt(np.arange(n) + 5.0) / 3) for n in sizes])
    for shape in [(7, 23), (23, 7), (150, 2), (3, 140), (4, 33, 5), (2, 3, 140), (40, 1), (1, 40), (9, 1, 1)]:
        for axis in [None, *range(-len(shape), len(shape))]:
            x = cases.random.normal(size=shape)
            cases.say("np.sum(x, axis=axis); x.mean(axis); x.std(axis=axis)", x=x, axis=axis)
    for shape in [(1,), (6,), (7,), (4, 5), (2, 3, 4), (3, 1)]:
        for x in (cases.array(*shape), cases.array(*shape, odd=True), cases.array(*shape) > 0):
            for axis in [None, *range(-len(shape), len(shape))]:
                table = REDUCED if x.dtype == bool else f"{REDUCED} | {OF_NUMBERS}"
                cases.table(table, usual="x, axis", x=x, axis=axis)
            cases.say("np.any(x); x.all(axis=-1)", x=x)
        x = cases.random.permutation(np.prod(shape)).reshape(shape) * 0.5
        cases.say("np.argsort(x)", x=x)
    for x in (np.zeros(0), np.zeros((0, 3)), np.ones(3), [1.0, 2.0], 3.0):
        cases.table("sum: x; x, axis=1 | mean | max | median | any", usual="x", x=x)
    many = np.concatenate([cases.array(2000, odd=True), [-0.0, 0.0, np.inf, -np.inf, 1e300, -1e-300]])
    cases.table("argsort: x, kind='stable'; -x, kind='stable' | flatnonzero: x", x=many)
    cases.say("x[x > 0]", x=many)
    cases.table("argsort: [2, 1, 2], kind='stable'")


def test_making_shaping_and_methods_of_arrays(cases):
    a, b, s, c = (cases.array(*shape) for shape in ((3, 4), (3, 4), (5,), (2, 3, 4)))
    g, v = np.sort(cases.random.normal(size=9)), np.array([-99.0, 99, np.nan])
    for table in (MADE, SHAPED):
        cases.table(table, a=a, b=b, s=s, c=c, m=a > 0, g=g, v=v)
    cases.table(METHODS, "x.{}({})", x=a)
    cases.table(METHODS, "x.{}({})", x=a > 0)
    cases.say("a[1:3] = b[:2]; a[:, :2] = b[:, 1:3]; a[:2] = s[:4]; a[1:] = a[:2]; s[1:] = s[:4]", a=a, b=b, s=s)
    cases.say("c.size; c.ndim; c.shape; c.T; len(c); a[:1, 0].item(); np.array(s, dtype=np.float32)", a=a, c=c, s=s / 3)
    cases.table("geomspace: 1e-3, 1e4, 16; -1, -100, num=5", rtol=1e-12)
    cases.say("a @ b.T; s @ s; a @ s[:4]; s[:3] @ a; a @ b", 1e-12, a=a, b=b, s=s)
    cases.js("np.finfo(np.float32).max", float(np.finfo(np.float32).max))
