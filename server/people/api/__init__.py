"""Enrolment, and how phones and their users say who they are."""
