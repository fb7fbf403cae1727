"""What alarms do: raising, offering, taking, handing over, ending, and the way to the door."""
