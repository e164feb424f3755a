"""A small net trained at the edge of stability."""

from optviz import EdgeOfStability
from optviz.app import serve

serve(EdgeOfStability)
