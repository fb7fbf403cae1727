"""Domain verbs about people and their phones."""
