"""Care providers, teams, staff, their phones and who carries what."""
