"""What this board was made with: the program that is installed, under no signature but the board's own image.

`MODEL` names everything an image leans on without bringing it along: Python, the libraries, the board's
drivers. Whoever changes these changes the model, and such a board takes no image made for the other.
"""

from __future__ import annotations

MODEL = b"linux-python-1"
VERSION = 1
SECURITY = 1
