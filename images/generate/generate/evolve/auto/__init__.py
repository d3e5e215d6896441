"""Auto Evol-Instruct: finding the evolving method."""
