"""The issuer: the Django server that decides who may open, issues tokens and keeps the logs."""
