"""The keys of a municipality: made, signed for by the roots, rotated, given up when they leaked, erased."""
