"""`python -m tests.ui.screenshots`: real pixels of every screen, with no display, into var/screens/*.png.

Needs EGL (Debian: libegl1, libgl1). `--only today,door`, `--scale 2.0` and `--fast` narrow it down.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

OUT = Path("var/screens")
DENSITY = 2
WIDTH, HEIGHT = 390, 820
LOOKS = (
    ("sv", False, 1.0),
    ("sv", True, 1.0),
    ("en", False, 1.0),
    ("sv", False, 1.3),
    ("sv", False, 2.0),
    ("en", True, 2.0),
)
"""Language, dark, text size."""


def prepare() -> None:
    """The environment Kivy must find at its import."""
    os.environ.update(
        KIVY_NO_ARGS="1",
        KIVY_LOG_MODE="PYTHON",
        KIVY_CLIPBOARD="dummy",
        KIVY_NO_FILELOG="1",
        KIVY_HOME=tempfile.mkdtemp(prefix="kivy"),
        KIVY_METRICS_DENSITY=str(DENSITY),
        SDL_VIDEODRIVER="offscreen",
    )
    logging.getLogger("kivy").setLevel(logging.ERROR)
    from kivy.config import Config

    Config.set("graphics", "width", str(WIDTH * DENSITY))
    Config.set("graphics", "height", str(HEIGHT * DENSITY))
    Config.set("graphics", "multisamples", "0")
    Config.set("graphics", "maxfps", "0")


def save(path: Path) -> None:
    """Draw once more and keep what is then in the buffer."""
    from kivy.core.window import Window
    from kivy.graphics.opengl import GL_RGBA, GL_UNSIGNED_BYTE, glFinish, glReadPixels
    from kivy.graphics.texture import Texture

    Window.dispatch("on_draw")
    glFinish()
    width, height = Window.size
    texture = Texture.create(size=(width, height), colorfmt="rgba")
    texture.blit_buffer(
        glReadPixels(0, 0, width, height, GL_RGBA, GL_UNSIGNED_BYTE), colorfmt="rgba", bufferfmt="ubyte"
    )
    texture.save(str(path), flipped=True)


async def take(out: Path, only: set[str], looks: Sequence[tuple[str, bool, float]]) -> int:
    """All pictures; returns how many."""
    from tests.ui.driver import Driver
    from tests.ui.gallery import ALL_SCENES

    taken = 0
    async with Driver() as driver:
        for language, dark, scale in looks:
            await driver.look(language, dark, scale)
            for scene in ALL_SCENES:
                if only and scene.name not in only:
                    continue
                await driver.show(scene)
                look = f"{language}-{'dark' if dark else 'light'}-{round(scale * 100)}"
                save(out / f"{scene.name}-{look}.png")
                taken += 1
    return taken


def main() -> int:
    """Take them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="")
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--fast", action="store_true")
    parser.add_argument("--scale", type=float, default=0.0)
    options = parser.parse_args()
    prepare()
    options.out.mkdir(parents=True, exist_ok=True)
    only = {name for name in options.only.split(",") if name}
    looks = LOOKS[:1] if options.fast else [look for look in LOOKS if options.scale in {0.0, look[2]}]
    print(f"{asyncio.run(take(options.out, only, looks))} pictures in {options.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
