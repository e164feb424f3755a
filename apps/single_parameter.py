"""One parameter under random gradients."""

from optviz import SingleParameter
from optviz.app import serve

serve(SingleParameter)
