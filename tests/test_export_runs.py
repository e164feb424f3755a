"""The runs of a page's maps, each a function made of a rule's and a surface's text, are those of its `descend`."""

from engine import run_js
from test_export_laws import constants, made, variants

from optviz import menus
from optviz.export.kernels import objective_script, rule_script

# what differs from the trajectory, for the function that is made and for the one without texts
COMPARE = """
const steps = 60;
const alike = (ours, theirs) => ours.every((value, i) => Object.is(value, theirs[i]));
const differs = (objective, rule, clip) => {
  const wanted = descend(objective, rule, objective.starts[0], steps, { clip: clip || null });
  const runs = new Runs(objective, rule, steps, clip);
  runs.values.set(objective.starts[0]);
  const made = runs.walk, lost = wanted.diverged.data[0], last = lost || steps, found = [];
  for (const walk of [made, plainly(objective, rule, runs.hypers)]) {
    runs.walk = walk;
    runs.losses.fill(0.125);
    const equal = runs.run() === lost && alike(runs.losses.subarray(0, last + 1), wanted.loss.data);
    found.push(equal && (lost > 0 || alike(runs.end, wanted.final.data)));
  }
  return [...found, made.toString().startsWith("function (values")];
};
"""


def test_every_rule_walks_every_surface_as_descend_does():
    surfaces = [cls() for cls in menus.surfaces().values()]
    cases = [(rule, o) for cls in menus.rules().values() for rule in variants(cls) for o in surfaces]
    kinds = constants(
        rules={name: rule_script(cls) for name, cls in menus.rules().items()},
        surfaces={cls.__name__: objective_script(cls) for cls in menus.surfaces().values()},
        starts=[o.starts[0] for _, o in cases],
    )
    pairs = ", ".join(f"[{made(o)}, {made(rule)}]" for rule, o in cases)
    script = f"""const found = [{pairs}].map(([objective, rule], k) =>
      differs(Object.assign(objective, {{ starts: [starts[k]] }}), rule, k % 3 ? 0 : 0.7));
      return found;"""
    found = run_js("\n".join([kinds, COMPARE, script]))
    odd = [case for case, each in zip(cases, found, strict=True) if each != [True, True, True]]
    assert len(cases) > 500 and not odd
