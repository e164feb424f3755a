"""One function of named variables, read many ways."""

from . import complex_numbers as complex_numbers
from . import numpy_functions as numpy_functions
