"""The makers of docs/vectors: everything from fixed seeds, one module for each part of the protocol."""
