"""Linear forms on a page: a rule of somebody's own that refuses some of its flags spoils no page."""

import param

from optviz import Hyperparameter, Rule
from optviz.export.forms import _form_of, forms_script


class Choosy(Rule):
    """A rule that cannot be bold and shy."""

    lr = Hyperparameter(0.1)
    bold = param.Boolean(False)
    shy = param.Boolean(False)

    @staticmethod
    def update(h, memory, x, g, t, let, xp):
        assert not (h.bold and h.shy)
        return let("step", -h.lr * g)


def test_flags_that_a_rule_refuses_say_so_and_the_others_are_read():
    assert "cannot be read" in forms_script(Choosy)
    assert _form_of(Choosy, (("bold", True), ("shy", True))).rows is None
    assert _form_of(Choosy, (("bold", True), ("shy", False))).rows is not None
