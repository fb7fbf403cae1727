"""Models of the protocol that a model checker walks through exhaustively, and the command that runs them."""
