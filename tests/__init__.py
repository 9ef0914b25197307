"""Tests that cross a boundary: the whole mesh, its promises, its pages; and the rules of the tree (`architecture`)."""
