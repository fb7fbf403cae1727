"""``python -m simulation.pilot``: write the pilot into the server's database, print what people must know.

The output is one JSON object: sign-ins (told once, like a sealed envelope), one-time enrolment codes, and
which door is which. Works on the database of the settings in force, which must hold no municipality yet.
"""

import argparse
import dataclasses
import json
import sys
from pathlib import Path

import django
from django.core.management import call_command

STAFF_WITH_PHONES = ("anna", "bjorn", "fatima")
SLUG = "lindvik"


def main() -> int:
    """Migrate, fill, print."""
    parser = argparse.ArgumentParser(prog="python -m simulation.pilot", description=__doc__)
    parser.add_argument("--evening", default="", help="the one whose shift follows the others'")
    parser.add_argument("--roots-out", required=True, help="folder for the root keys, kept off the server")
    options = parser.parse_args()
    django.setup()
    from server.tenancy.models import Municipality  # noqa: PLC0415 - models need Django set up
    from simulation.pilot.fill import equip  # noqa: PLC0415

    call_command("migrate", interactive=False, verbosity=0)
    call_command(
        "create_municipality", SLUG, "Lindviks kommun", roots_out=Path(options.roots_out), stdout=sys.stderr
    )
    municipality = Municipality.objects.get(slug=SLUG)
    pilot = equip(municipality, evening=options.evening, with_codes=STAFF_WITH_PHONES)
    json.dump(
        {
            "sign_ins": {name: dataclasses.asdict(one) for name, one in pilot.sign_ins.items()},
            "codes": pilot.codes,
            "gates": {address: door.pk for address, door in pilot.gates.items()},
            "apartments": {code: door.pk for code, door in pilot.apartments.items()},
            "practice": {address: door.pk for address, door in pilot.practice.items()},
        },
        sys.stdout,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
