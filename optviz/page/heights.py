"""How high figures are, by the window."""

# Heights are for a window 900 px high; where pictures stand beside each other they grow and shrink with it. On a phone
# no figure is higher than it is wide; the first, which stays in view, has the `--room` that `layout.css` leaves it.
TALL = "@media ({window}) {{ :host {{ height: {height} !important; flex-basis: {height} !important; }} }}"


def heights(usual: int) -> str:
    """The style sheet of a figure that is so high in a window of 900 px."""
    grown = f"clamp({round(0.78 * usual)}px, {usual / 9:.4g}vh, {round(1.6 * usual)}px)"
    sheets = {"min-width: 1101px": grown, "max-width: 760px": f"min({usual}px, 94vw, var(--room, 94vw))"}
    return " ".join(TALL.format(window=window, height=f"var(--stage, {height})") for window, height in sheets.items())
