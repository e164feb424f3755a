"""One sample's loss against the mean."""

from optviz import StochasticLandscape
from optviz.app import serve

serve(StochasticLandscape)
