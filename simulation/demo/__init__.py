"""The main job told as a story: a shift's key is issued, carried, used with the server down, and proved."""
