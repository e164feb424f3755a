"""See what an optimizer does: objectives, update rules, and experiments to play with.

The numerics import no view; the experiments (`SurfaceDescent` and its siblings) load
panel and holoviews when first asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from . import surfaces as surfaces
from .descent import descend as descend
from .losses import DataLoss as DataLoss
from .losses import Lanes as Lanes
from .losses import LinearRegression as LinearRegression
from .losses import ReLUNet as ReLUNet
from .losses import batch_indices as batch_indices
from .objectives import Objective as Objective
from .objectives import objective as objective
from .optimizers import SGD as SGD
from .optimizers import Adadelta as Adadelta
from .optimizers import Adagrad as Adagrad
from .optimizers import Adam as Adam
from .optimizers import Adamax as Adamax
from .optimizers import AdamW as AdamW
from .optimizers import Inertia as Inertia
from .optimizers import Lion as Lion
from .optimizers import Momentum as Momentum
from .optimizers import NAdam as NAdam
from .optimizers import Newton as Newton
from .optimizers import RAdam as RAdam
from .optimizers import RMSprop as RMSprop
from .optimizers import Rprop as Rprop
from .rules import Hyperparameter as Hyperparameter
from .rules import Rule as Rule
from .schedules import Schedule as Schedule
from .sweep import basins as basins
from .sweep import sweep as sweep
from .traceable import xp as xp
from .trajectory import Trajectory as Trajectory

__version__ = "0.1.0"

_LATER = {
    "SingleParameter": "experiments.single_parameter",
    "SurfaceDescent": "experiments.surface_descent",
    "LossComparison": "experiments.loss_comparison",
    "StochasticLandscape": "experiments.stochastic_landscape",
    "Conditioning": "experiments.conditioning",
    "HyperparameterMap": "experiments.hyperparameter_map",
    "EdgeOfStability": "experiments.edge_of_stability",
    "Race": "experiments.race",
    "NoisyDescent": "experiments.noisy_descent",
    "Experiment": "experiment",
    "TorchOptimizer": "torch_optimizer",
    "TorchSchedule": "torch_schedules",
    "TorchFunction": "torch_objectives",
    "TorchLoss": "torch_objectives",
}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module 'optviz' has no attribute {name!r}")
    return getattr(import_module(f".{_LATER[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_LATER})
