"""A race of several rules on one surface, each with the same budget of trials."""

from optviz import Race
from optviz.app import serve

serve(Race)
