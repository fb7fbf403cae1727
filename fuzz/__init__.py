"""Coverage-guided, structure-aware fuzzing of every parser and of whole sessions (docs/fuzzing.md)."""
