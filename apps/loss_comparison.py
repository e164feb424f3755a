"""Four losses of one line fit."""

from optviz import LossComparison
from optviz.app import serve

serve(LossComparison)
