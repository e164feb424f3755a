"""What is descended on: surfaces of two variables, losses of data, their minima."""

from .objective import Objective as Objective
from .objective import objective as objective
