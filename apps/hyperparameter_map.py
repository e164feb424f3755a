"""Every run of a plane of hyperparameters."""

from optviz import HyperparameterMap
from optviz.app import serve

serve(HyperparameterMap)
