"""A second reader of the door protocol, written from docs/protocol.md and the norms it cites.

Nothing here imports ``protocol``. It takes the form of messages from the page's own CDDL and its limits from
the page's own table, so it also shows that the page is enough.
"""
