"""The samples that a module learns from: tensors, arrays, a torch Dataset or DataLoader."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch.utils import data

from ..messages import refuse


def in_double(value: torch.Tensor) -> torch.Tensor:
    """A tensor on the CPU, without its graph, in float64 if it has fractions."""
    value = value.detach().cpu()
    return value.double() if value.is_floating_point() else value


def samples_of(inputs: Any, targets: Any) -> tuple[tuple[torch.Tensor, ...], torch.Tensor]:
    """The inputs, one or several, and the targets, each with one row a sample.

    ValueError where they are not numbers, or not as many as each other.
    """
    if isinstance(inputs, data.Dataset | data.DataLoader):
        if targets is not None:
            refuse("TorchLoss", f"takes the targets from its {type(inputs).__name__}", targets, "leave them out")
        *given, targets = _whole(inputs)
    else:
        given = inputs if isinstance(inputs, tuple) and all(map(np.ndim, inputs)) else (inputs,)
    if targets is None:
        refuse("TorchLoss", "needs targets beside the inputs", targets, "or a Dataset of both")
    named = [*(("inputs", each) for each in given), ("targets", targets)]
    *tensors, last = [_tensor(name, value) for name, value in named]
    counts = [len(each) for each in (*tensors, last)]
    if len(set(counts)) > 1 or not counts[0]:
        refuse("TorchLoss", "needs as many inputs as targets, and at least one of them", counts,
               "several inputs of a module go into a tuple")  # fmt: skip
    return tuple(tensors), last


def _tensor(name: str, value: Any) -> torch.Tensor:
    try:
        tensor = in_double(value if isinstance(value, torch.Tensor) else torch.tensor(np.array(value)))
    except (TypeError, ValueError, RuntimeError):
        refuse("TorchLoss", f"needs {name} that are tensors or arrays of numbers", value,
               "several inputs go into a tuple of tensors")  # fmt: skip
    if not tensor.ndim:
        refuse("TorchLoss", f"needs {name} with one row a sample", value)
    return tensor


def _whole(source: Any) -> Any:
    """All samples of a Dataset or a DataLoader in the Dataset's order: inputs, then the target."""
    dataset, collate = getattr(source, "dataset", source), getattr(source, "collate_fn", data.default_collate)
    if isinstance(dataset, data.IterableDataset):
        refuse("TorchLoss", "needs a Dataset whose samples have a number", type(dataset).__name__,
               "collect them in a TensorDataset")  # fmt: skip
    try:
        samples = collate([dataset[i] for i in _chosen(source, dataset)])
    except ValueError:
        raise
    except Exception as trouble:
        reason = (str(trouble).splitlines() or [type(trouble).__name__])[0].rstrip(".")
        raise ValueError(f"TorchLoss: the samples of {type(dataset).__name__} do not stack: {reason}.") from trouble
    if not isinstance(samples, tuple | list) or len(samples) < 2:
        refuse("TorchLoss", "needs samples that are (input, target)", type(samples).__name__,
               "a module of several inputs has samples (input, input, target)")  # fmt: skip
    return samples


def _chosen(source: Any, dataset: Any) -> range | list[int]:
    """Which samples a DataLoader goes through in an epoch."""
    if not isinstance(source, data.DataLoader):
        return range(len(dataset))
    sampler = source.sampler
    if type(source.batch_sampler) is data.BatchSampler:
        if isinstance(sampler, data.SubsetRandomSampler):
            return list(sampler.indices)
        if isinstance(sampler, data.SequentialSampler | data.RandomSampler) and len(sampler) == len(dataset):
            return range(len(dataset))
    kind = type(source.batch_sampler or sampler).__name__
    return refuse("TorchLoss", "needs a DataLoader that goes once through all samples", f"one with {kind}",
                  "pass its dataset")  # fmt: skip
