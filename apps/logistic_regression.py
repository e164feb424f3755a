"""A line between two classes."""

from optviz import LogisticRegression
from optviz.app import serve

serve(LogisticRegression)
