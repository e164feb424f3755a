"""The JavaScript of exported pages that no printer writes: modules by hand, and what makes a script of them."""
