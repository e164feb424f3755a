"""How tuned rules are scored: AlgoPerf's performance profiles and benchmark scores (arXiv 2306.07179).

Times are steps to a target, infinite where it was never reached; a start that is there already counts as one step.
"""

from __future__ import annotations

from typing import Any

import numpy as np

RATIO = 4.0  # up to which a profile counts


def study_times(reached: Any, budget: int) -> np.ndarray:
    """The least steps to the target over the first `budget` trials of each study: trials lie along the last axis."""
    return np.min(reached[..., :budget], axis=-1)


def ratios(times: Any) -> np.ndarray:
    """How many times the best rule's steps each rule needs: `times` and the result are (rules, workloads)."""
    steps = np.maximum(np.asarray(times, dtype=float), 1.0)
    best = np.min(steps, axis=0)
    with np.errstate(invalid="ignore"):  # a target that none has reached
        return np.where(np.isfinite(steps), steps / np.where(np.isfinite(best), best, 1.0), np.inf)


def performance_profile(times: Any, taus: Any) -> np.ndarray:
    """The share of workloads on which each rule needs at most tau times the best rule's steps (arXiv 2306.07179).

    `times` (rules, workloads) are steps to a target, infinite for never; the result is (rules, taus).
    """
    found = ratios(times)
    return np.stack([np.mean(found <= tau, axis=1) for tau in taus], axis=1)


def benchmark_score(times: Any, r: float = RATIO) -> np.ndarray:
    """Each rule's benchmark score: the mean of its performance profile over tau from 1 to r (arXiv 2306.07179).

    1 / (r - 1) times the integral of the profile, in closed form: 1 for a rule that is best on every workload,
    0 for one that never comes within r times the best. `times` (rules, workloads) as in `performance_profile`.
    """
    return np.mean(np.maximum(r - ratios(times), 0.0), axis=1) / (r - 1)


def scored(reached: Any, budget: int) -> dict[str, np.ndarray]:
    """What a race says after `budget` trials a study, of `reached` (rules, workloads, studies, trials).

    `times` (rules, workloads) are medians over the studies of the least steps of each, `study_times` those themselves,
    `score` each rule's benchmark score, `study_scores` (studies, rules) those of each study alone, and `apart`
    (rules, rules) whether two scores differ by more than either's own spread over the studies.
    """
    each = study_times(reached, budget)
    times = np.median(each, axis=2)
    score = benchmark_score(times)
    alone = np.stack([benchmark_score(each[:, :, study]) for study in range(each.shape[2])])
    spread = np.max(alone, axis=0) - np.min(alone, axis=0)
    rows = [[abs(a - b) > max(wide, other) for b, other in zip(score, spread, strict=True)]
            for a, wide in zip(score, spread, strict=True)]  # fmt: skip
    return {"times": times, "study_times": each, "score": score, "study_scores": alone, "spread": spread,
            "apart": np.array(rows)}  # fmt: skip


def places(score: Any, apart: Any) -> list[tuple[int, int]]:
    """The first and the last place that each rule may have: it shares those with rules from which nothing parts it."""
    count = len(score)
    ahead = [sum(bool(apart[i][j] and score[j] > score[i]) for j in range(count)) for i in range(count)]
    behind = [sum(bool(apart[i][j] and score[j] < score[i]) for j in range(count)) for i in range(count)]
    return [(1 + ahead[i], count - behind[i]) for i in range(count)]


def ranks(score: Any) -> np.ndarray:
    """Each rule's rank by its score, 1 for the highest; rules of one score share the mean of their ranks."""
    return np.array([1 + sum(float(b > a) for b in score) + (sum(float(b == a) for b in score) - 1) / 2
                     for a in score])  # fmt: skip
