"""Any rule on any surface."""

from optviz import SurfaceDescent
from optviz.app import serve

serve(SurfaceDescent)
