"""What will happen, before any step is taken: limits, rates and noise floors."""

from .stability import best as best
from .stability import hessian_at as hessian_at
from .stability import limit as limit
from .stability import max_curvature as max_curvature
from .stability import max_lr as max_lr
from .stability import min_lr as min_lr
from .stability import prediction as prediction
from .stability import rate as rate
from .stability import spectrum as spectrum
from .stability import transition as transition
