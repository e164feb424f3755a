"""What the page of a rule on a surface says of itself."""

NOTES = """
<p><b>What is shown.</b> The colour is the loss above its lowest value (of the picture, if the surface falls without
end), on a log scale where it spans decades; white lines join points of equal loss. Drag the ring or click to start
elsewhere. Filled stars are the lowest minima, hollow ones local minima.</p>
<p><b>Learning rates.</b> A rule begins with its usual one, and with a lower one on a surface on which it would diverge.
One that you set stays while it works.</p>
<p><b>Basins.</b> Colour each start by the minimum that the rule reaches from it (or by how many steps it takes to
come within 0.001 of its loss), in at least 200 steps. Minima are found by Newton's method, also those of a
surface of your own.</p>
<p><b>Axes stay put</b> while you move a knob, so that the eye can compare; a triangle at an edge marks
the step at which a curve leaves its frame, a red cross where the path leaves the surface.</p>
<p><b>Conventions.</b> Rules are PyTorch's, to the digit. Momentum and Inertia, and "eps inside the root",
are the forms of the older lecture notebooks: see each rule's formula.</p>
"""
