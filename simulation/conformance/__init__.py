"""The conformance kit: what any lock, and any phone, must do by the page, tried over the air."""
