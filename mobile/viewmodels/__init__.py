"""What each screen says and does, with no toolkit: snapshots of the engine in, words and verbs out."""
