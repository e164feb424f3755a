"""Print Python functions as JavaScript: an experiment's own methods, so that nothing is written twice.

A small part of Python is enough for what prepares a picture: functions, comprehensions, f-strings,
numpy on arrays. The printed text calls the runtime (`optviz/runtime`, its `dollar.js`) under the name `$`,
which no Python name can take. What the runtime does not offer is refused (`refusals.py`).
What a function needs is found through its global names and asked of the bundle.
"""

from __future__ import annotations

import ast
import builtins
import inspect
import json
import textwrap
from numbers import Real
from types import FunctionType, ModuleType
from typing import Any

import numpy as np

from .refusals import Untranslatable, check_name

OPERATORS = {
    ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.Div: "div", ast.FloorDiv: "floordiv", ast.Mod: "mod",
    ast.Pow: "pow", ast.BitAnd: "and_", ast.BitOr: "or_", ast.MatMult: "matmul",
    ast.Lt: "lt", ast.LtE: "le", ast.Gt: "gt", ast.GtE: "ge", ast.Eq: "eq", ast.NotEq: "ne",
    ast.USub: "neg", ast.Invert: "invert",
}  # fmt: skip
_WORDS = """
arguments await break case catch class const continue debugger default delete do else enum eval export extends
false finally for function if implements import in instanceof interface let new null package private protected
public return static super switch this throw true try typeof undefined var void while with yield
"""
RESERVED = frozenset(_WORDS.split())


def parsed(item: Any) -> Any:
    """The syntax tree of a function or class."""
    return ast.parse(textwrap.dedent(inspect.getsource(item))).body[0]


def function(item: FunctionType, bundle: Any, method: bool = False) -> str:
    """A function as a JavaScript expression; a `method` finds its `self` in `this`."""
    node = parsed(item)
    if isinstance(node, ast.Assign | ast.Expr | ast.Return):  # a lambda in some statement
        node = next(n for n in ast.walk(node) if isinstance(n, ast.Lambda))
        return _Body(item, bundle, ()).expression(node)
    return _Body(item, bundle, ()).function(node, method)


class _Body:
    """Prints one function; `outer` holds the local names of the functions around it."""

    def __init__(self, item: FunctionType, bundle: Any, outer: tuple[set[str], ...]):
        self.item, self.bundle, self.outer = item, bundle, outer
        self.local: set[str] = set()

    # functions

    def function(self, node: ast.FunctionDef, method: bool = False) -> str:
        names, parameters = self._parameters(node.args, method)
        self.local = set(names) | _assigned(node) | ({"self"} if method else set())
        fresh = sorted(_assigned(node) - set(names))
        lines = ["const self = this;"] if method else []
        lines += [f"let {', '.join(map(_safe, fresh))};"] if fresh else []
        lines += self.block(node.body)
        return f"$.def({json.dumps(names)}, function ({parameters}) {{\n{_indent(lines)}\n}})"

    def _parameters(self, arguments: ast.arguments, method: bool = False) -> tuple[list[str], str]:
        plain = [*arguments.posonlyargs, *arguments.args]
        defaults: list[Any] = [None] * (len(plain) - len(arguments.defaults)) + arguments.defaults
        if method:
            plain, defaults = plain[1:], defaults[1:]
        pairs = [*zip(plain, defaults, strict=True), *zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)]
        texts = [_safe(a.arg) + ("" if d is None else f" = {self.expression(d)}") for a, d in pairs]
        names = [a.arg for a, _ in pairs]
        if arguments.vararg and arguments.kwonlyargs:
            self._fail(arguments.vararg)  # JavaScript has nothing after the rest
        if arguments.vararg:
            texts.append(f"...{_safe(arguments.vararg.arg)}")
            names.append(arguments.vararg.arg)
        return names, ", ".join(texts)

    # statements

    def block(self, statements: list[ast.stmt]) -> list[str]:
        return [line for statement in statements for line in self.statement(statement)]

    def statement(self, node: ast.stmt) -> list[str]:
        method = getattr(self, f"_{type(node).__name__}_statement", None)
        return self._fail(node) if method is None else method(node)

    def _Expr_statement(self, node):
        return [] if isinstance(node.value, ast.Constant) else [f"{self.expression(node.value)};"]

    def _Pass_statement(self, node):
        return []

    _Assert_statement = _Pass_statement  # for type checkers

    def _Break_statement(self, node):
        return ["break;"]

    def _Continue_statement(self, node):
        return ["continue;"]

    def _Return_statement(self, node):
        return ["return null;" if node.value is None else f"return {self.expression(node.value)};"]

    def _Assign_statement(self, node):
        value = self.expression(node.value)
        if len(node.targets) == 1:
            return self._store(node.targets[0], value)
        stores = [line for target in node.targets for line in self._store(target, "$v")]
        return [f"{{ const $v = {value};", *stores, "}"]  # Python works it out once

    def _AnnAssign_statement(self, node):
        return [] if node.value is None else self._store(node.target, self.expression(node.value))

    def _AugAssign_statement(self, node):
        operator = self._operator(node)
        return self._store(node.target, f"{operator}({self.expression(node.target)}, {self.expression(node.value)})")

    def _operator(self, node) -> str:
        return f"$.op.{OPERATORS[type(node.op)]}" if type(node.op) in OPERATORS else self._fail(node)

    def _store(self, target: ast.expr, value: str) -> list[str]:
        if isinstance(target, ast.Subscript):
            place = f"{self.expression(target.value)}, {self._key(target.slice)}"
            return [f"$.put({place}, {value});"]
        if isinstance(target, ast.Attribute):
            return [f"{self.expression(target.value)}.{target.attr} = {value};"]
        return [f"{self._pattern(target)} = {value};"]

    def _pattern(self, target: ast.expr) -> str:
        if isinstance(target, ast.Tuple | ast.List):
            return f"[{', '.join(map(self._pattern, target.elts))}]"
        if isinstance(target, ast.Starred):
            return f"...{self._pattern(target.value)}"
        if isinstance(target, ast.Attribute):
            return f"{self.expression(target.value)}.{target.attr}"
        return _safe(target.id) if isinstance(target, ast.Name) else self._fail(target)

    def _If_statement(self, node):
        lines = [f"if ({self._truth(node.test)}) {{", _indent(self.block(node.body))]
        if node.orelse:
            lines += ["} else {", _indent(self.block(node.orelse))]
        return [*lines, "}"]

    def _While_statement(self, node):
        return [f"while ({self._truth(node.test)}) {{", _indent(self.block(node.body)), "}"]

    def _For_statement(self, node):
        head = f"for ({self._pattern(node.target)} of $.iter({self.expression(node.iter)})) {{"
        return self._fail(node) if node.orelse else [head, _indent(self.block(node.body)), "}"]

    def _With_statement(self, node):
        silent = all("errstate" in ast.unparse(item.context_expr) for item in node.items)
        return self.block(node.body) if silent else self._fail(node)

    def _Try_statement(self, node):
        if len(node.handlers) != 1 or node.orelse or node.finalbody or node.handlers[0].name:
            self._fail(node)
        caught = self.block(node.handlers[0].body)
        return ["try {", _indent(self.block(node.body)), "} catch {", _indent(caught), "}"]

    def _Raise_statement(self, node):
        return [f"throw {self.expression(node.exc)};"]

    def _FunctionDef_statement(self, node):
        inner = _Body(self.item, self.bundle, (*self.outer, self.local))
        return [f"{_safe(node.name)} = {inner.function(node)};"]

    # expressions

    def expression(self, node: Any) -> str:
        method = getattr(self, f"_{type(node).__name__}", None)
        return self._fail(node) if method is None else method(node)

    def _Constant(self, node):
        return "$.ELLIPSIS" if node.value is Ellipsis else self.bundle.text(node.value)

    def _Name(self, node):
        if node.id in self.local or any(node.id in names for names in self.outer):
            return _safe(node.id)
        value = self._global(node)
        if isinstance(value, Builtin):
            check_name(self._place(node), "Python", node.id)
        return self.bundle.text(value)

    def _global(self, node: ast.Name) -> Any:
        closure = inspect.getclosurevars(self.item).nonlocals
        for scope in (closure, self.item.__globals__):
            if node.id in scope:
                return scope[node.id]
        return Builtin(node.id) if hasattr(builtins, node.id) else self._fail(node)

    def _Attribute(self, node):
        if node.attr == "__name__" and isinstance(node.value, ast.Call) and ast.unparse(node.value.func) == "type":
            return f"$.typename({self.expression(node.value.args[0])})"
        owner = self.expression(node.value)
        if owner == "self":  # a method that is passed on stays bound
            return f"$.get(self, {quoted(node.attr)})"
        if owner in _TABLES:
            check_name(self._place(node), _TABLES[owner], node.attr)
        return f"{owner}.{node.attr}"

    def _BinOp(self, node):
        return f"{self._operator(node)}({self.expression(node.left)}, {self.expression(node.right)})"

    def _UnaryOp(self, node):
        if isinstance(node.op, ast.Not):
            return f"!{self._truth(node.operand)}"
        if isinstance(node.op, ast.USub) and isinstance(node.operand, ast.Constant):
            return f"(-{self.expression(node.operand)})"
        return f"{self._operator(node)}({self.expression(node.operand)})"

    def _BoolOp(self, node):
        name = "and" if isinstance(node.op, ast.And) else "or"
        *others, text = map(self.expression, node.values)
        for other in reversed(others):
            text = f"$.{name}({other}, () => {text})"
        return text

    def _truth(self, node) -> str:
        return f"$.truth({self.expression(node)})"

    def _Compare(self, node):
        operands = [self.expression(n) for n in (node.left, *node.comparators)]
        texts = [self._compared(op, *operands[i : i + 2]) for i, op in enumerate(node.ops)]
        return texts[0] if len(texts) == 1 else f"({' && '.join(texts)})"

    def _compared(self, op: ast.cmpop, left: str, right: str) -> str:
        if isinstance(op, ast.Is | ast.IsNot):
            return f"({left} {'===' if isinstance(op, ast.Is) else '!=='} {right})"
        if isinstance(op, ast.In | ast.NotIn):
            return f"{'!' if isinstance(op, ast.NotIn) else ''}$.contains({right}, {left})"
        return f"$.op.{OPERATORS[type(op)]}({left}, {right})"

    def _IfExp(self, node):
        return f"({self._truth(node.test)} ? {self.expression(node.body)} : {self.expression(node.orelse)})"

    def _Call(self, node):
        func = node.func
        if isinstance(func, ast.Name) and func.id == "isinstance":
            return f"$.isinstance({self.expression(node.args[0])}, {self._types(node.args[1])})"
        if isinstance(func, ast.Name) and func.id == "super":
            return self._fail(node)
        arguments = [self._argument(a) for a in node.args]
        if node.keywords:
            arguments.append(f"new $.Kw({{{', '.join(map(self._keyword, node.keywords))}}})")
        if isinstance(func, ast.Attribute) and not self._in_module(func):
            if not (isinstance(func.value, ast.Name) and func.value.id == "self"):
                self.bundle.calls.setdefault(func.attr, self._place(node))
            return f"$.call({', '.join([self.expression(func.value), quoted(func.attr), *arguments])})"
        return f"{self.expression(func)}({', '.join(arguments)})"

    def _in_module(self, node: ast.expr) -> bool:
        while isinstance(node, ast.Attribute):
            node = node.value
        known = isinstance(node, ast.Name) and node.id not in self.local
        return known and isinstance(self.item.__globals__.get(node.id), ModuleType)

    def _types(self, node: ast.expr) -> str:
        scope = {**vars(builtins), **self.item.__globals__}
        found = eval(compile(ast.Expression(node), "<types>", "eval"), scope)  # a type, a union or a tuple of types
        each = found if isinstance(found, tuple) else getattr(found, "__args__", (found,))
        for plain in (t for t in each if t.__module__ == "builtins"):
            check_name(self._place(node), "isinstance", plain.__name__)
        return json.dumps(sorted({_TYPES.get(t, t.__name__) for t in each}))

    def _argument(self, node: ast.expr) -> str:
        return f"...$.iter({self.expression(node.value)})" if isinstance(node, ast.Starred) else self.expression(node)

    def _keyword(self, node: ast.keyword) -> str:
        text = self.expression(node.value)
        return f"...{text}" if node.arg is None else f"{node.arg}: {text}"

    def _Subscript(self, node):
        return f"$.at({self.expression(node.value)}, {self._key(node.slice)})"

    def _key(self, node: ast.expr) -> str:
        if isinstance(node, ast.List):
            return f"$.np.array({self.expression(node)})"
        return self.expression(node)

    def _Slice(self, node):
        parts = ("null" if n is None else self.expression(n) for n in (node.lower, node.upper, node.step))
        return f"new $.Slice({', '.join(parts)})"

    def _Tuple(self, node):
        return f"[{', '.join(map(self._argument, node.elts))}]"

    _List = _Tuple

    def _Set(self, node):
        return f"new Set([{', '.join(map(self._argument, node.elts))}])"

    def _Dict(self, node):
        return "{" + ", ".join(map(self._entry, node.keys, node.values)) + "}"

    def _entry(self, key: Any, value: ast.expr) -> str:
        if key is None:
            return f"...{self.expression(value)}"
        return f"[{self.expression(key)}]: {self.expression(value)}"

    def _Lambda(self, node):
        inner = _Body(self.item, self.bundle, (*self.outer, self.local))
        names, parameters = inner._parameters(node.args)
        inner.local = set(names)
        return f"({parameters}) => ({inner.expression(node.body)})"

    def _ListComp(self, node):
        return self._comprehension(node, lambda inner: f"$c.push({inner.expression(node.elt)});", "[]")

    _GeneratorExp = _ListComp

    def _SetComp(self, node):
        return self._comprehension(node, lambda inner: f"$c.add({inner.expression(node.elt)});", "new Set()")

    def _DictComp(self, node):
        def keep(inner):
            return f"$c[{inner.expression(node.key)}] = {inner.expression(node.value)};"

        return self._comprehension(node, keep, "{}")

    def _comprehension(self, node, keep, empty: str) -> str:
        inner = _Body(self.item, self.bundle, (*self.outer, self.local))
        heads, tails = [], []
        for part in node.generators:
            source = inner.expression(part.iter)
            inner.local = inner.local | _names_in(part.target)
            heads.append(f"for (const {inner._pattern(part.target)} of $.iter({source})) {{")
            heads += [f"if (!{inner._truth(test)}) continue;" for test in part.ifs]
            tails.append("}")
        return " ".join(["(() => { const $c =", f"{empty};", *heads, keep(inner), *tails, "return $c; })()"])

    def _JoinedStr(self, node):
        return "(" + " + ".join(['""', *map(self.expression, node.values)]) + ")"

    def _FormattedValue(self, node):
        value = self.expression(node.value)
        if node.conversion == ord("r"):
            value = f"$.py.repr({value})"
        spec = '""' if node.format_spec is None else self.expression(node.format_spec)
        return f"$.format({value}, {spec})"

    def _fail(self, node: Any) -> Any:
        raise Untranslatable(f"{self._place(node)} has no JavaScript")

    def _place(self, node: Any) -> str:
        line = self.item.__code__.co_firstlineno + getattr(node, "lineno", 1) - 1
        text = ast.unparse(node).split("\n")[0]
        return f"{self.item.__qualname__}, line {line}: `{text}`"


_TABLES = {"$.np": "numpy", "$.np.random": "numpy.random", "$.math": "math", "$.re": "re"}
_TYPES = {Real: "float", np.integer: "int", np.floating: "float"}


class Builtin:
    """A name of Python's own, printed as the runtime's."""

    def __init__(self, name: str):
        self.name = name


def quoted(text: str) -> str:
    """A string literal that may stand in an HTML script."""
    return json.dumps(text, ensure_ascii=True).replace("</", "<\\/").replace("<!--", "<\\!--")


def _safe(name: str) -> str:
    return f"{name}$" if name in RESERVED else name


def _indent(lines: list[str]) -> str:
    return textwrap.indent("\n".join(lines), "  ")


def _names_in(target: ast.expr) -> set[str]:
    return {n.id for n in ast.walk(target) if isinstance(n, ast.Name)}


def _assigned(node: ast.FunctionDef) -> set[str]:
    """The names that a function binds, not those bound by functions and comprehensions in it."""
    found: set[str] = set()
    stack: list[Any] = list(node.body)
    while stack:
        part = stack.pop()
        if isinstance(part, ast.FunctionDef):
            found.add(part.name)
        elif isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
            found.add(part.id)
        elif not isinstance(part, ast.Lambda | ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
            stack.extend(ast.iter_child_nodes(part))
    return found
