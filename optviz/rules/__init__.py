"""Update rules and the schedules of their learning rates."""

from .rule import Hyperparameter as Hyperparameter
from .rule import Rule as Rule
