"""A bundle of JavaScript: definitions of Python objects, and of all that they need, each printed once."""

from __future__ import annotations

import ast
import inspect
import json
import math
import re
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from types import FunctionType, ModuleType
from typing import Any

import numpy as np
import param

from .printer import Builtin, function, parsed, quoted
from .refusals import Untranslatable, check_calls

MODULES = {"numpy": "$.np", "math": "$.math", "re": "$.re"}


class Bundle:
    """JavaScript definitions of Python objects and of all that they need, each printed once.

    `natives` gives the JavaScript of objects that the runtime provides; `special(value)` may
    return the text of an object that is printed otherwise, a rule's class for example.
    """

    def __init__(self, natives: Mapping[Any, str] | None = None, special: Any = None):
        self.natives = {id(key): text for key, text in (natives or {}).items()}
        self._kept = list(natives or {})
        self.special = special or (lambda value, bundle: None)
        self.names: dict[int, str] = {}
        self.definitions: list[str] = []
        self.late: dict[str, Callable[[], str]] = {}  # definitions that depend on what else is printed
        self.texts: dict[str, int] = {}  # that definitions have in common, and the place of each
        self.asked: set[str] = set()  # what is used of the runtime
        self.calls: dict[str, str] = {}  # the methods that printed functions call, and where
        self.own: set[str] = set()  # the methods that printed classes have
        self._taken: set[str] = set()

    @property
    def source(self) -> str:
        """All definitions, each after those that it needs when it is read."""
        late = [f"const {name} = {text()};" for name, text in self.late.items()]
        check_calls(self.calls, self.own)
        return "\n".join([*late, *self.definitions])

    def place(self, text: str) -> int:
        """Where a text is among those that definitions have in common."""
        return self.texts.setdefault(text, len(self.texts))

    def classes(self, base: type) -> list[type]:
        """The classes of this kind that are printed so far."""
        return [each for each in self._kept if isinstance(each, type) and issubclass(each, base)]

    def text(self, value: Any) -> str:
        """The JavaScript that stands for a value: a literal, or the name of its definition."""
        if id(value) in self.natives:
            self.asked.add(self.natives[id(value)])
            return self.natives[id(value)]
        if isinstance(value, Builtin):
            return f"$.py.{value.name}"
        if isinstance(value, ModuleType):
            if value.__name__ not in MODULES:
                raise Untranslatable(f"the module {value.__name__} has no JavaScript")
            return MODULES[value.__name__]
        literal = self._literal(value)
        return self._named(value) if literal is None else literal

    def _literal(self, value: Any) -> str | None:
        if value is None:
            return "null"
        if isinstance(value, bool | np.bool_):
            return "true" if value else "false"
        if isinstance(value, int | float | np.integer | np.floating):
            return _number(value)
        if isinstance(value, str):
            return quoted(value)
        if isinstance(value, re.Pattern):
            return f"$.re.compile({quoted(value.pattern)})"
        if isinstance(value, slice):
            return f"new $.Slice({self.text(value.start)}, {self.text(value.stop)}, {self.text(value.step)})"
        if isinstance(value, list | tuple):
            return f"[{', '.join(map(self.text, value))}]"
        if isinstance(value, set | frozenset):
            return f"new Set([{', '.join(map(self.text, value))}])"
        if isinstance(value, dict):
            return "{" + ", ".join(f"{quoted(str(k))}: {self.text(v)}" for k, v in value.items()) + "}"
        if isinstance(value, np.ndarray):
            return _array(value)
        return None

    def _named(self, value: Any) -> str:
        if id(value) not in self.names:
            name = self.names[id(value)] = self._free_name(value)
            self._kept.append(value)  # an id is only good while its object lives
            text = self.special(value, self)
            if text is None and isinstance(value, FunctionType):
                text = function(value, self)
            if text is None and isinstance(value, type):
                text = class_(value, self)
            if text is None:
                raise Untranslatable(f"{value!r} has no JavaScript")
            self.definitions.append(f"const {name} = {text};")
        return self.names[id(value)]

    def _free_name(self, value: Any) -> str:
        module = getattr(value, "__module__", "") or ""
        base = f"{module.rsplit('.', 1)[-1]}${getattr(value, '__name__', type(value).__name__)}"
        base = "".join(c if c.isalnum() or c in "_$" else "_" for c in base)
        name, count = base, 1
        while name in self._taken:
            name, count = f"{base}${count}", count + 1
        self._taken.add(name)
        return name


def _number(value: Any) -> str:
    value = value.item() if isinstance(value, np.generic) else value
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else f"{'-' if value < 0 else ''}Infinity"
    return repr(value) if value >= 0 else f"({value!r})"


def _array(value: np.ndarray) -> str:
    if value.dtype.kind not in "fiub":
        return f"$.np.array({json.dumps(value.tolist())})"
    if value.size <= 16 and np.isfinite(value).all():
        return f"$.np.array({json.dumps(value.tolist())})"
    packed = b64encode(np.ascontiguousarray(value, dtype="<f8").tobytes()).decode()
    return f'$.packed("{packed}", {json.dumps(list(value.shape))})'


def class_(item: type, bundle: Bundle) -> str:
    """A plain class or a dataclass, without bases, as a function that makes an instance."""
    if is_dataclass(item):
        return _dataclass(item, bundle)
    return f"$.factory({members(item, vars(item), bundle)})"


def _dataclass(item: Any, bundle: Bundle) -> str:
    """A dataclass without defaults: of what Python itself has written into it, which has no text, its constructor."""
    known = [f for f in fields(item) if f.default is not MISSING or f.default_factory is not MISSING]
    if known or hasattr(item, "__post_init__"):
        raise Untranslatable(f"{item.__qualname__} has defaults or a __post_init__, which have no JavaScript")
    own = [name for name in vars(item) if not name.startswith("__")]
    bundle.own.update(f.name for f in fields(item))
    return f"$.record({json.dumps([f.name for f in fields(item)])}, {members(item, own, bundle)})"


def members(item: type, names: Any, bundle: Bundle) -> str:
    """Methods and properties of a class, by name, as `{methods: ..., getters: ...}`."""
    methods, getters = [], []
    bundle.own.update(names)
    for name in names:
        value = inspect.getattr_static(item, name)
        if isinstance(value, staticmethod | classmethod):
            methods.append(f"{name}: {function(value.__func__, bundle)}")
        elif isinstance(value, FunctionType):
            methods.append(f"{name}: {function(value, bundle, method=True)}")
        elif isinstance(value, property) and value.fget is not None:
            getters.append(f"{name}: {function(value.fget, bundle, method=True)}")
    return f"{{methods: {{{', '.join(methods)}}}, getters: {{{', '.join(getters)}}}}}"


def names_on_self(item: FunctionType) -> set[str]:
    """The attributes of `self` that a method reads."""
    tree = parsed(item)
    found = (n for n in ast.walk(tree) if isinstance(n, ast.Attribute) and isinstance(n.value, ast.Name))
    return {n.attr for n in found if n.value.id == "self"}


def controls_read(kind: type, method: str) -> tuple[str, ...]:
    """The controls of an experiment's class on which one of its methods hangs, by itself or through what it calls."""
    members = {name: value for cls in reversed(kind.__mro__) for name, value in vars(cls).items()}
    read, front = set[str](), {method}
    while front:
        value = members.get(front.pop())
        body = value.fget if isinstance(value, property) else value
        try:
            names, called = (
                (names_on_self(body), calls_on_self(body)) if isinstance(body, FunctionType) else (set(), set())
            )
        except (OSError, TypeError, SyntaxError):  # no source to read: a page cannot be printed of it either
            continue
        front |= {n for n in names - read if n in called or isinstance(members.get(n), property)}
        read |= names
    shown = (name for name in sorted(read) if isinstance(members.get(name), param.Parameter))
    return tuple(name for name in shown if members[name].precedence != -1)


def calls_on_self(item: FunctionType) -> set[str]:
    """The methods of `self` that a method calls, rather than hands on."""
    calls = (n.func for n in ast.walk(parsed(item)) if isinstance(n, ast.Call))
    return {
        f.attr for f in calls
        if isinstance(f, ast.Attribute) and isinstance(f.value, ast.Name) and f.value.id == "self"
    }  # fmt: skip
