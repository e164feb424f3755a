"""Many runs of a rule under gradient noise."""

from optviz import NoisyDescent
from optviz.app import serve

serve(NoisyDescent)
