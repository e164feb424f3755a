"""The controls of the rule and of the surface that an experiment holds, or of all that its menus offer."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import panel as pn
import param

from ..experiment import Members
from ..menus import names_of
from ..objectives.formula import Formula
from ..page.controls import knobs_of
from ..page.formula_field import letter_knobs


def names_shown(member: Any) -> list[str]:
    """The parameters of a rule or an objective that get a control."""
    own = member.param if isinstance(member, param.Parameterized) and not isinstance(member, Formula) else ()
    return names_of(member) or [name for name in own if name != "name"]


def member_knobs(member: Any, every: bool = False, visible: bool = True) -> pn.Param:
    """Their controls; of `every` letter that a formula may have, where one can be typed."""
    if isinstance(member, Formula):
        return letter_knobs(member, every, visible)
    return knobs_of(member, names_shown(member), visible=visible)


def every_knob(members: Members, current: Collection[Any]) -> pn.Column:
    """Those of each rule and each surface, the current ones visible: a page without a server."""
    parts = [member_knobs(m, True, any(m is each for each in current))
             for m in members.values() if names_shown(m) or isinstance(m, Formula)]  # fmt: skip
    return pn.Column(*parts, sizing_mode="stretch_width", margin=0)
