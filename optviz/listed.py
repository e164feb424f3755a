"""What menus and indexes list: optviz's own classes, and those of yours that ask for it.

A class of yours is listed once its file is imported, if the class itself says `listed = True`; it then
stands behind optviz's own. A class without that stays yours: a test's, say, or the base of some others.
"""

from __future__ import annotations

import sys

import param


def own_classes(module: str, base: type) -> list[type]:
    """The classes of this kind that a module defines, in the order of the file."""
    found = [value for value in vars(sys.modules[module]).values() if isinstance(value, type)]
    return [each for each in found if issubclass(each, base) and each.__module__ == module]


def listed_classes(base: type) -> list[type]:
    """The classes below a base that say `listed = True`, in the order in which they were made."""
    return [each for each in param.descendents(base) if each is not base and vars(each).get("listed") is True]
