"""Who changed what, when and why: entries that nobody can edit or delete."""
