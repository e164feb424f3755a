"""The title and the key of a figure, as HTML beside it."""

from __future__ import annotations

from .layers import Drawing, Figure, Layer


def _swatch(layer: Layer) -> str:
    """A small picture of a layer: drawn as in the plot, outline and casing too, so that it reads on any ground."""
    if layer.symbol == "scale":
        return f'<i class="scale" style="background: linear-gradient(90deg, {layer.color})"></i>'
    if layer.symbol in SHAPES:
        shape = f'd="{SHAPES[layer.symbol]}"'
        drawn = f'<path {shape} fill="{layer.color}" stroke="{layer.edge}" stroke-width="1.5"/>'
        if layer.symbol in OPEN:
            case = f'<path {shape} fill="none" stroke="{layer.edge}" stroke-width="3.5"/>'
            drawn = f'{case}<path {shape} fill="none" stroke="{layer.color}" stroke-width="1.5"/>'
        return f'<i><svg width="14" height="14" viewBox="0 0 14 14">{drawn}</svg></i>'
    along = f'd="M1 5H{WIDE - 1}" stroke-width'
    core = f'<path {along}="3" stroke="{layer.color}" stroke-dasharray="{GAPS[layer.symbol]}"/>'
    case = f'<path {along}="6" stroke="{layer.edge}"/>'
    return f'<i><svg width="{WIDE}" height="10">{case}{core}</svg></i>'


OPEN = ("x", "hollow star")  # shapes of lines alone
WIDE = 24  # of the picture of a line
GAPS = {"solid": "none", "dashed": "6 4", "dotted": "2 3", "dotdash": "2 3 6 3", "dashdot": "9 3 2 3"}
STAR = "M7 .8L8.8 4.9L13.2 5.3L9.9 8.2L10.9 12.6L7 10.3L3.1 12.6L4.1 8.2L.8 5.3L5.2 4.9z"
SHAPES = {
    "circle": "M2.5 7a4.5 4.5 0 1 0 9 0a4.5 4.5 0 1 0 -9 0z", "square": "M3 3h8v8h-8z",
    "star": STAR, "hollow star": STAR,
    "triangle": "M7 2L12 11.5H2z", "inverted_triangle": "M7 12L12 2.5H2z", "diamond": "M7 1.5L12 7L7 12.5L2 7z",
    "x": "M3 3L11 11M11 3L3 11",
}  # fmt: skip


def caption(figure: Figure, drawing: Drawing) -> str:
    """The title and the key of a figure as HTML, which wraps where a plot would cut off."""
    named = [layer for layer in figure.layers.values() if getattr(layer, "label", "") and figure.legend is not None]
    shown = [layer for layer in named if drawing.legend.get(layer.label, layer.label)]  # what is not there has no key
    keys = [f'<span class="key">{_swatch(k)}{drawing.legend.get(k.label, k.label)}</span>' for k in shown]
    return f"<b>{drawing.title}</b>{''.join(keys)}"
