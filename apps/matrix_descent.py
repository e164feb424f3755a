"""Two factors that learn a matrix, under six rules."""

from optviz import MatrixDescent
from optviz.app import serve

serve(MatrixDescent)
