"""See what an optimizer does: objectives, update rules, and experiments to play with.

The numerics import no view; the experiments (`SurfaceDescent` and its siblings) load
panel and holoviews when first asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from .objectives import surfaces as surfaces
from .objectives.classifiers import BiasedClassifier as BiasedClassifier
from .objectives.classifiers import LinearClassifier as LinearClassifier
from .objectives.criteria import Criterion as Criterion
from .objectives.formula import formula as formula
from .objectives.losses import DataLoss as DataLoss
from .objectives.losses import Lanes as Lanes
from .objectives.losses import LinearRegression as LinearRegression
from .objectives.losses import ReLUNet as ReLUNet
from .objectives.losses import batch_indices as batch_indices
from .objectives.objective import Curve as Curve
from .objectives.objective import Objective as Objective
from .objectives.objective import objective as objective
from .races.scores import benchmark_score as benchmark_score
from .races.scores import performance_profile as performance_profile
from .races.studies import Studies as Studies
from .races.studies import tuning_studies as tuning_studies
from .rules.optimizers import SGD as SGD
from .rules.optimizers import Adadelta as Adadelta
from .rules.optimizers import Adagrad as Adagrad
from .rules.optimizers import Adam as Adam
from .rules.optimizers import Adamax as Adamax
from .rules.optimizers import AdamW as AdamW
from .rules.optimizers import Inertia as Inertia
from .rules.optimizers import Lion as Lion
from .rules.optimizers import Momentum as Momentum
from .rules.optimizers import NAdam as NAdam
from .rules.optimizers import Newton as Newton
from .rules.optimizers import RAdam as RAdam
from .rules.optimizers import RMSprop as RMSprop
from .rules.optimizers import Rprop as Rprop
from .rules.rule import Hyperparameter as Hyperparameter
from .rules.rule import Rule as Rule
from .rules.schedule import Schedule as Schedule
from .runs.descent import descend as descend
from .runs.trajectory import Trajectory as Trajectory
from .spans import Quantity as Quantity
from .sweeps.sweep import basins as basins
from .sweeps.sweep import sweep as sweep
from .trace.traceable import xp as xp

__version__ = "0.1.0"

_LATER = {
    "SingleParameter": "experiments.single_parameter",
    "SurfaceDescent": "experiments.surface_descent",
    "LossComparison": "experiments.loss_comparison",
    "LogisticRegression": "experiments.logistic_regression",
    "StochasticLandscape": "experiments.stochastic_landscape",
    "Conditioning": "experiments.conditioning",
    "MatrixDescent": "experiments.matrix_descent",
    "HyperparameterMap": "experiments.hyperparameter_map",
    "EdgeOfStability": "experiments.edge_of_stability",
    "Race": "experiments.race",
    "Benchmark": "experiments.benchmark",
    "NoisyDescent": "experiments.noisy_descent",
    "Experiment": "experiment",
    "TorchOptimizer": "runs.torch_optimizer",
    "TorchSchedule": "rules.torch_schedules",
    "TorchFunction": "objectives.torch_objectives",
    "TorchLoss": "objectives.torch_objectives",
}
# modules of a wing that go by a short name: optviz.schedules.StepLR
_MODULES = {
    "formulas": "readings.equations",
    "losses": "objectives.losses",
    "minima": "objectives.minima",
    "noise": "theory.noise",
    "optimizers": "rules.optimizers",
    "schedules": "rules.schedules",
    "theory": "theory",
    "wrappers": "rules.wrappers",
}


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(f".{_MODULES[name]}", __name__)
    if name not in _LATER:
        raise AttributeError(f"module 'optviz' has no attribute {name!r}")
    return getattr(import_module(f".{_LATER[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_LATER, *_MODULES})
