"""Who may open what, when and why: decisions, tokens, revocations."""
