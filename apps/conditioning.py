"""A bowl that is turned under four rules."""

from optviz import Conditioning
from optviz.app import serve

serve(Conditioning)
