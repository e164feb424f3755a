"""Rules tuned by the same trials on many surfaces, scored as AlgoPerf does."""

from optviz import Benchmark
from optviz.app import serve

serve(Benchmark)
