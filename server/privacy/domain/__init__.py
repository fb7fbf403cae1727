"""The classes of personal data, the extract of one person, and the sweep."""
