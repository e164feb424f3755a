"""The page that leads to every experiment."""

from optviz.app import serve_index

serve_index()
