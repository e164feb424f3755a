"""The page's small Python and numpy against the real ones: lines of Python, run here and in node."""

from __future__ import annotations

import ast
import copy
import json
import math
import shutil
import struct
import subprocess
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

SCRIPTS = Path(__file__).parents[1] / "optviz" / "export"
NODE = shutil.which("node")
pytestmark = pytest.mark.skipif(NODE is None, reason="needs node")
ROUGHLY = 1e-15  # what exp and its like may differ by from one library to the next

# JSON has neither nan nor -0, and arrays are to be told from lists
HARNESS = """
const nd = (data, shape, bool) => new Nd(typeof data[0] === "string" ? data : Float64Array.from(data), shape, bool);
function shown(x) {
  if (typeof x === "number") {
    const view = new DataView(new ArrayBuffer(8));
    view.setFloat64(0, x);
    return { number: view.getBigUint64(0).toString(16).padStart(16, "0") };
  }
  if (Array.isArray(x)) return x.map(shown);
  if (x instanceof Nd) return { array: Array.from(x.data, (v, i) => shown(x.value(i))), shape: x.shape, bool: x.bool };
  if (x instanceof Set) return { set: [...x].map(shown) };
  if (x === undefined || typeof x === "function") return { error: String(x) };
  return x && typeof x === "object" ? { dict: Object.entries(x).map(([k, v]) => [k, shown(v)]) } : x;
}
const attempted = (f) => {
  try {
    return shown(f());
  } catch (error) {
    return { error: error instanceof PyError ? error.name : String(error.stack) };
  }
};
"""
SYMBOLS = dict(zip("+ - * / // % ** < <= > >= == != & | ^ @".split(),
                   "add sub mul div floordiv mod pow lt le gt ge eq ne and_ or_ xor matmul".split(), strict=True))  # fmt: skip
NODES = dict(zip("Add Sub Mult Div FloorDiv Mod Pow Lt LtE Gt GtE Eq NotEq BitAnd BitOr BitXor MatMult".split(),
                 SYMBOLS.values(), strict=True)) | {"USub": "neg", "UAdd": "pos", "Invert": "invert"}  # fmt: skip


class Failed(str):
    """The name of an exception, as a result."""


def run_js(source: str) -> Any:
    """What a script prints in node, which is one line of JSON."""
    runtime = "".join((SCRIPTS / name).read_text() for name in ("python.js", "arrays.js"))
    script = f'(() => {{ "use strict";\n{runtime}\n{HARNESS}\n{source}\n}})();'
    done = subprocess.run([str(NODE), "-"], input=script, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout, object_hook=read)


def read(x: dict[str, Any]) -> Any:
    """What `shown` says, as Python's value."""
    if "number" in x:
        return struct.unpack(">d", bytes.fromhex(x["number"]))[0]
    if "array" in x:
        words = any(isinstance(v, str) for v in x["array"])
        return np.array(x["array"], dtype=object if words else bool if x["bool"] else float).reshape(x["shape"])
    return Failed(x["error"]) if "error" in x else set(x["set"]) if "set" in x else dict(x["dict"])


def js(x: Any) -> str:
    """A value as JavaScript."""
    x = x.item() if isinstance(x, np.generic) else x
    if isinstance(x, np.ndarray):
        return f"nd({js(x.ravel().tolist())}, {[*x.shape]}, {js(x.dtype == bool)})"
    if isinstance(x, list | tuple | range):
        return f"[{', '.join(map(js, x))}]"
    if isinstance(x, set):
        return f"new Set({js(list(x))})"
    if isinstance(x, dict):
        return "{" + ", ".join(f"{js(k)}: {js(v)}" for k, v in x.items()) + "}"
    if isinstance(x, slice):
        return f"new Slice({js(x.start)}, {js(x.stop)}, {js(x.step)})"
    return "ELLIPSIS" if x is ... else json.dumps(x)  # nan and the infinities as JavaScript spells them


def translated(n: Any, names: Any) -> str:
    """A line of Python as JavaScript: much less than the printer of pages can, and apart from it."""

    def text(part, *more):
        return "null" if part is None else translated(part, names) + "".join(f", {text(m)}" for m in more)

    match n:
        case ast.Constant():
            return js(n.value)
        case ast.Name():
            return n.id if n.id in names or n.id in ("np", "format") else f"py.{n.id}"
        case ast.Attribute():
            return f"{text(n.value)}.{n.attr}"
        case ast.Call():
            keywords = [f"new Kw({{{', '.join(f'{k.arg}: {text(k.value)}' for k in n.keywords)}}})"] if n.keywords else []
            parts = [*map(text, n.args), *keywords]
            if isinstance(n.func, ast.Attribute) and not ast.unparse(n.func).startswith("np."):
                return f"call({', '.join([text(n.func.value), js(n.func.attr), *parts])})"
            return f"{text(n.func)}({', '.join(parts)})"
        case ast.Assign(targets=[ast.Subscript() as place]):
            return f"put({text(place.value, place.slice, n.value)}), null"
        case ast.Subscript():
            return f"at({text(n.value, n.slice)})"
        case ast.Slice():
            return f"new Slice({text(n.lower)}, {text(n.upper)}, {text(n.step)})"
        case ast.Tuple() | ast.List():
            return f"[{', '.join(map(text, n.elts))}]"
        case ast.UnaryOp():
            return f"op.{NODES[type(n.op).__name__]}({text(n.operand)})"
        case ast.BinOp():
            return f"op.{NODES[type(n.op).__name__]}({text(n.left, n.right)})"
        case ast.Compare(ops=[ast.In()]):
            return f"contains({text(n.comparators[0], n.left)})"
        case ast.Compare():
            return f"op.{NODES[type(n.ops[0]).__name__]}({text(n.left, *n.comparators)})"
    raise AssertionError(ast.dump(n))


def agree(got: Any, want: Any, rtol: float = 0.0) -> bool:
    if isinstance(want, np.generic | np.ndarray) and not want.ndim:
        want = want.item()
    if isinstance(want, np.ndarray):
        alike = isinstance(got, np.ndarray) and got.shape == want.shape and (got.dtype == bool) == (want.dtype == bool)
        return alike and agree(got.ravel().tolist(), want.ravel().tolist(), rtol)
    if hasattr(want, "__next__") or isinstance(want, tuple | range) or type(want).__name__.startswith("dict_"):
        want = list(want)
    if isinstance(want, list):
        return isinstance(got, list) and len(got) == len(want) and all(agree(*pair, rtol) for pair in zip(got, want))
    if isinstance(want, dict):
        return isinstance(got, dict) and agree(list(got.items()), list(want.items()))
    if isinstance(want, int | float) and type(got) is float and not isinstance(want, bool):
        return got == want or (got != got and want != want) or math.isclose(got, want, rel_tol=rtol)
    return (type(got) is type(want) or (isinstance(got, bool) and isinstance(want, bool))) and got == want


def attempt(f: Any, *args) -> Any:
    """A result, the name of an exception, or a complex number, also for what JavaScript does not refuse."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            return f(*args)
        except ArithmeticError:
            return 1j
        except Exception as error:  # some of numpy's are of two kinds
            kinds = {IndexError: "IndexError", AttributeError: "PyError", ValueError: "ValueError"}
            return Failed(next((name for kind, name in kinds.items() if isinstance(error, kind)), type(error).__name__))


class Cases:
    """Lines of Python, and what they give here, to be checked in one run of node."""

    def __init__(self):
        self.cases: list[tuple[str, Any, float]] = []

    def js(self, source: str, want: Any, rtol: float = 0.0) -> None:
        self.cases.append((source, want, rtol))

    def say(self, lines: str, rtol: float = 0.0, **values) -> None:
        """Lines, parted by semicolons, give the same in both, and leave the values as they are left here."""
        for node in ast.parse(lines.replace("\n", " ").strip()).body:
            used = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)} & set(values)
            own = {name: copy.deepcopy(values[name]) for name in sorted(used)}
            held = "".join(f"const {name} = {js(value)}; " for name, value in own.items())
            stores = isinstance(node, ast.Assign)
            found = attempt(exec if stores else eval, ast.unparse(node), {"np": np}, own)
            if type(found) is not complex:
                left = [name for name, value in own.items() if isinstance(value, list | dict | set | np.ndarray)]
                want = found if isinstance(found, Failed) else [found, *map(own.get, left)]
                text = translated(node if stores else node.value, own)
                self.js(f"(() => {{ {held}return [({text}), {', '.join(left)}]; }})()", want, rtol)

    def check(self) -> None:
        sources = ",\n".join(f"() => {source}" for source, _, _ in self.cases)
        found = run_js(f"console.log(JSON.stringify([\n{sources}\n].map(attempted)));")
        wrong = [
            f"{source[:400]}\n  gave {got!r:.400}\n  not  {want!r:.400}"
            for got, (source, want, rtol) in zip(found, self.cases, strict=True)
            if not agree(got, want, rtol)
        ]
        assert self.cases and not wrong, f"{len(wrong)} of {len(self.cases)} differ:\n" + "\n".join(wrong[:8])


@pytest.fixture
def cases():
    return Cases()


@pytest.fixture
def random():
    return np.random.default_rng(20240601)


def numbers(random, count: int) -> list[float]:
    """Numbers of all sizes, and those that are hard to print or to round."""
    ties = [i / 2**k for k in (1, 2, 3, 4) for i in (1, 3, 5, 7, 9, 25, 1234567)] + [i + 0.5 for i in range(-6, 12)]
    odd = [0.0, -0.0, 5e-324, 1e22, 1e21, 1e16, 9999999999999998.0, 123456789012345678.0, 1e-4, 9.9999e-5, 0.1, 1e300,
           2.675, 1.005, 999.95, 0.99995, 9.5, 99.5, 1e15 + 0.5, math.nan, math.inf, -math.inf]  # fmt: skip
    drawn = random.standard_normal(count) * 10.0 ** random.integers(-12, 20, count)
    return odd + ties + drawn.tolist() + np.round(random.uniform(-100, 100, count), 2).tolist()


def drawn_array(random, *shape: int, odd: bool = False) -> np.ndarray:
    x = np.asarray(np.round(random.normal(0, 3, shape), 3))
    x[random.random(shape) < 0.15] = random.choice([np.nan, np.inf, 0.0]) if odd else 0.0
    return x


def test_format_prints_as_python(cases, random):
    values, whole = numbers(random, 150), [0, 1, -1, 7, 12, 999, 1000, -1234567, 255, 2**40, True, False]
    specs = """g .4g .3f .2f .0f .1f .2e .0e +.3g ,.1f % .1% 5.1f 08.3f +f e f .0g .17g .30f *^14.3g <9.2f _.2f 012,.1f
               G .1E .3 =+9.1f .0% x>9.1f F .20e -.1f"""
    for spec in [*specs.split(), " .2f"]:
        cases.js(f"{js(values)}.map((x) => format(x, {js(spec)}))", [format(x, spec) for x in values])
    for spec in "d , 5d 05d +d ,d x 02x X b o _d <6 ^7d 09, >6 +".split():
        cases.js(f"{js(whole)}.map((x) => format(x, {js(spec)}))", [format(x, spec) for x in whole])
    cases.js(f'{js(values)}.map((x) => format(x, ""))', [repr(x).removesuffix(".0") for x in values])
    for spec in ["", ">8", "<8", "^8", "*^9", ".2", "6.1s", "s", "05"]:
        cases.say("format('añb', spec)", spec=spec)
    cases.say("format(True, ''); format(None, ''); format([1, 'a'], ''); format(1.5, 'd'); format(1.5, 'q'); format(1, '5.')")
    cases.check()


def test_numbers_and_texts_convert_as_in_python(cases, random):
    values = numbers(random, 60)
    for digits in (0, 1, 2, 3, 7):
        cases.js(f"{js(values)}.map((x) => py.round(x, {digits}))", [round(x, digits) for x in values])
    for x in [x for x in values if math.isfinite(x) and abs(x) < 1e15]:
        cases.say("round(x); int(x)", x=x)
    for x in (1250, 1350, 15, 25, -35, 12345):
        cases.say("round(x, -1); round(x, ndigits=-2)", x=x)
    for x in ["nan", "inf", "-Infinity", " 1.5 ", "1e-7", "1_000.5", "", "0x10", "1.", ".5", "abc", "+3", "1__0", "12"]:
        cases.say("float(x); int(x)", x=x)
    cases.say("""int('ff', 16); int('-101', 2); int('12', 2); int(' 77 ', base=8); abs(-3); divmod(-7, 2); int(); float(); bool();
        str(); list(); tuple(); dict(); set(); int(2.9); int(-2.9)""")
    for x in [math.nan, True, 3.9, -3.9, None, [1], "a'b", 'say "x"', "a\n\\", [1, 2.5, "x"], {"a": [1]}, {1.5}, set(), ""]:
        cases.say("float(x); bool(x); int(x); repr(x); str(x)", x=x)
    cases.check()


def test_operators_follow_python(cases, random):
    drawn = [*random.integers(-9, 10, 9).tolist(), *random.normal(0, 5, 5).tolist(), 0.1, 1.0, 1e300, True, False]
    odd = [1.0, -1.0, 0.0, -0.0, 2.0, -3.0, math.nan, math.inf, -math.inf]
    things = [[1, 2], [1, 3, 0], [], ["a", "b"], "ab", "", "b", {1, 2}, {2, 3}, set(), {"a": 1}, {"a": 2, "b": [1]}, {},
              None, 0, 1, True, [[1], [2, 3]], [[1], [2]], {"b": [1.0], "a": 2}, [True, 2.0]]  # fmt: skip
    for symbol, name in list(SYMBOLS.items())[:-1]:
        line, rtol = f"a {symbol} b", ROUGHLY if symbol == "**" else 0.0
        for a in drawn:
            for b in drawn:  # Python refuses bits of fractions
                if not (symbol in "&|^" and float in (type(a), type(b))) and not (symbol == "**" and abs(b) > 99):
                    cases.say(line, rtol, a=a, b=b)
        for a in odd if symbol not in "&|^" else ():
            for b in odd:  # as numpy has it: nothing is refused
                found = attempt(eval, line, {"a": np.float64(a), "b": np.float64(b)})
                cases.js(f"op.{name}({js(a)}, {js(b)})", found, rtol)
        for a in things if symbol not in ("**", "//", "/", "%") else ():
            for b in things:
                cases.say(line, a=a, b=b)
    for a in [*things, False, 3, 2.5, -0.0, math.nan, np.zeros(1), np.ones(1), np.ones(2), np.array([True])]:
        cases.say("bool(a); list(a)" if isinstance(a, np.ndarray) else "bool(a); list(a); -a; +a", a=a)
        for b in ("a", "b") if isinstance(a, dict) else ("a", 1, "b", None) if isinstance(a, set) else ("a", 1, [1], None):
            cases.say("b in a", a=a, b=b)
    cases.js("[truth(np.zeros(0)), truth(null), truth(NaN), truth(new Slice())]", [False, False, True, True])
    cases.js("[op.invert(true), op.invert(5), op.pow(10, -5)]", [False, -6, 1e-5])
    cases.check()


def test_subscripts_of_sequences(cases, random):
    def bound():
        return None if random.random() < 0.3 else int(random.integers(-9, 10))

    for _ in range(300):
        x, step = random.integers(0, 9, random.integers(0, 7)).tolist(), int(random.choice([-3, -2, -1, 1, 2, 3]))
        key = slice(bound(), bound(), None if random.random() < 0.3 else step)
        for sequence in (x, "".join("abcdefghi"[i] for i in x), np.array(x, dtype=float)):
            cases.say("x[key]", x=sequence, key=key)
        cases.say("x[key] = fresh", x=x, key=key, fresh=random.integers(0, 9, random.integers(0, 4)).tolist())
    for x in ([1, 2, 3], "héé", [], np.array([1.0, 2.0]), range(4)):
        for key in (0, -1, 2, -3, 5, -9, slice(None, None, 0)):
            cases.say("x[key]", x=x, key=key)
    cases.say("x['a']; x['q']; len(x); list(x); x['b'] = 3; x['c'] = 3", x={"b": 1, "a": [2]})
    cases.say("x[-1] = 5; x[2] = 5; x[0.5] = 1; x['a'] = 1", x=[1, 2])
    cases.check()


STRING = """x.join(['a', 'b']); x.join([]); x.join(['a', 1]); x.lower(); x.upper(); x.strip(); x.strip(' xX'); x.lstrip();
x.rstrip('x '); x.split(); x.split(','); x.split(None, 1); x.split('x', maxsplit=1); x.capitalize(); x.startswith(' x');
x.startswith(('a', ' ')); x.endswith('Xx '); x.endswith(('a', 'b')); x.isalnum(); x.removesuffix('Xx '); x.nothing();
x.removesuffix('q'); x.removeprefix(' '); x.count('x'); x.count(''); x.index('X'); x.index('q'); x.find('q'); len(x);
x.replace('x', '$&'); x.replace('x', '--', 1); x.replace('', '-'); list(x)"""
LIST = """x.append(5); x.extend([1, 2]); x.extend('ab'); x.index(2); x.index(9); x.count(2); x.copy(); x.pop(); x.pop(0);
x.pop(-2); x.pop(9); x.insert(1, 'x'); x.insert(-1, 'x'); x.reverse(); x.sort(); x.sort(reverse=True); x.remove(2);
x.remove(9); x.nothing(); x.sort(key=abs)"""
DICT = """x.items(); x.keys(); x.values(); x.get('a'); x.get('q'); x.get('q', 3); x.pop('a'); x.pop('q'); x.pop('q', 3);
x.update(y); x.update(b=2); x.setdefault('a', 9); x.setdefault('q', 9); x.setdefault('r'); x.copy(); x.nothing();
dict(x, c=1); x | y"""
SET = """x.add(1); x.add(7); x.update([1, 7]); x.discard(2); x.discard(7); x.union(y, [10]); x.intersection([2, 3], y);
x.difference([2]); x.issubset([1, 2, 3, 4]); x.issuperset(y); x.isdisjoint(y); x.isdisjoint([8]); x.copy()"""
BUILT_IN = """len(x); list(x); tuple(x); sorted(x); min(x); max(x); any(x); all(x); sum(x); enumerate(x); enumerate(x, start=3);
list(zip(x, 'ab')); list(zip(x, [1, 2, 3], 'abcd', strict=True)); max(x, default=None); sorted(x, reverse=True)"""


def test_methods_and_built_in_functions(cases, random):
    for x in (" xx, aXx ", "", "x", "a,b,c", "añ1", "a b  c d"):
        cases.say(STRING, x=x)
    for x in ([3, 1, 2, 2], [2], [], [1.0, True]):
        cases.say(LIST, x=x)
    for x in ({"a": 1, "b": [2]}, {"b": 1}, {}):
        cases.say(DICT, x=x, y={"b": 3, "c": 4})
    for x in ({1, 2, 3}, {2}, set()):
        cases.say(SET, x=x, y={2, 9})
    words, pairs = ["bb", "a", "ccc", "dd"], [[2, "b"], [1, "z"], [2, "a"]]
    for x in (words, pairs, "abc", {"a": 1, "b": 2}, {3, 1, 2}, [], [3, -1, 2.5], range(4), [True, 0], 5, None):
        cases.say(BUILT_IN, x=x)
    for f in ("sorted", "min", "max"):
        cases.say(f"{f}(w, key=len); {f}(w, key=max); {f}([3, -1, 2.5, -7], key=abs); {f}(p)", w=words, p=pairs)
    cases.say("sorted(w, key=len, reverse=True); min(3, 1, 2); max('a', 'bb', key=len); sum([[1], [2]], []); min([n, 1.0])",
              w=words, n=math.nan)  # fmt: skip
    cases.say("sum(x, start=3); map(float, ['1', '2.5']); list(reversed(x))", x=random.normal(size=99).tolist())
    cases.say("""range(5); range(2, 7); range(2, -9, -3); range(1, 1); range(0, 9, 4); range(0, 9, 0); filter(None, [0, 1, '', 'a']);
        filter(abs, [0, 1]); dict([['a', 1]], b=2); set([1, 1]); [1, 2, 3, 4][slice(1, None, 2)]; [1, 2, 3, 4][slice(2)];
        (1.0).is_integer(); (2.5).is_integer()""")  # fmt: skip
    for x in (np.float64(2.0), np.bool_(True)):
        cases.say("x.item(); x.tolist(); x.sum(); x.max(); x.mean(); x.all(); x.any(); x.copy(); x.std()", x=x)
    kinds = ["int", "float", "str", "bool", "list", "dict", "set", "ndarray", "tuple", "Rule"]
    for x, true in {"1": "int float", "true": "int bool", "'a'": "str", "[1]": "list tuple", "({})": "dict", "0.5": "float",
                    "new Set()": "set", "null": "", "np.ones(2)": "ndarray"}.items():  # fmt: skip
        cases.js(f"{kinds}.map((name) => py.isinstance_({x}, name))", [name in true.split() for name in kinds])
    cases.js("[py.frozenset([1, 1]), py.contains('ab', 'b'), call({get: (x) => x + 1}, 'get', 2)]", [{1.0}, True, 3])
    cases.js("[py.hasattr_({a: 1}, 'a'), py.hasattr_(null, 'a'), py.getattr_({a: 1}, 'a'), py.getattr_({}, 'a', null)]",
             [True, False, 1, None])  # fmt: skip
    cases.js("[py.getattr_(np.ones(2), 'max')(), py.map((a, b) => a - b, [5, 6], [1, 2, 3])]", [1, [4, 4]])
    cases.js("py.getattr_({}, 'a')", Failed("PyError"))
    f = "def(['a', 'b', 'c'], (a, b = 2, c = 3) => [a, b, c])"
    cases.js(f"[{f}(1), {f}(1, new Kw({{c: 9}})), {f}(new Kw({{b: 0, a: 5}}))]", [[1, 2, 3], [1, 2, 9], [5, 0, 3]])
    cases.js(f"{f}(1, new Kw({{d: 1}}))", Failed("TypeError"))
    cases.js(f"{f}(1, new Kw({{a: 1}}))", Failed("TypeError"))
    cases.js("({ x: 4, f: def(['y'], function (y) { return this.x + y; }) }).f(new Kw({y: 1}))", 5)
    cases.check()


def drawn_key(random, shape: tuple[int, ...]) -> Any:
    """A key of ints, slices, new axes, an ellipsis, and either masks or places."""
    keys: list[Any] = []
    fancy, length = random.random() < 0.4, int(random.integers(0, 4))
    for n in shape[: int(random.integers(1, len(shape) + 1))]:
        kind = random.integers(0, 6)
        bounds = [None if random.random() < 0.4 else int(random.integers(-n - 1, n + 2)) for _ in "ab"]
        if kind == 0 and n:
            keys.append(int(random.integers(-n, n)))
        elif kind == 1 and fancy and n:
            keys.append(random.integers(-n, n, length))
        elif kind == 2 and fancy and not any(isinstance(k, np.ndarray) for k in keys):
            keys.append(random.random(n) < 0.5)
            fancy = False
        else:
            keys.append(slice(*bounds, [None, 1, 2, -1, -2][random.integers(0, 5)]))
    for part in [part for part in (None, ...) if random.random() < 0.3]:
        keys.insert(int(random.integers(0, len(keys) + 1)), part)
    return keys[0] if len(keys) == 1 and random.random() < 0.7 else tuple(keys)


def test_indexing_and_assignment(cases, random):
    for _ in range(400):
        x = np.round(random.normal(size=random.integers(0 if random.random() < 0.1 else 1, 5, random.integers(1, 5))), 2)
        x = x > 0 if random.random() < 0.2 else x
        key = drawn_key(random, x.shape)
        part = attempt(lambda x=x, key=key: np.asarray(x[key]))
        cases.say("x[key]", x=x, key=key)
        if not isinstance(part, Failed):
            fresh = np.round(random.normal(size=[n if random.random() < 0.7 else 1 for n in part.shape]), 2)
            cases.say("x[key] = fresh; y[key] = 7.5", x=x, y=x * 1.0, key=key, fresh=fresh if part.ndim else 9.0)
    x = np.arange(12.0).reshape(3, 4)
    cases.say("""x[x > 5]; x[m[0]]; x[m[:, 0]]; x[np.ix_([0, 2], [1, 3])]; x[[[0, 1], [2, 0]], 1]; x[3]; x[0, 9]; x[1, 2, 3];
        x[:, [1, 1]]; x[[5],]; x[..., 1]; x[1][2]; list(x); list(m); sum(x); len(x); max(x[0]); w[::-1]; w == 'b'; w[w != 'b'];
        x.T[1]; x[1:] = x[:-1]; x[1][2] = 50; x[x > 5] = -1; x[0] = [1, 2, 3, 4]; x[0, :] = x; x[:, [0, 1]] = 0; 5 in x""",
        x=x, m=x > 5, w=np.array(["a", "b", "c"], dtype=object))  # fmt: skip
    cases.js("np.r_(1, np.array([2, 3]))", np.r_[1, [2, 3]])
    cases.js("at(np.r_, [new Slice(0, 3), [5, 6]])", np.r_[0:3, [5, 6]])
    cases.check()


EXACT = """np.sqrt(x); np.abs(x); np.absolute(x); np.sign(x); np.floor(x); np.ceil(x); np.rint(x); np.square(x); x ** 2; -x;
np.isfinite(x); np.isnan(x); np.isinf(x); np.logical_not(x); +x; x ** 0.5; np.round(x, 2); np.round(x); abs(x);
np.round(x, decimals=-1); np.clip(x, -1, None); np.clip(x, a_min=0.0, a_max=1.0); np.float32(x); np.float64(x)"""
ROUGH = """np.exp(x); np.log(x); np.log10(x); np.log2(x); np.log1p(x); np.expm1(x); np.sin(x); np.cos(x); np.tan(x);
np.arctan(x); np.tanh(x); np.sinh(x); np.cosh(x); np.arcsin(x); np.arccos(x); x ** 3; x ** 2.5; x ** -1"""
PAIRS = """np.add(a, b); np.subtract(a, b); np.multiply(a, b); np.divide(a, b); np.maximum(a, b); np.minimum(a, b);
np.fmax(a, b); np.fmin(a, b); np.mod(a, b); np.logical_and(a, b); np.logical_or(a, b); np.isclose(a, b);
np.clip(a, -1.0, b); np.where(a > 0, a, b); np.clip(a, b, None); np.array_equal(a, b); np.where(a > b, a > 0, b > 0)"""


def test_elementwise_functions_broadcast(cases, random):
    one = drawn_array(random, 60, odd=True)
    for x in (one, drawn_array(random, 3, 4), 0.5, np.float64(0), np.float64(-2.5), math.inf, math.nan, np.zeros((2, 0))):
        cases.say(EXACT, x=x)
        cases.say(ROUGH, 2 * ROUGHLY, x=x)
    for first, second in [((5,), (5,)), ((2, 3), (3,)), ((2, 1), (1, 3)), ((4, 1, 2), (3, 1)), ((3,), ()), ((2, 3), ()),
                          ((0, 3), (3,)), ((2, 3), (2,)), ((1,), (4,)), ((), ())]:  # fmt: skip
        p, q = drawn_array(random, *first, odd=bool(first)), drawn_array(random, *second)
        for a, b in ((p, q), (q, p)) if first else ((p.item(), q.item()),):
            a, b = (x if np.ndim(x) else float(x) for x in (a, b))
            cases.say(PAIRS, a=a, b=b)
            cases.say("np.hypot(a, b); np.arctan2(a, b); np.power(a, b)", ROUGHLY, a=a, b=b)
            for symbol in SYMBOLS if first else ():
                if symbol not in "&|^@":
                    cases.say(f"a {symbol} b", ROUGHLY if symbol == "**" else 0.0, a=a, b=b)
                if symbol in "&|^+*==<":
                    cases.say(f"a {symbol} b", a=a != 0, b=b != 0)
    cases.say("10.0 ** e; np.power(x, 0); np.power(x, 1)", ROUGHLY, x=one, e=np.arange(-30.0, 30))
    cases.say("""x * [1, 2, 3]; [1, 2, 3] - x; ~m; np.where(m); np.where(m, 'a', 'b'); np.isclose(x, x, equal_nan=True);
        np.isclose(x, 1.0, rtol=0.0, atol=1e-8); np.allclose(x, x); np.allclose([1, 1 + 1e-9], 1.0); np.array_equal([1], [1]);
        np.array_equal([1], [1, 2]); np.float32(0.1)""", x=one[:3], m=one[:3] > 0)  # fmt: skip
    cases.check()


def test_sums_add_in_numpy_s_order(cases, random):
    seed, sizes = 1 + int(random.integers(0, 1000)), [*range(1, 1001), 23_640]
    make = f"new Nd(Float64Array.from({{ length: n }}, (_, i) => Math.sqrt(i + {seed}) / 3), [n])"
    arrays = [np.sqrt(np.arange(n) + float(seed)) / 3 for n in sizes]
    for name in ("sum", "mean", "var", "std"):
        cases.js(f"{sizes}.map((n) => np.{name}({make}))", [getattr(np, name)(x) for x in arrays])
    for shape in [(7, 23), (23, 7), (150, 2), (3, 140), (4, 33, 5), (5, 3, 200), (40, 1), (1, 40), (9, 1, 1), (3, 9, 1)]:
        x = random.normal(size=shape)
        for axis in [None, *range(-len(shape), len(shape))]:
            cases.say("np.sum(x, axis=axis); x.mean(axis); x.std(axis=axis); np.var(x, axis)", x=x, axis=axis)
    cases.check()


REDUCED = """np.sum(x, axis); x.mean(axis); np.prod(x, axis=axis); np.median(x, axis); x.min(axis); x.max(axis);
np.amin(x, axis); np.amax(x, axis); np.nanmean(x, axis); np.nanmedian(x, axis); x.any(axis); x.all(axis); x.argmin(axis);
x.argmax(axis); np.count_nonzero(x, axis); x.cumsum(axis); x.cumprod(axis); np.sort(x, axis);"""
OF_NUMBERS = """np.ptp(x, axis); np.nanmin(x, axis); np.nanmax(x, axis); np.quantile(x, 0.3, axis=axis);
np.quantile(x, [0, 0.5, 1], axis); np.percentile(x, [25.0, 90], axis=axis); np.nanquantile(x, 0.7, axis)"""


def test_reductions(cases, random):
    for shape in [(1,), (6,), (7,), (4, 5), (2, 3, 4), (3, 1)]:
        for x in (drawn_array(random, *shape), drawn_array(random, *shape, odd=True), drawn_array(random, *shape) > 0):
            for axis in [None, *range(-len(shape), len(shape))]:
                cases.say(REDUCED + (OF_NUMBERS if x.dtype != bool else ""), x=x, axis=axis)
            cases.say("np.sum(x, axis=0, keepdims=True); x.max(keepdims=True); np.any(x); np.all(x, axis=-1)", x=x)
        x = random.permutation(np.prod(shape)).reshape(shape) * 0.5
        cases.say("x.std(ddof=1); np.var(x, axis=-1, ddof=1); np.nanargmin(x); np.argsort(x); x.argsort(0)", x=x)
    for x in (np.zeros(0), np.zeros((0, 3)), np.ones(3), [1.0, 2.0], 3.0):
        cases.say("np.sum(x); np.mean(x); np.max(x); np.median(x); np.any(x); np.all(x); np.sum(x, axis=1)", x=x)
    cases.say("np.argsort([2, 1, 2, 1], kind='stable'); np.nanargmin(x); np.max(y, axis=0); np.sort(x); np.unique(x)",
              x=np.array([np.nan, 2, 1, np.nan, 2]), y=np.zeros((0, 3)))  # fmt: skip
    cases.check()


MADE = """np.zeros(3); np.zeros((2, 3)); np.ones((0, 2)); np.ones(2, dtype=bool); np.full((2, 2), np.nan); np.full(3, 2.5);
np.zeros_like(a); np.ones_like(m); np.full_like(a, 3.0); np.zeros_like([1.0, 2.0]); np.empty(3).shape; np.ndim(3);
np.empty_like(a).shape; np.shape(a); np.size([1, 2]); np.arange(5); np.arange(2, 9); np.arange(0, 1, 0.1);
np.arange(5, -5, -3); np.arange(-1, 1, 0.3); np.arange(3, 3); np.arange(0.5, 4); np.arange(3, dtype=float); np.linspace(0, 1);
np.linspace(-3, 3, 100); np.linspace(2, 2, 5); np.linspace(1, 0, 1); np.linspace(0, 1, 0); np.linspace(-1.3, 7.1, num=160);
np.linspace(0, 1, 7, endpoint=False); np.eye(3); np.eye(2, 4); np.eye(4, 2); np.pi; np.e; np.inf; np.nan; np.newaxis;
np.array([1, 2.5]); np.array([[1, 2], [3, 4]]); np.array([True, False]); np.array([]); np.array([[], []]); np.array(5);
np.array(True); np.array([1, True]); np.array(a); np.array([s, s]); np.array([[s], [s]]); np.array([[1, 2], [3]]);
np.array([None, 1.5], dtype=float); np.array([True], dtype=float); np.asarray(a, dtype=float); np.asarray(2); np.int64(s)"""
SHAPED = """np.concatenate([a, b]); np.concatenate([a, b], axis=1); np.concatenate([a, b], axis=-1); np.concatenate([a, s]);
np.concatenate([a, b], None); np.concatenate([c, c], axis=1); np.concatenate([[1, 2], s]); np.stack([a, b]);
np.stack([a, b], axis=1); np.stack([a, b], -1); np.stack([1.0, 2.0]); np.vstack([s, s]); np.vstack([a, b]); np.hstack([s, s]);
np.hstack([a, b]); np.hstack([1.0, s]); np.column_stack([s, s]); np.column_stack([a, a[:, 0]]); np.hstack([m, m]);
np.repeat(a, 2); np.repeat(a, 2, axis=1); np.repeat(s, [1, 0, 2, 3, 1]); np.repeat(a, [1, 0, 2], axis=0); np.repeat(3.0, 4);
np.roll(a, 2); np.roll(a, -5, axis=1); np.roll(a, 1, axis=0); np.flip(a); np.flip(a, axis=1); np.flip(s); np.diff(a);
np.diff(a, axis=0); np.diff(s, 2); np.expand_dims(a, 0); np.expand_dims(a, 1); np.expand_dims(s, -1); np.tile(s, 2);
np.tile(s, (2, 3)); np.tile(s, (2, 1, 2)); np.tile(a, 2); np.tile(a, (2, 1)); np.tile(s, 0); np.broadcast_to(s, (3, 5));
np.broadcast_to(2.0, (2, 2)); np.broadcast_to(a, (2, 4)); np.reshape(a, (2, -1)); np.reshape(a, -1); np.reshape(a, (5, 3));
np.ravel(a); np.transpose(c); np.transpose(c, (1, 0, 2)); np.swapaxes(c, 0, -1); np.moveaxis(c, 0, -1); np.moveaxis(c, 2, 0);
np.atleast_1d(3.0); np.atleast_1d(s); np.atleast_2d(3.0); np.atleast_2d(s); np.atleast_2d(a); np.meshgrid(s, [1.0, 2]);
np.meshgrid(s, s, [3.0, 4]); np.meshgrid(s, [1.0, 2], [3.0], indexing='ij'); np.ix_([1, 2], [0, 1, 3]); np.ix_(m[0], [0]);
np.nonzero(c); np.nonzero(s); np.flatnonzero(m); np.unique(a); np.unique(m); np.sort(a, axis=None); np.outer(s, s);
np.searchsorted(g, 0.0); np.searchsorted(g, g); np.searchsorted(g, s, side='right'); np.searchsorted(g, g, side='right');
np.searchsorted(g, v); np.searchsorted(g, v, side='right'); np.interp(s, g, g ** 2); np.interp(g, g, g ** 2);
np.interp(0.1, g, g); np.interp(v, g, g, left=-1.0, right=7.0)"""
METHODS = """a.sum(); a.mean(0); a.std(1); a.var(); a.min(-1); a.max(); a.any(); a.all(0); a.argmin(); a.argmax(1); a.cumsum();
a.cumprod(1); a.ravel(); a.flatten(); m.flatten(); a.reshape(2, -1); a.reshape((4, 3)); a.reshape(-1); a.tolist(); c.T;
m.tolist(); a.copy(); a.astype(int); a.astype(float); a.astype('float'); a.astype(bool); m.astype(float); len(c); m.max();
a.astype(np.float32); a.clip(-1, 1); a.clip(None, 0.5); a.swapaxes(0, 1); a.transpose(); a.transpose(1, 0); a.item(3);
a.item(); a[:1, 0].item(); a.round(1); a.round(); a.repeat(2, 1); a.fill(3.0); a.argsort(); a.argsort(0); a.sort(); a.sort(0);
a.nonzero(); m.nonzero(); c.sum(axis=-2); c.std(axis=1, ddof=1); c.mean(keepdims=True); m.sum(axis=0); c.size; c.ndim; c.shape;
m.any(axis=1); m.mean(); m.argmax()"""


def test_making_shaping_and_methods_of_arrays(cases, random):
    a, b, s, c = (drawn_array(random, *shape) for shape in ((3, 4), (3, 4), (5,), (2, 3, 4)))
    g, v = np.sort(random.normal(size=9)), np.array([-99.0, 99, np.nan])
    for lines in (MADE, SHAPED, METHODS):
        cases.say(lines, a=a, b=b, s=s, c=c, m=a > 0, g=g, v=v)
    cases.say("""np.geomspace(1e-3, 1e4, 16); np.geomspace(-1, -100, num=5); np.logspace(-3, 2, 7);
        np.logspace(0, 3, num=4, base=2.0); np.geomspace(1, 100, 4, endpoint=False)""", 2 * ROUGHLY)
    cases.say("""np.dot(s, s); np.dot(a, b.T); np.dot(a, s[:4]); np.dot(s[:3], a); np.dot(a, 2.0); np.dot(a, b);
        np.matmul(a, b.T); a @ b.T; s.dot(s)""", 1e-12, a=a, b=b, s=s)  # fmt: skip
    cases.js('[np.array(["a", "b"]), np.unique(["b", "a", "b"])]', [np.array(["a", "b"])] * 2)
    cases.js("np.finfo(np.float32).max", float(np.finfo(np.float32).max))
    cases.check()
