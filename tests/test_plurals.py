from optviz import EdgeOfStability, HyperparameterMap, LossComparison, Race
from optviz.plurals import many


def test_one_thing_is_singular():
    assert [many(count, "step") for count in (0, 1, 2, 1000)] == ["0 steps", "1 step", "2 steps", "1,000 steps"]


def test_a_run_of_one_step_is_not_said_to_have_several():
    for made in (LossComparison(epochs=1), Race(steps=1), HyperparameterMap(steps=1), EdgeOfStability(steps=1)):
        assert "1 step " in made.status() or "1 step:" in made.status() or "1 epoch:" in made.status()
        assert "After 1 epochs" not in made.status() and "runs of 1 steps" not in made.status()
